// Decoding of GGUF's K-quants: super-blocks of 256 values with quantized scales (design/formats.md 5).
#pragma once

#include <cstddef>
#include <cstdint>

namespace bdq::io {

/// Each decodes `blocks` super-blocks of 84, 110, 144, 176 and 210 bytes into 256 values each.
void decodeQ2K(const std::uint8_t* block, float* out, std::size_t blocks);
void decodeQ3K(const std::uint8_t* block, float* out, std::size_t blocks);
void decodeQ4K(const std::uint8_t* block, float* out, std::size_t blocks);
void decodeQ5K(const std::uint8_t* block, float* out, std::size_t blocks);
void decodeQ6K(const std::uint8_t* block, float* out, std::size_t blocks);

} // namespace bdq::io
