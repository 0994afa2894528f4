// Text files of a model folder: config.json, tokenizer.json, ...
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "engine/api/result.h"

namespace bdq::io {

/// Words for a file that stands in place of another: a Git LFS pointer, an HTML page, a PyTorch or old GGML
/// file, an empty one. Success for anything else. `label` names the file. Errors: BadFormat, Unsupported.
Status checkNotAnotherKind(std::span<const std::byte> bytes, const std::string& label);

/// Whole text file. Errors: NotFound, Io, BadFormat (too large, Git LFS pointer, HTML page).
Result<std::string> readModelText(const std::filesystem::path& path, std::size_t maxBytes);

} // namespace bdq::io
