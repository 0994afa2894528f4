#include "app/file_loader.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string_view>

#include "app/output_folders.h"
#include "engine/api/atomic_file.h"
#include "engine/api/job_event.h"
#include "engine/io/model_reader.h"

namespace bdq {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxResultBytes = std::size_t{1} << 30;

bool isThere(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

std::int64_t unixSeconds(const fs::path& path) {
    std::error_code problem;
    const auto time = fs::last_write_time(path, problem);
    if (problem) return 0;
    const auto system = std::chrono::file_clock::to_sys(time);
    return std::chrono::duration_cast<std::chrono::seconds>(system.time_since_epoch()).count();
}

/// What events.jsonl of a run that was killed or is still going on tells.
struct EventLog {
    std::vector<RunSiteResult> rows;
    std::string device;
};

Result<EventLog> readEventLog(const fs::path& path) {
    BDQ_TRY(const std::string text, readTextFile(path, kMaxResultBytes));
    EventLog log;
    std::size_t begin = 0;
    // A killed writer leaves half a line at the end: only lines with their newline count.
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
        const std::string_view line = std::string_view(text).substr(begin, end - begin);
        begin = end + 1;
        if (line.empty()) continue;
        const auto decoded = decodeEvent(line);
        if (!decoded) return passOn(decoded.error(), path.string());
        if (const auto* accepted = std::get_if<AcceptedEvent>(&decoded->event)) log.device = accepted->device;
        const auto* row = std::get_if<RowEvent>(&decoded->event);
        if (!row || row->kind != "run_site") continue;
        BDQ_TRY(RunSiteResult site, decodeRunRow(row->json, path.string()));
        const auto same = std::find_if(log.rows.begin(), log.rows.end(),
                                       [&](const auto& old) { return old.key == site.key; });
        if (same == log.rows.end())
            log.rows.push_back(std::move(site));
        else
            *same = std::move(site);
    }
    return log;
}

Result<LoadedRun> loadInterruptedRun(const std::string& dir) {
    const fs::path specPath = fs::path(dir) / "spec.json";
    BDQ_TRY(const std::string text, readTextFile(specPath, kMaxResultBytes));
    auto spec = decodeSpec(text);
    if (!spec) return passOn(spec.error(), specPath.string());
    const auto* runSpec = std::get_if<RunSpec>(&*spec);
    if (!runSpec)
        return fail(ErrorCode::BadFormat,
                    specPath.string() + ": holds a " + std::string(jobName(*spec)) + " job; expected a run");
    auto result = std::make_shared<RunResult>();
    result->status = "interrupted";
    result->spec = *runSpec;
    result->spec.outDir = dir;
    const fs::path eventPath = fs::path(dir) / "events.jsonl";
    if (isThere(eventPath)) {
        BDQ_TRY(EventLog log, readEventLog(eventPath));
        result->perLayer = std::move(log.rows);
        result->provenance.device = log.device;
    }
    return LoadedRun{dir, std::move(result), true};
}

/// A model path stored in results may be relative to where the command ran; try it as it is and beside the
/// folder.
std::optional<LoadedModel> modelOf(const std::string& stored, const std::string& dir,
                                   std::vector<OpenProblem>& problems) {
    if (stored.empty()) return std::nullopt;
    const fs::path beside = fs::path(dir) / stored;
    std::error_code ignored;
    // Absolute, because workers and later starts of the window may have another working folder.
    const fs::path found = isThere(stored) || !isThere(beside) ? fs::absolute(stored, ignored) : beside;
    auto model = loadModel(found.lexically_normal().string());
    if (model) return std::move(*model);
    problems.push_back({model.error().text(), OpenProblem::Missing::Model});
    return std::nullopt;
}

Result<SensitivityResult> loadSensitivity(const std::string& path) {
    BDQ_TRY(const std::string text, readTextFile(path, kMaxResultBytes));
    return decodeSensitivity(text, path);
}

void addRun(LoadedRun run, LoadedContent& content) {
    const std::string plots = (fs::path(run.dir) / "analysis").string();
    if (!content.analysis && isThere(fs::path(plots) / "analysis.json")) {
        auto analysis = loadAnalysis(plots);
        if (analysis)
            content.analysis = std::move(*analysis);
        else
            content.problems.push_back({analysis.error().text()});
    }
    content.runs.push_back(std::move(run));
}

/// Finds the parts of a session: by the model they belong to, else where it says.
class SessionParts {
public:
    SessionParts(ModelMark model, const std::string& sessionPath, const LoadPlaces& places)
        : m_model(std::move(model)), m_places(places.results) {
        // A session is moved with its folder, or into one with its results.
        m_places.insert(m_places.begin(),
                        {{sessionPath + ".d", 1}, {fs::path(sessionPath).parent_path().string(), 2}});
    }

