// Slow reference of the GGUF block formats: one value at a time from the definition of the layout, every
// field taken from its bits by number. Beside engine/io/tensor_blocks.cpp and k_quants.cpp.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "engine/api/model_index.h"

namespace bdq::reference {

/// Half precision by its definition.
inline double halfValue(const std::uint8_t* bytes) {
    const int bits = bytes[0] | bytes[1] << 8;
    const int exponent = bits >> 10 & 31;
    const int mantissa = bits & 1023;
    const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
    if (exponent == 31) return mantissa == 0 ? sign * std::numeric_limits<double>::infinity() : std::nan("");
    return sign * (exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25));
}

/// `width` bits from bit number `first` of a little-endian bit string.
inline int bitField(const std::uint8_t* bytes, std::size_t first, std::size_t width) {
    int value = 0;
    for (std::size_t i = 0; i < width; ++i)
        value |= (bytes[(first + i) / 8] >> ((first + i) % 8) & 1) << i;
    return value;
}

/// Scale and minimum of sub-block j of Q4_K and Q5_K.
inline int subScale(const std::uint8_t* packed, std::size_t j) {
    return j < 4 ? bitField(packed, 8 * j, 6)
                 : bitField(packed, 8 * (j + 4), 4) + 16 * bitField(packed, 8 * (j - 4) + 6, 2);
}
inline int subMinimum(const std::uint8_t* packed, std::size_t j) {
    return j < 4 ? bitField(packed, 8 * (j + 4), 6)
                 : bitField(packed, 8 * (j + 4) + 4, 4) + 16 * bitField(packed, 8 * j + 6, 2);
}

/// Value i of a block of 32.
inline double smallBlockValue(TensorType type, const std::uint8_t* b, std::size_t i) {
    const std::size_t nibble = 8 * (i % 16) + 4 * (i / 16);
    const double d = halfValue(b);
    switch (type) {
    case TensorType::Q4_0:
        return d * (bitField(b + 2, nibble, 4) - 8);
    case TensorType::Q4_1:
        return d * bitField(b + 4, nibble, 4) + halfValue(b + 2);
    case TensorType::Q5_0:
        return d * (bitField(b + 6, nibble, 4) + 16 * bitField(b + 2, i, 1) - 16);
    case TensorType::Q5_1:
        return d * (bitField(b + 8, nibble, 4) + 16 * bitField(b + 4, i, 1)) + halfValue(b + 2);
    default: // Q8_0
        return d * (b[2 + i] < 128 ? b[2 + i] : b[2 + i] - 256);
    }
}

/// Value i of a super-block of 256. Codes lie in chunks: Q2_K, Q3_K 128 values per 32 bytes; Q4_K, Q5_K 64
/// per 32.
inline double superBlockValue(TensorType type, const std::uint8_t* b, std::size_t i) {
    const std::size_t twoBit = 8 * (32 * (i / 128) + i % 32) + 2 * (i % 128 / 32);
    const std::size_t fourBit = 8 * (32 * (i / 64) + i % 32) + 4 * (i % 64 / 32);
    switch (type) {
    case TensorType::Q2_K:
        return halfValue(b + 80) * bitField(b, 8 * (i / 16), 4) * bitField(b + 16, twoBit, 2) -
               halfValue(b + 82) * bitField(b, 8 * (i / 16) + 4, 4);
    case TensorType::Q3_K: {
        const std::size_t j = i / 16;
        const int scale = bitField(b + 96, 8 * (j % 8) + 4 * (j / 8), 4) +
                          16 * bitField(b + 104, 8 * (j % 4) + 2 * (j / 4), 2);
        const int high = bitField(b, 8 * (i % 32) + i / 32, 1);
        return halfValue(b + 108) * (scale - 32) * (bitField(b + 32, twoBit, 2) - (high == 1 ? 0 : 4));
    }
    case TensorType::Q4_K:
        return halfValue(b) * subScale(b + 4, i / 32) * bitField(b + 16, fourBit, 4) -
               halfValue(b + 2) * subMinimum(b + 4, i / 32);
    case TensorType::Q5_K:
        return halfValue(b) * subScale(b + 4, i / 32) *
                   (bitField(b + 48, fourBit, 4) + 16 * bitField(b + 16, 8 * (i % 32) + i / 32, 1)) -
               halfValue(b + 2) * subMinimum(b + 4, i / 32);
    default: { // Q6_K
        const std::size_t half = i / 128;
        const std::size_t in = i % 128;
        const int low = bitField(b + 64 * half, 8 * (in % 64) + 4 * (in / 64), 4);
        const int high = bitField(b + 128 + 32 * half, 8 * (in % 32) + 2 * (in / 32), 2);
        const int scale = b[192 + i / 16] < 128 ? b[192 + i / 16] : b[192 + i / 16] - 256;
        return halfValue(b + 208) * scale * (low + 16 * high - 32);
    }
    }
}

} // namespace bdq::reference
