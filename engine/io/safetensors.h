// safetensors container: header, checks and layout (design/formats.md 1). One parser over a span.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/model_index.h"
#include "engine/api/result.h"

namespace bdq::io {

/// Limit of the format on the length of the JSON header.
inline constexpr std::uint64_t kMaxSafetensorsHeader = 100'000'000;

/// One tensor of the header.
struct SafetensorsTensor {
    std::string name;
    std::string dtype;                 ///< as in the file
    TensorType type = TensorType::F32; ///< Other = known dtype, but not decoded here
    std::vector<std::int64_t> shape;
    std::uint64_t offsetBytes = 0; ///< from the start of the file
    std::uint64_t sizeBytes = 0;
};

struct SafetensorsHeader {
    std::vector<SafetensorsTensor> tensors; ///< by offset
    std::map<std::string, std::string> metadata;
    std::uint64_t headerBytes = 0; ///< length field and JSON
};

/// Parses a header and applies every check of the format: lengths, unique keys, known dtypes, byte counts
/// against shapes, no overlap, no holes, last byte = end of file. Errors: BadFormat.
Result<SafetensorsHeader> parseSafetensors(std::span<const std::byte> bytes, const std::string& label);

/// Name of a dtype in safetensors files; empty for types without one (GGUF blocks).
std::string_view safetensorsName(TensorType type);

} // namespace bdq::io
