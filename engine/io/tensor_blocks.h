// Geometry of stored tensor types and decoding to fp32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/api/model_index.h"
#include "engine/api/result.h"

namespace bdq::io {

/// A type is stored in blocks of `values` consecutive values that take `bytes` bytes; plain types have one
/// value.
struct BlockLayout {
    std::uint32_t values = 1;
    std::uint32_t bytes = 0;
};

/// Layout of a type that can be decoded; bytes = 0 for TensorType::Other.
BlockLayout blockLayout(TensorType type);

/// A ggml tensor type by its number in GGUF files.
struct GgmlType {
    std::uint32_t id;
    std::string_view name;
    TensorType type; ///< Other = cannot be decoded here
    BlockLayout layout;
};
/// Nothing for numbers that ggml has dropped or not assigned.
std::optional<GgmlType> ggmlType(std::uint32_t id);

/// Decodes consecutive whole blocks. out.size() must be a multiple of the block's values and source.size()
/// the matching number of bytes, else Internal. Unsupported for TensorType::Other. `label` names the tensor
/// in messages.
Status decodeBlocks(TensorType type, std::span<const std::byte> source, std::span<float> out,
                    const std::string& label);

/// IEEE half precision, bfloat16 and FP8 E4M3 (finite-only variant "fn": 0x7f and 0xff are NaN) to fp32,
/// exact.
float halfToFloat(std::uint16_t bits);
float bfloat16ToFloat(std::uint16_t bits);
float float8E4m3ToFloat(std::uint8_t bits);

} // namespace bdq::io
