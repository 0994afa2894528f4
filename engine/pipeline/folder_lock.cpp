#include "engine/pipeline/folder_lock.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bdq {
namespace {

constexpr const char* kLockFile = "lock";

/// Whether the open file is still the one of this name: its holder removes it at its end.
bool isStill(int fd, const std::filesystem::path& file) {
    struct stat open {};
    struct stat named {};
    return ::fstat(fd, &open) == 0 && ::stat(file.c_str(), &named) == 0 && open.st_ino == named.st_ino &&
           open.st_dev == named.st_dev;
}

/// The process id that the holder wrote into the file; empty when there is none.
std::string holder(int fd) {
    std::array<char, 32> text{};
    const ssize_t got = ::pread(fd, text.data(), text.size() - 1, 0);
    return got > 0 ? std::to_string(std::strtol(text.data(), nullptr, 10)) : std::string();
}

/// For people and for the message of a job that comes second; the claim itself is the lock.
void writeOwnId(int fd) {
    const std::string id = std::to_string(::getpid()) + "\n";
    if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, id.data(), id.size(), 0) < 0) return;
}

} // namespace

Result<FolderLock> FolderLock::take(const std::filesystem::path& folder) {
    const std::filesystem::path file = folder / kLockFile;
    while (true) {
        const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0) return fail(ErrorCode::Io, file.string() + ": cannot be opened: " + std::strerror(errno));
        FolderLock lock(fd, file);
        // flock belongs to the open file: two jobs of one process exclude each other, too.
        if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
            const int error = errno;
            const std::string who = holder(fd);
            lock.m_file.clear(); // another's
            if (error != EWOULDBLOCK) return lock;
            return fail(ErrorCode::InvalidSpec, folder.string() + ": another job works in this folder" +
                                                    (who.empty() ? std::string() : " (process " + who + ")") +
                                                    "; expected its end, or another folder");
        }
        if (!isStill(fd, file)) {
            lock.m_file.clear();
            continue;
        }
        writeOwnId(fd);
        return lock;
    }
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : m_fd(std::exchange(other.m_fd, -1)), m_file(std::exchange(other.m_file, {})) {}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
    if (this != &other) {
        release();
        m_fd = std::exchange(other.m_fd, -1);
        m_file = std::exchange(other.m_file, {});
    }
    return *this;
}

FolderLock::~FolderLock() {
    release();
}

void FolderLock::release() {
    if (m_fd < 0) return;
    if (!m_file.empty()) ::unlink(m_file.c_str());
    ::close(std::exchange(m_fd, -1));
}

} // namespace bdq
