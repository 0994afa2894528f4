#include "engine/cli/event_log.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace bdq::cli {
namespace {

tl::unexpected<Error> failWithErrno(const std::string& label, const std::string& what) {
    return fail(errno == ENOSPC || errno == EDQUOT ? ErrorCode::DiskFull : ErrorCode::Io,
                label + ": " + what + ": " + std::strerror(errno));
}

bool endsWithLineBreak(int fd) {
    const off_t size = ::lseek(fd, 0, SEEK_END);
    char last = '\n';
    return size <= 0 || (::pread(fd, &last, 1, size - 1) == 1 && last == '\n');
}

} // namespace

EventLog::EventLog(EventLog&& other) noexcept
    : m_fd(std::exchange(other.m_fd, -1)), m_seq(other.m_seq), m_path(std::move(other.m_path)) {}

EventLog& EventLog::operator=(EventLog&& other) noexcept {
    std::swap(m_fd, other.m_fd);
    std::swap(m_seq, other.m_seq);
    std::swap(m_path, other.m_path);
    return *this;
}

EventLog::~EventLog() {
    if (m_fd >= 0) ::close(m_fd);
}

Result<EventLog> EventLog::open(const std::filesystem::path& outDir, bool append) {
    EventLog log;
    log.m_path = outDir / kEventLogName;
    log.m_fd =
        ::open(log.m_path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | (append ? 0 : O_TRUNC), 0644);
    if (log.m_fd < 0) return failWithErrno(log.m_path.string(), "cannot be opened for writing");
    if (!endsWithLineBreak(log.m_fd)) BDQ_CHECK(writeAll(log.m_fd, "\n", log.m_path.string()));
    return log;
}

Status EventLog::write(const JobEvent& event) {
    if (m_fd < 0) return {};
    Status written = writeAll(m_fd, encodeEvent(event, m_seq++) + '\n', m_path.string());
    if (!written) ::close(std::exchange(m_fd, -1));
    return written;
}

Status writeAll(int fd, std::string_view bytes, const std::string& label) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return failWithErrno(label, "cannot be written");
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

} // namespace bdq::cli