    /// The folder itself when nothing better is found: opening it says what is wrong.
    std::string find(const std::string& folder) {
        const auto there = findResults({{folder, 0}}, m_model);
        if (std::ranges::find(there, folder, &FoundResult::folder) != there.end()) return folder;
        if (!m_found) m_found = findResults(m_places, m_model);
        return findMoved(*m_found, folder).value_or(folder);
    }

private:
    ModelMark m_model;
    std::vector<ResultPlace> m_places;
    std::optional<std::vector<FoundResult>> m_found;
};

OpenProblem missingResult(const Error& error) {
    return {error.text(), OpenProblem::Missing::Result};
}

Result<LoadedContent> loadSessionContent(const std::string& path, const LoadPlaces& places) {
    LoadedContent content;
    content.path = path;
    BDQ_TRY(SessionDocument document, loadSession(path));
    content.model = modelOf(document.modelPath, fs::path(path).parent_path().string(), content.problems);
    if (content.model && !document.stamp.fingerprint.empty() &&
        content.model->stamp.fingerprint != document.stamp.fingerprint)
        content.problems.push_back({document.modelPath +
                                    ": the model is not the one that the session was saved with, or the "
                                    "session is of an earlier version; its results may not belong to it"});
    SessionParts parts(
        {document.stamp.fingerprint, content.model ? content.model->index.path : document.modelPath}, path,
        places);
    if (!document.analysisDir.empty()) {
        document.analysisDir = parts.find(document.analysisDir);
        auto analysis = loadAnalysis(document.analysisDir);
        if (analysis)
            content.analysis = std::move(*analysis);
        else
            content.problems.push_back(missingResult(analysis.error()));
    }
    for (std::string& dir : document.runDirs) {
        dir = parts.find(dir);
        auto run = loadRun(dir);
        if (run)
            addRun(std::move(*run), content);
        else
            content.problems.push_back(missingResult(run.error()));
    }
    content.session = std::move(document);
    return content;
}

/// Edits of the model that no session holds. One that cannot be read is as good as none: it is written anew.
void addEarlierEdits(const LoadPlaces& places, LoadedContent& content) {
    const ModelMark mark = content.mark();
    if (!places.autosaves || (mark.fingerprint.empty() && mark.path.empty())) return;
    const std::string file = autosaveFile(mark.fingerprint, mark.path).toStdString();
    if (!isThere(file)) return;
    if (auto document = loadSession(file)) content.earlier = std::move(*document);
}

} // namespace

Result<LoadedModel> loadModel(const std::string& path) {
    BDQ_TRY(const io::ModelReader reader, io::ModelReader::open(path));
    LoadedModel model;
    model.index = reader.index();
    model.notComputed = whyNotComputed(model.index.config);
    model.experts = expertsOf(model.index);
    model.stamp.sizeBytes = model.index.fileBytes;
    model.stamp.modifiedUnixSeconds = model.index.files.empty() ? 0 : unixSeconds(model.index.files.front());
    model.stamp.fingerprint = reader.fingerprint();
    return model;
}

Result<LoadedAnalysis> loadAnalysis(const std::string& dir) {
    const fs::path path = fs::path(dir) / "analysis.json";
    BDQ_TRY(const std::string text, readTextFile(path, kMaxResultBytes));
    BDQ_TRY(AnalysisResult result, decodeAnalysis(text, path.string()));
    LoadedAnalysis loaded{dir, std::make_shared<const AnalysisResult>(std::move(result)), nullptr, {}};
    const fs::path measured = fs::path(dir) / kSensitivityFileName;
    if (!isThere(measured)) return loaded;
    if (auto sensitivity = loadSensitivity(measured.string()))
        loaded.sensitivity = std::make_shared<const SensitivityResult>(std::move(*sensitivity));
    else
        loaded.problem = sensitivity.error().text();
    return loaded;
}

Result<LoadedRun> loadRun(const std::string& dir) {
    const fs::path path = fs::path(dir) / "run.json";
    if (!isThere(path)) return loadInterruptedRun(dir);
    BDQ_TRY(const std::string text, readTextFile(path, kMaxResultBytes));
    BDQ_TRY(RunResult result, decodeRun(text, path.string()));
    const bool interrupted = result.status != "finished";
    result.spec.outDir = dir;
    return LoadedRun{dir, std::make_shared<const RunResult>(std::move(result)), interrupted};
}

ModelMark LoadedContent::mark() const {
    if (model) return {model->stamp.fingerprint, model->index.path};
    if (session) return {session->stamp.fingerprint, session->modelPath};
    if (analysis) return {{}, analysis->result->spec.modelPath};
    return runs.empty() ? ModelMark{} : ModelMark{{}, runs.back().result->spec.modelPath};
}

namespace {
Result<LoadedContent> loadFolderOrModel(const std::string& absolute) {
    LoadedContent content;
    content.path = absolute;
    const fs::path folder(absolute);
    const bool finishedAnalysis = isThere(folder / "analysis.json") && !isThere(folder / "run.json");
    if (finishedAnalysis) {
        BDQ_TRY(content.analysis, loadAnalysis(absolute));
        content.model = modelOf(content.analysis->result->spec.modelPath, absolute, content.problems);
        return content;
    }
    if (isThere(folder / "run.json") || isThere(folder / "spec.json")) {
        BDQ_TRY(LoadedRun run, loadRun(absolute));
        content.model = modelOf(run.result->spec.modelPath, absolute, content.problems);
        addRun(std::move(run), content);
        return content;
    }
    if (isThere(folder / kEventLogName))
        return fail(ErrorCode::NotFound, absolute +
                                             ": this job did not finish and left nothing to show; expected "
                                             "run.json, analysis.json or spec.json in the folder");
    BDQ_TRY(content.model, loadModel(absolute));
    return content;
}
} // namespace

Result<LoadedContent> loadContent(const std::string& path, const LoadPlaces& places) {
    std::error_code ignored;
    const std::string absolute = fs::absolute(path, ignored).lexically_normal().string();
    if (absolute.ends_with(".bdqsession")) return loadSessionContent(absolute, places);
    BDQ_TRY(LoadedContent content, loadFolderOrModel(absolute));
    addEarlierEdits(places, content);
    return content;
}

} // namespace bdq
