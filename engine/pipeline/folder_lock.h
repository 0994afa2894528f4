// One folder, one job.
#pragma once

#include <filesystem>
#include <string>

#include "engine/api/result.h"

namespace bdq {

/// A folder that belongs to one job for as long as this object lives. The system ends the claim with the
/// process, however that ends: what a killed job leaves behind stops nobody.
class FolderLock {
public:
    /// Claims an existing folder by its file "lock". Errors: InvalidSpec naming the folder and the id of the
    /// process that works in it; Io. On a file system without locks the folder is claimed by nobody.
    static Result<FolderLock> take(const std::filesystem::path& folder);
    FolderLock(FolderLock&& other) noexcept;
    FolderLock& operator=(FolderLock&& other) noexcept;
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;
    /// Gives the folder back and removes the file.
    ~FolderLock();

private:
    FolderLock(int fd, std::filesystem::path file) : m_fd(fd), m_file(std::move(file)) {}
    void release();

    int m_fd = -1;
    std::filesystem::path m_file;
};

} // namespace bdq
