#include "engine/cli/worker.h"

#include <csignal>
#include <cstdlib>
#include <mutex>

#include "engine/cli/cancel_signals.h"
#include "engine/cli/command_reader.h"
#include "engine/cli/event_log.h"
#include "engine/cli/job_runner.h"
#include "engine/cli/log.h"

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

std::optional<Error> whyStop(EventPipe& pipe, CommandReader& commands) {
    if (commands.sinceEnd() > kPatienceWithoutParent) {
        logError("the job did not stop in time after its parent had gone");
        std::_Exit(kCouldNotSpeak);
    }
    if (std::optional<Error> reason = commands.stopReason()) return reason;
    if (cancelSignalled()) return Error{ErrorCode::Cancelled, "cancelled by a signal", {}};
    if (pipe.broken()) return Error{ErrorCode::Cancelled, "nobody listens any more", {}};
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
        const Result<JobResult> result =
            runJob(*spec, {hello, [&pipe](const JobEvent& event) { pipe.write(event); },
                           [&pipe, &commands] { return whyStop(pipe, commands); }, &desk.queue()});
        logInfo(result ? "finished" : result.error().text());
    } else if (spec.error().code == ErrorCode::Cancelled) {
        pipe.write(CancelledEvent{});
    } else {
        logError(spec.error().text());
        pipe.write(FailedEvent{spec.error()});
    }
    return pipe.terminalDelivered() ? 0 : kCouldNotSpeak;
}

} // namespace bdq::cli
