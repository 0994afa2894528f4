// A session with everything it refers to in one folder that can be moved or handed on.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/session_document.h"

namespace bdq {

/// Brings these result folders and those of `document` into name.bdqsession.d beside `path` and writes the
/// session with their new places. Arrays are hard links where the file system can, everything that may still
/// change is a copy. A folder that lies there already stays. The model is not copied. Errors: Io, DiskFull
/// naming the file; then nothing new is left.
Status saveWithResults(SessionDocument document, const std::vector<std::string>& folders,
                       const std::filesystem::path& path);

} // namespace bdq
