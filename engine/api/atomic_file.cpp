#include "engine/api/atomic_file.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bdq {
namespace {

std::string reason(int error) {
    return std::generic_category().message(error);
}

tl::unexpected<Error> systemError(const std::string& doing, const std::filesystem::path& path, int error) {
    const bool full = error == ENOSPC || error == EDQUOT;
    return fail(full ? ErrorCode::DiskFull : ErrorCode::Io,
                path.string() + ": cannot " + doing + ": " + reason(error) +
                    (error == EFBIG ? " (a limit on the size of files, such as ulimit -f)" : ""));
}

std::filesystem::path folderOf(const std::filesystem::path& target) {
    const std::filesystem::path folder = target.parent_path();
    return folder.empty() ? std::filesystem::path(".") : folder;
}

/// Unique within this process; the process id makes it unique on the machine.
std::filesystem::path temporaryName(const std::filesystem::path& target) {
    static std::atomic<unsigned> counter{0};
    std::filesystem::path name = target;
    name += ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
    return name;
}

/// A rename is on the disk only once its folder is.
Status syncFolder(const std::filesystem::path& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return systemError("open the folder to flush it", folder, errno);
    const int error = ::fsync(fd) == 0 ? 0 : errno;
    ::close(fd);
    // Some network file systems do not support flushing folders; the data is safe, only the rename may be
    // delayed.
    if (error != 0 && error != EINVAL && error != ENOTSUP)
        return systemError("flush the folder", folder, error);
    return {};
}

} // namespace

AtomicFile::AtomicFile(int fd, std::filesystem::path target, std::filesystem::path temporary)
    : m_fd(fd), m_target(std::move(target)), m_temporary(std::move(temporary)) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : m_fd(std::exchange(other.m_fd, -1)), m_target(std::move(other.m_target)),
      m_temporary(std::move(other.m_temporary)) {}

AtomicFile& AtomicFile::operator=(AtomicFile&& other) noexcept {
    if (this != &other) {
        discard();
        m_fd = std::exchange(other.m_fd, -1);
        m_target = std::move(other.m_target);
        m_temporary = std::move(other.m_temporary);
    }
    return *this;
}

AtomicFile::~AtomicFile() {
    discard();
}

void AtomicFile::discard() {
    if (m_fd < 0) return;
    ::close(m_fd);
    ::unlink(m_temporary.c_str());
    m_fd = -1;
}

Result<AtomicFile> AtomicFile::create(const std::filesystem::path& target) {
    std::error_code ignored;
    if (std::filesystem::is_directory(target, ignored))
        return fail(ErrorCode::Io, target.string() + ": cannot write: found a folder, expected a file name");
    constexpr mode_t kMode = 0666; // as umask allows
    // A left-over of a crashed process with our id is skipped, not reused: another process may own it.
    for (int attempt = 0; attempt < 16; ++attempt) {
        std::filesystem::path temporary = temporaryName(target);
        const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
        if (fd >= 0) return AtomicFile(fd, target, std::move(temporary));
        if (errno != EEXIST && errno != EINTR) return systemError("create", target, errno);
    }
    return systemError("create a temporary file beside it", target, EEXIST);
}

Status AtomicFile::write(std::span<const std::byte> bytes) {
    if (m_fd < 0) return fail(ErrorCode::Internal, m_target.string() + ": written to after commit");
    while (!bytes.empty()) {
        const ssize_t written = ::write(m_fd, bytes.data(), bytes.size());
        if (written < 0) {
            if (errno == EINTR) continue;
            return systemError("write", m_target, errno);
        }
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

Status AtomicFile::commit() {
    if (m_fd < 0) return fail(ErrorCode::Internal, m_target.string() + ": committed twice");
    if (::fsync(m_fd) != 0) {
        const int error = errno;
        discard();
        return systemError("flush", m_target, error);
    }
    const int closed = ::close(std::exchange(m_fd, -1));
    // EINTR from close leaves the descriptor closed on Linux, and fsync has succeeded.
    if (closed != 0 && errno != EINTR) {
        const int error = errno;
        ::unlink(m_temporary.c_str());
        return systemError("close", m_target, error);
    }
    if (::rename(m_temporary.c_str(), m_target.c_str()) != 0) {
        const int error = errno;
        ::unlink(m_temporary.c_str());
        return systemError("rename into place", m_target, error);
    }
    return syncFolder(folderOf(m_target));
}

Status writeFileAtomically(const std::filesystem::path& target, std::string_view text) {
    BDQ_TRY(AtomicFile file, AtomicFile::create(target));
    BDQ_CHECK(file.write(text));
    return file.commit();
}

namespace {

/// What an open file is when it is no regular one; empty when it is.
std::string kindOf(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0 || S_ISREG(status.st_mode)) return {};
    if (S_ISDIR(status.st_mode)) return "a folder";
    if (S_ISFIFO(status.st_mode)) return "a pipe";
    if (S_ISSOCK(status.st_mode)) return "a socket";
    return "a device";
}

} // namespace

Result<std::string> readTextFile(const std::filesystem::path& path, std::size_t maxBytes) {
    // A pipe without a writer would be waited for without end.
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail(errno == ENOENT || errno == ENOTDIR ? ErrorCode::NotFound : ErrorCode::Io,
                    path.string() + ": cannot open: " + reason(errno));
    if (const std::string kind = kindOf(fd); !kind.empty()) {
        ::close(fd);
        return fail(ErrorCode::Io, path.string() + ": found " + kind + ", expected a file");
    }
    std::string text;
    constexpr std::size_t kChunk = std::size_t{1} << 18;
    Status status;
    // Reading until the end rather than trusting the size works for files that grow, and for those of /proc.
    for (bool more = true; more && status;) {
        const std::size_t before = text.size();
        text.resize(before + kChunk);
        const ssize_t got = ::read(fd, text.data() + before, kChunk);
        const int error = errno;
        text.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
        more = got > 0 || (got < 0 && error == EINTR);
        if (got < 0 && error != EINTR)
            status = fail(ErrorCode::Io, path.string() + ": cannot read: " + reason(error));
        else if (text.size() > maxBytes)
            status = fail(ErrorCode::BadFormat, path.string() + ": found more than the " +
                                                    std::to_string(maxBytes) + " bytes expected at most");
    }
    ::close(fd);
    if (!status) return tl::unexpected<Error>(status.error());
    return text;
}

} // namespace bdq
