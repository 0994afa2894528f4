// Files that appear whole under their final name or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "engine/api/result.h"

namespace bdq {

/// Writes into a temporary file in the target's folder; commit() makes it durable (fsync) and renames it.
/// Without commit the destructor removes it. Errors: Io, DiskFull; messages name the file and the system's
/// reason.
class AtomicFile {
public:
    static Result<AtomicFile> create(const std::filesystem::path& target);
    AtomicFile(AtomicFile&& other) noexcept;
    AtomicFile& operator=(AtomicFile&& other) noexcept;
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    ~AtomicFile();

    Status write(std::span<const std::byte> bytes);
    Status write(std::string_view text) { return write(std::as_bytes(std::span(text.data(), text.size()))); }
    Status commit();

private:
    AtomicFile(int fd, std::filesystem::path target, std::filesystem::path temporary);
    void discard();

    int m_fd = -1;
    std::filesystem::path m_target;
    std::filesystem::path m_temporary;
};

/// Whole text file in one call.
Status writeFileAtomically(const std::filesystem::path& target, std::string_view text);
/// Reads a whole file of at most maxBytes. Errors: NotFound, Io (also for a folder, a pipe or a device, which
/// is never waited for), BadFormat when it is larger.
Result<std::string> readTextFile(const std::filesystem::path& path, std::size_t maxBytes);

} // namespace bdq
