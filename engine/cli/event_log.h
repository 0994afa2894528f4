// events.jsonl of a run folder: what a worker said, line by line, also for those who were not listening.
#pragma once

#include <cstdint>
#include <filesystem>

#include "engine/api/job_event.h"

namespace bdq::cli {

class EventLog {
public:
    EventLog() = default;
    EventLog(EventLog&& other) noexcept;
    EventLog& operator=(EventLog&& other) noexcept;
    EventLog(const EventLog&) = delete;
    EventLog& operator=(const EventLog&) = delete;
    ~EventLog();

    /// Opens outDir/events.jsonl. `append` keeps what an earlier worker wrote; a line that it left unfinished
    /// is ended. Errors: Io, DiskFull.
    static Result<EventLog> open(const std::filesystem::path& outDir, bool append);

    /// Writes one whole line. Nothing happens without an open file. Errors: Io, DiskFull, once: then the log
    /// is closed.
    Status write(const JobEvent& event);

private:
    int m_fd = -1;
    std::uint64_t m_seq = 0;
    std::filesystem::path m_path;
};

/// Writes all bytes to a file descriptor. Errors: Io, DiskFull naming `label`.
Status writeAll(int fd, std::string_view bytes, const std::string& label);

} // namespace bdq::cli
