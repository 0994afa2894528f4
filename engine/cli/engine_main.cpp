// bdq-engine: the commands of bdq that compute. Users call bdq, which becomes this program when it must.
#include <chrono>
#include <stop_token>
#include <thread>

#include <unistd.h>

#include "engine/api/fault_signals.h"
#include "engine/api/version.h"
#include "engine/cli/cancel_signals.h"
#include "engine/cli/job_runner.h"
#include "engine/cli/program.h"
#include "engine/cli/worker.h"

namespace bdq::cli {
namespace {

/// Keeps stdout for results: libraries that print get stderr instead (design/style.md 6).
int claimStdout() {
    const int results = ::dup(STDOUT_FILENO);
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    return results;
}

/// Requests a stop when SIGINT or SIGTERM has arrived.
class CancelWatch {
public:
    CancelWatch() = default;
    CancelWatch(const CancelWatch&) = delete;
    CancelWatch& operator=(const CancelWatch&) = delete;
    ~CancelWatch() = default;
    [[nodiscard]] std::stop_token token() const { return m_stop.get_token(); }

private:
    void watch(const std::stop_token& finished) {
        while (!finished.stop_requested() && !m_stop.stop_requested()) {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            if (cancelSignalled()) m_stop.request_stop();
        }
    }

    std::stop_source m_stop;
    std::jthread m_thread{[this](const std::stop_token& finished) { watch(finished); }};
};

class LinkedEngine : public EngineServices {
public:
    explicit LinkedEngine(int resultFd) : m_resultFd(resultFd) {}

    std::string torch() override { return torchVersion(); }
    std::vector<DeviceInfo> devices() override { return listDevices(); }

    Result<JobResult> runJob(const JobSpec& spec, const EventSink& sink) override {
        return cli::runJob(spec, {hello(), sink, stopReason, nullptr});
    }

    Result<std::string> bench(const BenchSpec& spec, const EventSink& sink) override {
        const CancelWatch watch;
        JobContext context(watch.token(), sink);
        return bdq::bench(spec, context);
    }

    Result<QualityReport> benchQuality(const QualitySpec& spec, const EventSink& sink) override {
        const CancelWatch watch;
        return qualityBench(spec, watch.token(), sink);
    }

    int work() override { return runWorker(STDIN_FILENO, m_resultFd, hello()); }

private:
    static std::optional<Error> stopReason() {
        if (cancelSignalled()) return Error{ErrorCode::Cancelled, "cancelled", {}};
        return std::nullopt;
    }

    static HelloEvent hello() {
        HelloEvent event;
        event.build = version();
        event.torch = torchVersion();
        event.devices = listDevices();
        return event;
    }

    int m_resultFd;
};

} // namespace
} // namespace bdq::cli

int main(int argc, char* argv[]) {
    bdq::handleFaultSignals("bdq");
    const int results = bdq::cli::claimStdout();
    bdq::cli::catchCancelSignals();
    bdq::cli::LinkedEngine engine(results);
    return bdq::cli::runProgram(argc, argv, results, &engine, {});
}
