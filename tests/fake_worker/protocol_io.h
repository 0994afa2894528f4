// The two ends of the fake worker's pipe: commands that a thread reads from stdin, events written to stdout.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "engine/api/job_event.h"

namespace bdq::fake {

/// Reads commands from stdin until it ends. The reading thread is detached: it dies with the process.
class CommandReader {
public:
    CommandReader();
    /// The start command, or nothing when stdin ended or a cancel came first.
    std::optional<JobSpec> waitForStart();
    /// The next request, or nothing after a cancel or the end of stdin.
    std::optional<SiteRequest> waitForRequest();
    /// True after a cancel or the end of stdin; waits up to `milliseconds` for it.
    bool cancelledWithin(int milliseconds);
    /// Returns when stdin has ended, or after `seconds`: nobody is left to talk to.
    void waitForEnd(int seconds);

private:
    void read();
    void take(const std::string& line);

    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::optional<JobSpec> m_spec;
    std::deque<SiteRequest> m_requests;
    bool m_cancelled = false;
    bool m_ended = false;
};

/// Writes events with their sequence numbers. Every line is flushed.
class EventWriter {
public:
    void write(const JobEvent& event);
    /// Bytes that are no event.
    void writeRaw(const std::string& bytes);

private:
    std::uint64_t m_seq = 0;
};

} // namespace bdq::fake
