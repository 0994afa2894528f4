#include "engine/cli/job_runner.h"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <stop_token>
#include <thread>

#include "engine/cli/event_log.h"
#include "engine/cli/exception_guard.h"
#include "engine/cli/preflight.h"
#include "engine/pipeline/sensitivity.h"
#include "engine/report/report.h"

namespace bdq::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPollInterval{100};
constexpr std::chrono::seconds kMemoryInterval{1};

/// Peak resident memory of this process in bytes, 0 when unknown.
std::uint64_t peakHostBytesOfProcess() {
    std::ifstream status("/proc/self/status");
    std::string line;
    while (std::getline(status, line))
        if (line.rfind("VmHWM:", 0) == 0) return std::strtoull(line.c_str() + 6, nullptr, 10) * 1024;
    return 0;
}

/// Events of one job on their way to the sink and to the event log, which begins when the engine has accepted
/// the job and with it the folder: a refused job must leave no trace in the log of an earlier run.
class EventStream {
public:
    EventStream(const JobSpec& spec, const JobSurroundings& surroundings)
        : m_surroundings(surroundings), m_outDir(outDirOf(spec)) {
        auto* run = std::get_if<RunSpec>(&spec);
        m_append = run != nullptr && run->resume;
    }

    void emit(const JobEvent& event) {
        const std::lock_guard lock(m_mutex);
        if (std::holds_alternative<AcceptedEvent>(event) && !m_outDir.empty()) {
            m_accepted = true;
            removeCancelFile();
            startLog();
        }
        writeToLog(event);
        m_surroundings.sink(event);
    }

    /// Whether a file in the folder asks this job to stop. Before the engine has accepted the job, and with
    /// it the folder, the file is another job's.
    [[nodiscard]] bool cancelledByFile() {
        const std::lock_guard lock(m_mutex);
        std::error_code error;
        return m_accepted && std::filesystem::exists(cancelFile(), error);
    }
    [[nodiscard]] std::filesystem::path cancelFile() const {
        return std::filesystem::path(m_outDir) / kCancelFileName;
    }
    void removeCancelFile() {
        std::error_code error;
        if (m_accepted) std::filesystem::remove(cancelFile(), error);
    }

private:
    void startLog() {
        std::error_code ignored; // opening says it
        std::filesystem::create_directory(m_outDir, ignored);
        Result<EventLog> log = EventLog::open(m_outDir, m_append);
        if (!log) {
            m_surroundings.sink(WarningEvent{log.error().text()});
            return;
        }
        m_log = std::move(*log);
        writeToLog(m_surroundings.hello);
    }

    /// A log that cannot be written must not end the job: its results may still fit.
    void writeToLog(const JobEvent& event) {
        if (Status written = m_log.write(event); !written)
            m_surroundings.sink(WarningEvent{written.error().text()});
    }

    const JobSurroundings& m_surroundings;
    std::string m_outDir;
    bool m_append = false;
    bool m_accepted = false; ///< the folder is this job's
    std::mutex m_mutex;
    EventLog m_log;
};

Result<JobResult> perform(const AnalyzeSpec& spec, JobContext& context, RequestQueue*) {
    BDQ_TRY(AnalysisResult result, analyze(spec, context));
    return JobResult(std::move(result));
}

Result<JobResult> perform(const RunSpec& spec, JobContext& context, RequestQueue*) {
    BDQ_TRY(RunResult result, run(spec, context));
    return JobResult(std::move(result));
}

Result<JobResult> perform(const EvalSpec& spec, JobContext& context, RequestQueue*) {
    BDQ_TRY(EvalResult result, evaluate(spec, context));
    return JobResult(std::move(result));
}

Result<JobResult> perform(const SensitivitySpec& spec, JobContext& context, RequestQueue*) {
    BDQ_TRY(SensitivityResult result, measureSensitivity(spec, context));
    return JobResult(std::move(result));
}

Result<JobResult> perform(const ReportSpec& spec, JobContext& context, RequestQueue*) {
    context.emit(AcceptedEvent{"report", "cpu", {}, 0});
    BDQ_CHECK(report::writeReport(spec));
    std::error_code error;
    const std::uintmax_t bytes = std::filesystem::file_size(spec.outFile, error);
    context.emit(ArtifactEvent{spec.outFile, error ? 0 : bytes});
    return JobResult();
}

