#include "engine/cli/worker.h"

#include <csignal>
#include <cstdlib>
#include <mutex>

#include <fcntl.h>
#include <unistd.h>

#include "engine/cli/cancel_signals.h"
#include "engine/cli/command_reader.h"
#include "engine/cli/event_log.h"
#include "engine/cli/job_runner.h"
#include "engine/cli/log.h"
#include "engine/cli/preflight.h"

namespace bdq::cli {
namespace {

/// A job that does not stop by then is left to its checkpoints: nobody waits for it any more.
constexpr std::chrono::seconds kPatienceWithoutParent{10};
constexpr int kCouldNotSpeak = 2;

/// Events on the pipe. Thread-safe; says nothing after the terminal event.
class EventPipe {
public:
    explicit EventPipe(int fd) : m_fd(fd) {}

    void write(const JobEvent& event) {
        const std::lock_guard lock(m_mutex);
        if (m_terminal || m_broken) return;
        m_terminal = isTerminal(event);
        if (Status written = writeAll(m_fd, encodeEvent(event, m_seq++) + '\n', "event pipe"); !written) {
            m_broken = true;
            logError(written.error().text());
        }
    }
    bool broken() {
        const std::lock_guard lock(m_mutex);
        return m_broken;
    }
    bool terminalDelivered() {
        const std::lock_guard lock(m_mutex);
        return m_terminal && !m_broken;
    }

private:
    int m_fd;
    std::mutex m_mutex;
    std::uint64_t m_seq = 0;
    bool m_terminal = false;
    bool m_broken = false;
};

/// Takes requests from the reading thread. Those that nobody can or need answer get their refusal here.
class RequestDesk {
public:
    explicit RequestDesk(EventPipe& pipe) : m_pipe(pipe) {}

    RequestQueue& queue() { return m_queue; }

    void take(const SiteRequest& request) {
        for (const std::int64_t id : m_queue.push(request))
            m_pipe.write(RequestFailedEvent{
                id, Error{ErrorCode::Cancelled, "replaced by request " + std::to_string(request.id), {}}});
    }

private:
    EventPipe& m_pipe;
    RequestQueue m_queue;
};

/// Out of the session and the log pipe of the program that started us. A log that cannot be opened must not
/// end the job.
void leaveParent(const std::string& outDir) {
    ::setsid();
    if (outDir.empty()) return;
    const std::string path = outDir + "/worker.log";
    const int log = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log < 0) return;
    ::dup2(log, STDERR_FILENO);
    ::close(log);
    logInfo("goes on in the background");
}

std::optional<Error> whyStop(EventPipe& pipe, CommandReader& commands) {
    if (commands.sinceEnd() > kPatienceWithoutParent) {
        logError("the job did not stop in time after its parent had gone");
        std::_Exit(kCouldNotSpeak);
    }
    if (std::optional<Error> reason = commands.stopReason()) return reason;
    if (cancelSignalled()) return Error{ErrorCode::Cancelled, "cancelled by a signal", {}};
    if (pipe.broken() && !commands.detached())
        return Error{ErrorCode::Cancelled, "nobody listens any more", {}};
    return std::nullopt;
}

} // namespace

int runWorker(int commandFd, int eventFd, const HelloEvent& hello) {
    std::signal(SIGPIPE, SIG_IGN);
    logWithTime();
    EventPipe pipe(eventFd);
    pipe.write(hello);
    RequestDesk desk(pipe);
    CommandReader commands(commandFd, [&desk](const SiteRequest& request) { desk.take(request); });

    const Result<JobSpec> spec =
        commands.waitForStart([&pipe] { return cancelSignalled() || pipe.broken(); });
    if (spec) {
        logInfo("starting: " + commandLine(*spec));
        bool left = false;
        const auto stopReason = [&] {
            if (!left && commands.detached()) {
                left = true;
                leaveParent(outDirOf(*spec));
            }
            return whyStop(pipe, commands);
        };
        const Result<JobResult> result = runJob(
            *spec, {hello, [&pipe](const JobEvent& event) { pipe.write(event); }, stopReason, &desk.queue()});
        logInfo(result ? "finished" : result.error().text());
    } else if (spec.error().code == ErrorCode::Cancelled) {
        pipe.write(CancelledEvent{});
    } else {
        logError(spec.error().text());
        pipe.write(FailedEvent{spec.error()});
    }
    return pipe.terminalDelivered() || commands.detached() ? 0 : kCouldNotSpeak;
}

} // namespace bdq::cli
