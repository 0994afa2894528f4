// Commands from the other end of the pipe, read by a thread of their own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "engine/api/job_event.h"

namespace bdq::cli {

/// Thread-safe. The destructor stops reading.
class CommandReader {
public:
    using RequestSink = std::function<void(const SiteRequest&)>;
    /// `onRequest` is called on the reading thread.
    CommandReader(int fd, RequestSink onRequest);

    /// The job to do; Cancelled when the pipe ended or a cancel came first; Protocol for anything unreadable.
    /// Asks `stopped` ten times a second.
    Result<JobSpec> waitForStart(const std::function<bool()>& stopped);
    /// Why a running job must stop: cancel, end of the pipe unless detached(), an unreadable or second start
    /// command.
    std::optional<Error> stopReason();
    /// The job goes on without the other end. Never true in resident mode, which has nobody else to serve.
    bool detached();
    /// Time since the other end was closed; zero while it is open and when detached.
    std::chrono::steady_clock::duration sinceEnd();

private:
    void read(const std::stop_token& stop);
    /// Returns false when reading must end.
    bool takeBytes(std::string_view bytes);
    void takeLine(const std::string& line);
    void stopWith(ErrorCode code, const std::string& message);

    int m_fd;
    RequestSink m_onRequest;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::optional<JobSpec> m_spec;
    std::optional<Error> m_stopReason;
    bool m_detached = false;
    std::optional<std::chrono::steady_clock::time_point> m_endedAt;
    std::string m_line;
    std::jthread m_thread;
};

} // namespace bdq::cli