/// Resident mode: ends only by a cancel.
Result<JobResult> perform(const InspectSpec& spec, JobContext& context, RequestQueue* requests) {
    BDQ_TRY(SiteInspector inspector, SiteInspector::open(spec, context));
    context.stage("ready");
    while (true) {
        BDQ_CHECK(context.checkCancelled());
        const std::optional<SiteRequest> request = requests->pop(kPollInterval);
        if (!request) continue;
        Result<SiteAnswer> answer = inspector.measure(*request);
        if (answer)
            context.emit(RowEvent{"site_answer", encodeAnswer(*answer)});
        else
            context.emit(RequestFailedEvent{request->id, std::move(answer).error()});
    }
}

std::string summaryOf(const JobResult& result, const JobSpec& spec) {
    if (auto* run = std::get_if<RunResult>(&result)) return encodeRun(*run);
    if (auto* eval = std::get_if<EvalResult>(&result)) return encodeEval(*eval);
    // The others may be longer than a line may be (kMaxLineBytes): listeners read the file.
    std::string file;
    if (std::holds_alternative<AnalysisResult>(result)) file = R"(,"file":"analysis.json")";
    if (std::holds_alternative<SensitivityResult>(result)) file = R"(,"file":"sensitivity.json")";
    return R"({"schema":1,"job":")" + std::string(jobName(spec)) + "\"" + file + "}";
}

/// Polls for reasons to stop while the job's thread works.
class Watch {
public:
    Watch(const JobSurroundings& surroundings, EventStream& events)
        : m_surroundings(surroundings), m_events(events) {}

    /// Returns when `done`; the first reason to stop requests it.
    void run(std::mutex& mutex, std::condition_variable& changed, const bool& done, std::stop_source& stop) {
        std::unique_lock lock(mutex);
        while (!changed.wait_for(lock, kPollInterval, [&done] { return done; })) {
            lock.unlock();
            poll(stop);
            lock.lock();
        }
        m_events.removeCancelFile();
    }

    [[nodiscard]] const std::optional<Error>& reason() const { return m_reason; }

private:
    void poll(std::stop_source& stop) {
        std::optional<Error> found = m_surroundings.stopReason();
        if (!found && m_events.cancelledByFile())
            found =
                Error{ErrorCode::Cancelled, "cancelled by the file " + m_events.cancelFile().string(), {}};
        if (found && !m_reason) {
            m_reason = std::move(found);
            stop.request_stop();
        }
        if (Clock::now() - m_memoryAt >= kMemoryInterval) {
            m_memoryAt = Clock::now();
            m_events.emit(MemoryEvent{peakHostBytesOfProcess(), 0});
        }
    }

    const JobSurroundings& m_surroundings;
    EventStream& m_events;
    std::optional<Error> m_reason;
    Clock::time_point m_memoryAt = Clock::now();
};

Result<JobResult> performOnThread(const JobSpec& spec, const JobSurroundings& surroundings,
                                  EventStream& events) {
    std::stop_source stop;
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    Result<JobResult> result;
    Watch watch(surroundings, events);
    std::jthread worker([&] {
        JobContext context(stop.get_token(), [&events](const JobEvent& event) { events.emit(event); });
        Result<JobResult> found = guarded([&] {
            return std::visit([&](const auto& job) { return perform(job, context, surroundings.requests); },
                              spec);
        });
        const std::lock_guard lock(mutex);
        result = std::move(found);
        done = true;
        changed.notify_all();
    });
    watch.run(mutex, changed, done, stop);
    worker.join();
    // Why it stopped is more than that it stopped.
    if (!result && result.error().code == ErrorCode::Cancelled && watch.reason())
        return tl::unexpected<Error>(*watch.reason());
    return result;
}

} // namespace

Result<JobResult> runJob(const JobSpec& spec, const JobSurroundings& surroundings) {
    EventStream events(spec, surroundings);
    const Status checked = guarded([&] { return preflight(spec); });
    Result<JobResult> result = checked ? performOnThread(spec, surroundings, events)
                                       : Result<JobResult>(tl::unexpected<Error>(checked.error()));
    if (result)
        events.emit(FinishedEvent{summaryOf(*result, spec)});
    else if (result.error().code == ErrorCode::Cancelled)
        events.emit(CancelledEvent{});
    else
        events.emit(FailedEvent{result.error()});
    return result;
}

} // namespace bdq::cli
