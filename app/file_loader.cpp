#include "app/file_loader.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string_view>

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
                                   std::vector<std::string>& problems) {
    if (stored.empty()) return std::nullopt;
    const fs::path beside = fs::path(dir) / stored;
    std::error_code ignored;
    // Absolute, because workers and later starts of the window may have another working folder.
    const fs::path found = isThere(stored) || !isThere(beside) ? fs::absolute(stored, ignored) : beside;
    auto model = loadModel(found.lexically_normal().string());
    if (model) return std::move(*model);
    problems.push_back(model.error().text());
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
            content.problems.push_back(analysis.error().text());
    }
    content.runs.push_back(std::move(run));
}

Result<LoadedContent> loadSessionContent(const std::string& path) {
    LoadedContent content;
    content.path = path;
    BDQ_TRY(SessionDocument document, loadSession(path));
    content.model = modelOf(document.modelPath, fs::path(path).parent_path().string(), content.problems);
    if (content.model && !document.stamp.fingerprint.empty() &&
        content.model->stamp.fingerprint != document.stamp.fingerprint)
        content.problems.push_back(document.modelPath +
                                   ": the model's header has changed since the session was saved; "
                                   "results of the session may not belong to it");
    if (!document.analysisDir.empty()) {
        auto analysis = loadAnalysis(document.analysisDir);
        if (analysis)
            content.analysis = std::move(*analysis);
        else
            content.problems.push_back(analysis.error().text());
    }
    for (const std::string& dir : document.runDirs) {
        auto run = loadRun(dir);
        if (run)
            addRun(std::move(*run), content);
        else
            content.problems.push_back(run.error().text());
    }
    content.session = std::move(document);
    return content;
}

} // namespace

Result<LoadedModel> loadModel(const std::string& path) {
    BDQ_TRY(const io::ModelReader reader, io::ModelReader::open(path));
    LoadedModel model{reader.index(), {}};
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

std::optional<LoadedAnalysis> newestAnalysis(const std::string& folder, const std::string& modelPath) {
    std::error_code ignored;
    std::vector<std::pair<std::int64_t, std::string>> found;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
        const fs::path file = entry.path() / "analysis.json";
        if (isThere(file)) found.emplace_back(unixSeconds(file), entry.path().string());
    }
    std::sort(found.rbegin(), found.rend());
    for (const auto& [time, dir] : found) {
        auto analysis = loadAnalysis(dir);
        if (analysis && analysis->result->spec.modelPath == modelPath) return std::move(*analysis);
    }
    return std::nullopt;
}

Result<LoadedContent> loadContent(const std::string& path) {
    std::error_code ignored;
    const std::string absolute = fs::absolute(path, ignored).lexically_normal().string();
    if (absolute.ends_with(".bdqsession")) return loadSessionContent(absolute);
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
    if (isThere(folder / "events.jsonl"))
        return fail(ErrorCode::NotFound, absolute +
                                             ": this job did not finish and left nothing to show; expected "
                                             "run.json, analysis.json or spec.json in the folder");
    BDQ_TRY(content.model, loadModel(absolute));
    return content;
}

} // namespace bdq
