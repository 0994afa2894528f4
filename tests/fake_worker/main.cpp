// A worker without an engine: says what FAKE_WORKER_MODE tells it to say, so that the window's handling of
// good, broken and dying workers can be tested.
//
//   ok (default)           hello, accepted, stages, progress, rows, artifact, finished; result files in
//   outDir slow                   progress every 50 ms until cancel, then cancelled; a checkpoint after every
//   tenth request                resident mode: answers requests until cancel failed                 failed,
//   with the code of FAKE_WORKER_ERROR (default device_oom) abort, segv, kill      dies by that signal after
//   accepted kill_amid              dies by SIGKILL after the first rows of an analysis exit_without_terminal
//   exit code 0 after accepted half_line              the beginning of an event, then exit code 0 garbage a
//   line that is not JSON over_long_line         more than kMaxLineBytes without a line break hang, hang_hard
//   ignores cancel; hang_hard ignores SIGTERM, too silent                 says nothing, not even hello
//
// It writes events.jsonl and obeys the cancel file and detach as a real worker does.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include <sys/resource.h>

#include "engine/api/atomic_file.h"
#include "tests/fake_worker/fake_results.h"
#include "tests/fake_worker/protocol_io.h"

namespace {

using namespace bdq;

/// A forgotten fake worker must not live for ever.
constexpr int kLongestLifeSeconds = 60;

std::string setting(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

std::string outDirOf(const JobSpec& spec) {
    if (auto* analyze = std::get_if<AnalyzeSpec>(&spec)) return analyze->outDir;
    if (auto* run = std::get_if<RunSpec>(&spec)) return run->outDir;
    if (auto* sensitivity = std::get_if<SensitivitySpec>(&spec))
        return sensitivity->analysisDir + "/" + kSensitivityFolderName;
    return {};
}

void greet(fake::EventWriter& events) {
    HelloEvent hello;
    hello.build = "fake";
    hello.torch = "none";
    hello.devices = {{"cpu", "fake processor", 8ull << 30}, {"cuda:0", "fake accelerator", 16ull << 30}};
    events.write(hello);
}

void artifact(fake::EventWriter& events, const std::string& folder, const std::string& name) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(std::filesystem::path(folder) / name, error);
    events.write(ArtifactEvent{name, error ? 0 : bytes});
}

void finishOrFail(fake::EventWriter& events, const Status& written, std::string summary) {
    if (written)
        events.write(FinishedEvent{std::move(summary)});
    else
        events.write(FailedEvent{written.error()});
}

void answerRequests(fake::EventWriter& events, fake::CommandReader& commands) {
    while (std::optional<SiteRequest> request = commands.waitForRequest()) {
        if (request->key.layer >= fake::kLayers) {
            events.write(RequestFailedEvent{request->id, Error{ErrorCode::InvalidSpec,
                                                               "layer " + std::to_string(request->key.layer) +
                                                                   ": the model has layers 0 to 1",
                                                               {}}});
            continue;
        }
        SiteAnswer answer;
        answer.id = request->id;
        answer.key = request->key;
        answer.transform = request->transform;
        answer.scheme = formatScheme(request->scheme);
        answer.sqnrDb = 2.0 * request->scheme.weight.bits + static_cast<double>(request->transform);
        answer.tokens = 4;
        answer.seconds = 0.01;
        events.write(RowEvent{"site_answer", encodeAnswer(answer)});
    }
    events.write(CancelledEvent{});
}

void workAnalyze(fake::EventWriter& events, const AnalyzeSpec& spec) {
    const AnalysisResult analysis = fake::makeAnalysis(spec);
    double done = 0;
    for (const SiteAnalysis& site : analysis.sites) {
        if (site.key.site == Site::Qkv)
            events.write(StageEvent{"layer " + std::to_string(site.key.layer), site.key.layer, 1.0});
        events.write(RowEvent{"analysis_site", encodeSiteRow(site)});
        events.write(ProgressEvent{++done, static_cast<double>(analysis.sites.size()), "sites", 0.5});
    }
    const Status written = fake::writeAnalysis(analysis);
    artifact(events, spec.outDir, "analysis.json");
    finishOrFail(events, written, R"({"schema":1,"job":"analyze","file":"analysis.json"})");
}

void workRun(fake::EventWriter& events, const RunSpec& spec) {
    const RunResult run = fake::makeRun(spec);
    int layer = -1;
    for (const RunSiteResult& row : run.perLayer) {
        if (row.key.layer != layer) {
            if (layer >= 0) events.write(CheckpointEvent{layer});
            layer = row.key.layer;
            events.write(StageEvent{"layer " + std::to_string(layer), layer, 1.0});
        }
        events.write(RowEvent{"run_site", encodeRunRow(row)});
        events.write(ProgressEvent{static_cast<double>(layer + 1), fake::kLayers, "layers", 0.5});
    }
    events.write(CheckpointEvent{layer});
    events.write(MemoryEvent{64u << 20, 0});
    const Status written = fake::writeRun(run);
    artifact(events, spec.outDir, "run.json");
    finishOrFail(events, written, encodeRun(run));
}

void workSensitivity(fake::EventWriter& events, const SensitivitySpec& spec) {
    const SensitivityResult result = fake::makeSensitivity(spec);
    const auto total = static_cast<double>(result.rows.size());
    events.write(StageEvent{"layer 0", 0, 1.0});
    for (double done = 1; done <= total; ++done)
        events.write(ProgressEvent{done, total, "layer passes", 0.5});
    const Status written = fake::writeSensitivity(spec, result);
    artifact(events, spec.analysisDir, kSensitivityFileName);
    finishOrFail(events, written, R"({"schema":1,"job":"sensitivity","file":"sensitivity.json"})");
}

void workReport(fake::EventWriter& events, const ReportSpec& spec) {
    const Status written = writeFileAtomically(spec.outFile, "<!doctype html><title>fake report</title>\n");
    finishOrFail(events, written, R"({"schema":1,"job":"report"})");
}

void work(fake::EventWriter& events, fake::CommandReader& commands, const JobSpec& spec) {
    if (auto* analyze = std::get_if<AnalyzeSpec>(&spec))
        workAnalyze(events, *analyze);
    else if (auto* run = std::get_if<RunSpec>(&spec))
        workRun(events, *run);
    else if (auto* eval = std::get_if<EvalSpec>(&spec))
        events.write(FinishedEvent{encodeEval(fake::makeEval(*eval))});
    else if (auto* report = std::get_if<ReportSpec>(&spec))
        workReport(events, *report);
    else if (auto* sensitivity = std::get_if<SensitivitySpec>(&spec))
        workSensitivity(events, *sensitivity);
    else
        answerRequests(events, commands);
}

void progressUntilCancelled(fake::EventWriter& events, fake::CommandReader& commands) {
    constexpr int kSteps = 1000;
    constexpr int kStepsOfLayer = 10;
    events.write(StageEvent{"layer 0", 0, 50});
    for (int step = 1; !commands.cancelledWithin(50) && step <= kSteps; ++step) {
        events.write(ProgressEvent{static_cast<double>(step), kSteps, "layers", (kSteps - step) * 0.05});
        if (step % kStepsOfLayer == 0) events.write(CheckpointEvent{step / kStepsOfLayer - 1});
    }
    events.write(CancelledEvent{});
}

[[noreturn]] void die(int signal) {
    const rlimit noCore{0, 0};
    setrlimit(RLIMIT_CORE, &noCore);
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    std::_Exit(3);
}

void dieAmid(fake::EventWriter& events, const JobSpec& spec) {
    constexpr std::size_t kRowsBefore = 3;
    if (auto* analyze = std::get_if<AnalyzeSpec>(&spec)) {
        const AnalysisResult analysis = fake::makeAnalysis(*analyze);
        for (std::size_t i = 0; i < kRowsBefore; ++i)
            events.write(RowEvent{"analysis_site", encodeSiteRow(analysis.sites[i])});
    }
    die(SIGKILL);
}

void failWithSetting(fake::EventWriter& events) {
    Error error;
    error.code = errorCodeFromName(setting("FAKE_WORKER_ERROR", "device_oom"));
    error.message = "cuda:0: out of memory: 2.0 GiB needed, 1.0 GiB free";
    error.context = "layer 1, site down";
    std::cerr << "fake_worker: about to fail\n";
    events.write(FailedEvent{std::move(error)});
}

/// What follows `accepted`.
void behave(const std::string& mode, fake::EventWriter& events, fake::CommandReader& commands,
            const JobSpec& spec) {
    if (mode == "ok")
        work(events, commands, spec);
    else if (mode == "slow")
        progressUntilCancelled(events, commands);
    else if (mode == "request")
        answerRequests(events, commands);
    else if (mode == "failed")
        failWithSetting(events);
    else if (mode == "abort")
        die(SIGABRT);
    else if (mode == "segv")
        die(SIGSEGV);
    else if (mode == "kill")
        die(SIGKILL);
    else if (mode == "kill_amid")
        dieAmid(events, spec);
    else if (mode == "half_line")
        events.writeRaw(R"({"event":"pro)");
    else if (mode == "garbage" || mode == "over_long_line") {
        events.writeRaw(mode == "garbage" ? "this is no event\n" : std::string(kMaxLineBytes + 1, 'x'));
        commands.waitForEnd(kLongestLifeSeconds);
    } else if (mode == "hang" || mode == "hang_hard") {
        if (mode == "hang_hard") std::signal(SIGTERM, SIG_IGN);
        commands.waitForEnd(kLongestLifeSeconds);
    } else if (mode != "exit_without_terminal")
        std::cerr << "fake_worker: unknown FAKE_WORKER_MODE " << mode << '\n';
}

} // namespace

int main() {
    const std::string mode = setting("FAKE_WORKER_MODE", "ok");
    std::signal(SIGPIPE, SIG_IGN); // the window may be gone, and the job goes on
    // Leaked on purpose: its detached thread may still be blocked in a read when main returns.
    auto& commands = *new fake::CommandReader;
    fake::EventWriter events;
    if (mode == "silent") {
        commands.waitForEnd(kLongestLifeSeconds);
        return 2;
    }
    greet(events);
    const std::optional<JobSpec> spec = commands.waitForStart();
    if (!spec) {
        events.write(CancelledEvent{});
        std::_Exit(0);
    }
    const std::string folder = outDirOf(*spec);
    events.openLog(folder);
    commands.watch(folder);
    events.write(AcceptedEvent{std::string(jobName(*spec)), "cpu", folder, fake::kLayers});
    if (auto* run = std::get_if<RunSpec>(&*spec))
        if (const Status begun = fake::beginRun(*run); !begun) std::cerr << begun.error().text() << '\n';
    behave(mode, events, commands, *spec);
    // No static destructors: the reading thread may be inside std::cin.
    std::fflush(stdout);
    std::_Exit(0);
}
