#include "app/result_scan.h"

#include <QByteArray>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <string_view>

#include "engine/api/atomic_file.h"
#include "engine/api/job_event.h"
#include "engine/api/sensitivity.h"

namespace bdq {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFolders = 20000; ///< a place may be the user's whole home
constexpr std::size_t kMaxResultBytes = std::size_t{1} << 30;
constexpr qint64 kTailBytes = qint64{2} * static_cast<qint64>(kMaxLineBytes); ///< holds the last event

bool isThere(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

std::int64_t changedUnixMs(const fs::path& path) {
    std::error_code problem;
    const auto time = fs::last_write_time(path, problem);
    if (problem) return 0;
    const auto system = std::chrono::file_clock::to_sys(time);
    return std::chrono::duration_cast<std::chrono::milliseconds>(system.time_since_epoch()).count();
}

std::string canonical(const std::string& path) {
    std::error_code problem;
    const fs::path found = fs::weakly_canonical(path, problem);
    return problem ? path : found.string();
}

std::string textOf(const QJsonValue& value) {
    return value.toString().toStdString();
}

QJsonObject readJson(const fs::path& path) {
    const auto text = readTextFile(path, kMaxResultBytes);
    if (!text) return {};
    return QJsonDocument::fromJson(
               QByteArray::fromRawData(text->data(), static_cast<qsizetype>(text->size())))
        .object();
}

/// "model HASH" in the manifest of a run; of versions before results named the weights.
std::string manifestFingerprint(const fs::path& folder) {
    const auto text = readTextFile(folder / "manifest.txt", kMaxResultBytes);
    if (!text) return {};
    const std::size_t begin = text->find("model ");
    if (begin == std::string::npos) return {};
    return text->substr(begin + 6, text->find('\n', begin) - begin - 6);
}

/// How the last attempt in the event log ended; nothing when it did not.
std::optional<JobEvent> lastWord(const fs::path& folder) {
    QFile file(QString::fromStdString((folder / kEventLogName).string()));
    if (!file.open(QIODevice::ReadOnly)) return std::nullopt;
    file.seek(std::max<qint64>(0, file.size() - kTailBytes));
    const QByteArray tail = file.readAll();
    const qsizetype end = tail.lastIndexOf('\n');
    if (end < 0) return std::nullopt;
    const qsizetype begin = tail.lastIndexOf('\n', end - 1) + 1;
    const auto event =
        decodeEvent(std::string_view(tail.constData() + begin, static_cast<std::size_t>(end - begin)));
    return event && isTerminal(event->event) ? std::optional(event->event) : std::nullopt;
}

/// What the result file says, whoever wrote it.
struct ResultFile {
    QJsonObject root;
    bool finished = false;
};

ResultFile resultFile(const fs::path& folder) {
    if (isThere(folder / "run.json")) {
        QJsonObject root = readJson(folder / "run.json");
        const bool finished = root["status"].toString() == QLatin1String("finished");
        return {std::move(root), finished};
    }
    if (!isThere(folder / "analysis.json")) return {};
    return {readJson(folder / "analysis.json"), true};
}

/// The job, from the note, the result or the run's spec.json.
std::optional<JobSpec> specOf(const fs::path& folder, const ResultFile& result) {
    QByteArray text;
    if (result.root["spec"].isObject()) {
        text = QJsonDocument(result.root["spec"].toObject()).toJson(QJsonDocument::Compact);
    } else {
        const auto read = readTextFile(folder / "spec.json", kMaxResultBytes);
        if (!read) return std::nullopt;
        text = QByteArray::fromStdString(*read);
    }
    auto spec = decodeSpec(text.toStdString());
    if (!spec) return std::nullopt;
    if (auto* run = std::get_if<RunSpec>(&*spec)) run->outDir = folder.string();
    if (auto* analyze = std::get_if<AnalyzeSpec>(&*spec)) analyze->outDir = folder.string();
    return std::move(*spec);
}

void setFolder(JobSpec& spec, const fs::path& folder) {
    if (auto* run = std::get_if<RunSpec>(&spec)) run->outDir = folder.string();
    if (auto* analyze = std::get_if<AnalyzeSpec>(&spec)) analyze->outDir = folder.string();
    if (auto* sensitivity = std::get_if<SensitivitySpec>(&spec))
        sensitivity->analysisDir = folder.parent_path().string();
}

void readNumbers(const QJsonObject& root, FoundResult& found) {
    const QJsonObject provenance = root["provenance"].toObject();
    found.device = textOf(provenance["device"]);
    if (found.note.seconds <= 0) found.note.seconds = provenance["seconds"].toDouble();
    found.layers = root["model"].toObject()["layers"].toInt();
    const QJsonObject full = root["full"].toObject();
    const QJsonObject quantized = root["quantized"].toObject();
    if (full["perplexity"].isDouble()) found.perplexityFull = full["perplexity"].toDouble();
    if (quantized["perplexity"].isDouble()) found.perplexity = quantized["perplexity"].toDouble();
    const QJsonObject& measured = quantized.isEmpty() ? full : quantized;
    found.perplexityTokens = static_cast<std::int64_t>(measured["windows"].toDouble()) *
                             static_cast<std::int64_t>(measured["seq_len"].toDouble());
}

/// What became of a job whose note says that it runs or which has no note.
void settle(const fs::path& folder, bool finished, FoundResult& found) {
    JobNote& note = found.note;
    found.alive = note.state == JobState::Running && note.worker.alive();
    if (found.alive) return;
    // Started on the command line, or continued there.
    if (const ProcessMark holder = ProcessMark::holderOf(folder.string()); holder.alive()) {
        note.state = JobState::Running;
        note.worker = holder;
        found.alive = true;
        return;
    }
    if (finished) {
        note.state = JobState::Finished;
    } else if (note.state == JobState::Running) {
        note.state = JobState::Cancelled;
        if (const auto word = lastWord(folder)) {
            if (const auto* failed = std::get_if<FailedEvent>(&*word)) {
                note.state = JobState::Failed;
                note.error = failed->error.text();
            }
        }
    }
}

class Scan {
public:
    explicit Scan(const ModelMark& model) : m_model(model), m_canonical(canonical(model.path)) {}

    void look(const fs::path& folder, int depth);
    std::vector<FoundResult> take();

private:
    bool lookAtResult(const fs::path& folder);
    void lookAtLosses(const fs::path& folder);
    [[nodiscard]] bool belongs(const std::string& fingerprint, bool ofWeights, const std::string& path,
                               const fs::path& folder) const;

    const ModelMark& m_model;
    std::string m_canonical;
    std::set<std::string> m_seen;
    std::vector<FoundResult> m_found;
};

/// Weights decide where both name them; a hash of earlier versions was one of the header, so that a different
/// one says nothing.
bool Scan::belongs(const std::string& fingerprint, bool ofWeights, const std::string& path,
                   const fs::path& folder) const {
    if (!fingerprint.empty() && fingerprint == m_model.fingerprint) return true;
    if (ofWeights && !fingerprint.empty() && !m_model.fingerprint.empty()) return false;
    if (path.empty() || m_model.path.empty()) return false;
    return path == m_model.path || canonical(path) == m_canonical ||
           canonical((folder / path).string()) == m_canonical;
}

void Scan::lookAtLosses(const fs::path& folder) {
    const fs::path own = folder / kSensitivityFolderName;
    auto note = loadJobNote(own.string());
    if (!note || !belongs(note->fingerprint, true, jobModelPath(note->spec), folder)) return;
    FoundResult found;
    found.folder = own.string();
    found.note = std::move(*note);
    found.noted = true;
    setFolder(found.note.spec, own);
    const bool measured = isThere(folder / kSensitivityFileName) &&
                          changedUnixMs(folder / kSensitivityFileName) >= found.note.createdUnixMs;
    settle(own, measured && found.note.state == JobState::Running, found);
    m_found.push_back(std::move(found));
}

/// True when the folder is that of a job: nothing else lies in it.
bool Scan::lookAtResult(const fs::path& folder) {
    auto note = loadJobNote(folder.string());
    const bool own = note || isThere(folder / "run.json") || isThere(folder / "analysis.json") ||
                     isThere(folder / "spec.json");
    if (!own) return false;
    lookAtLosses(folder);
    FoundResult found;
    found.folder = folder.string();
    found.noted = note.has_value();
    if (note) {
        if (!belongs(note->fingerprint, true, jobModelPath(note->spec), folder)) return true;
        found.note = std::move(*note);
        setFolder(found.note.spec, folder);
    }
    // A whole analysis may be large, and its note says all that the list shows.
    const bool read = !note || isThere(folder / "run.json");
    const ResultFile result = read ? resultFile(folder) : ResultFile{{}, isThere(folder / "analysis.json")};
    if (!note) {
        const std::optional<JobSpec> spec = specOf(folder, result);
        if (!spec) return true;
        const std::string stored = textOf(result.root["model_fingerprint"]);
        const std::string hash = stored.empty() ? manifestFingerprint(folder) : stored;
        if (!belongs(hash, !stored.empty(), jobModelPath(*spec), folder)) return true;
        found.note.spec = *spec;
        found.note.state = JobState::Running;
        found.note.fingerprint = hash;
        for (const char* name : {"run.json", "analysis.json", "spec.json"})
            if (found.note.createdUnixMs == 0) found.note.createdUnixMs = changedUnixMs(folder / name);
    }
    settle(folder, result.finished, found);
    readNumbers(result.root, found);
    found.resumable = isThere(folder / "manifest.txt") && std::holds_alternative<RunSpec>(found.note.spec) &&
                      (found.note.state == JobState::Cancelled || found.note.state == JobState::Failed);
    m_found.push_back(std::move(found));
    return true;
}

void Scan::look(const fs::path& folder, int depth) {
    if (m_seen.size() >= kMostFolders || !m_seen.insert(canonical(folder.string())).second) return;
    if (lookAtResult(folder) || depth == 0) return;
    std::error_code problem;
    for (auto entry = fs::directory_iterator(folder, fs::directory_options::skip_permission_denied, problem);
         !problem && entry != fs::directory_iterator(); entry.increment(problem)) {
        std::error_code ignored;
        if (entry->is_directory(ignored) && !entry->is_symlink(ignored)) look(entry->path(), depth - 1);
    }
}

std::vector<FoundResult> Scan::take() {
    std::ranges::stable_sort(m_found, {}, [](const FoundResult& found) { return found.note.createdUnixMs; });
    return std::move(m_found);
}

} // namespace

std::vector<FoundResult> findResults(const std::vector<ResultPlace>& places, const ModelMark& model) {
    Scan scan(model);
    for (const ResultPlace& place : places)
        scan.look(place.folder, place.depth);
    // Sessions lie where their model lies, as often as not.
    std::error_code problem;
    const fs::path beside = fs::path(model.path).parent_path();
    for (auto entry = fs::directory_iterator(beside, problem); !problem && entry != fs::directory_iterator();
         entry.increment(problem))
        if (entry->path().string().ends_with(".bdqsession.d")) scan.look(entry->path(), 1);
    return scan.take();
}

std::optional<std::string> findMoved(const std::vector<FoundResult>& results, const std::string& missing) {
    const fs::path wanted(missing);
    std::optional<std::string> best;
    std::ptrdiff_t most = 0;
    for (const FoundResult& found : results) {
        const fs::path folder(found.folder);
        auto a = wanted.end();
        auto b = folder.end();
        std::ptrdiff_t same = 0;
        while (a != wanted.begin() && b != folder.begin() && *--a == *--b)
            ++same;
        if (same <= most) continue;
        most = same;
        best = found.folder;
    }
    return best;
}

} // namespace bdq
