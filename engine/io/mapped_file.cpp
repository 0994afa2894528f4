#include "engine/io/mapped_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace bdq::io {
namespace {

/// Closes a file descriptor on every path.
struct Descriptor {
    int fd;
    explicit Descriptor(int value) : fd(value) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

tl::unexpected<Error> systemError(const std::filesystem::path& path, const char* action) {
    const int code = errno;
    const bool missing = code == ENOENT || code == ENOTDIR;
    return fail(missing ? ErrorCode::NotFound : ErrorCode::Io,
                path.string() + ": cannot " + action + ": " + std::strerror(code));
}

} // namespace

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
    // Not to wait for a writer where the path is a pipe.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.fd < 0) return systemError(path, "open");
    struct stat status {};
    if (::fstat(file.fd, &status) != 0) return systemError(path, "read its size");
    if (!S_ISREG(status.st_mode)) return fail(ErrorCode::Io, path.string() + ": not a regular file");
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) return MappedFile(nullptr, 0);
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
    if (data == MAP_FAILED) return systemError(path, "map");
    return MappedFile(static_cast<const std::byte*>(data), size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : m_data(std::exchange(other.m_data, nullptr)), m_size(std::exchange(other.m_size, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(m_data, other.m_data);
    std::swap(m_size, other.m_size);
    return *this;
}

MappedFile::~MappedFile() {
    if (m_data != nullptr) ::munmap(const_cast<std::byte*>(m_data), m_size);
}

} // namespace bdq::io
