// The two ends of the fake worker's pipe: commands that a thread reads from stdin, events written to stdout.
#pragma once

#include <condition_variable>
#include <deque>
#include <fstream>
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
    /// True after a cancel, a cancel file in the folder of the job, or the end of stdin unless it was
    /// detached; waits up to `milliseconds` for it.
    bool cancelledWithin(int milliseconds);
    /// Where the cancel file would be.
    void watch(const std::string& folder) {
        m_cancelFile = folder.empty() ? "" : folder + "/" + kCancelFileName;
    }
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
    bool m_detached = false;
    std::string m_cancelFile;
};

/// Writes events with their sequence numbers. Every line is flushed.
class EventWriter {
public:
    /// From now on also into events.jsonl of this folder, as a real worker does; empty = nowhere.
    void openLog(const std::string& folder);
    void write(const JobEvent& event);
    /// Bytes that are no event.
    void writeRaw(const std::string& bytes);

private:
    std::uint64_t m_seq = 0;
    std::ofstream m_log;
};

} // namespace bdq::fake
