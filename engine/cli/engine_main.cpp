// bdq-engine: the commands of bdq that compute. Users call bdq, which becomes this program when it must.
#include <chrono>
#include <stop_token>
#include <thread>

#include <malloc.h>
#include <unistd.h>

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

/// Tensors come and go by the megabyte. By default each is mapped and unmapped, and the page faults of
/// touching it anew took 8 % of a forward pass (README, Measured): keep freed memory for the next one.
void keepFreedMemory() {
    constexpr int kLargestKeptBytes = 1 << 30;
    ::mallopt(M_ARENA_MAX,
              1); // an arena of its own per thread comes in pieces of 64 MB: 5.3 GB instead of 1.3
    ::mallopt(M_MMAP_THRESHOLD, kLargestKeptBytes);
    ::mallopt(M_TRIM_THRESHOLD, kLargestKeptBytes);
}

class LinkedEngine : public EngineServices {
public:
    explicit LinkedEngine(int resultFd) : m_resultFd(resultFd) {}

    std::string torch() override { return torchVersion(); }
    std::vector<DeviceInfo> devices() override { return listDevices(); }

    Result<JobResult> runJob(const JobSpec& spec, const EventSink& sink) override {
        return cli::runJob(spec, {hello(), sink, stopReason, nullptr});
    }

    Result<std::string> bench(const BenchSpec& spec, const EventSink& sink) override {
        std::stop_source stop;
        const std::jthread watch([&stop](const std::stop_token& finished) {
            while (!finished.stop_requested() && !stop.stop_requested()) {
                std::this_thread::sleep_for(std::chrono::milliseconds(100));
                if (cancelSignalled()) stop.request_stop();
            }
        });
        JobContext context(stop.get_token(), sink);
        return bdq::bench(spec, context);
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
    bdq::cli::keepFreedMemory();
    const int results = bdq::cli::claimStdout();
    bdq::cli::catchCancelSignals();
    bdq::cli::LinkedEngine engine(results);
    return bdq::cli::runProgram(argc, argv, results, &engine, {});
}
