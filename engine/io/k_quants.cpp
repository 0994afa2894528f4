#include "engine/io/k_quants.h"

#include <array>
#include <cstring>

#include "engine/io/tensor_blocks.h"

namespace bdq::io {
namespace {

using Bytes = const std::uint8_t*;

float halfAt(Bytes source) {
    std::uint16_t bits;
    std::memcpy(&bits, source, sizeof(bits));
    return halfToFloat(bits);
}

/// Scale and minimum of sub-block j of 8: 6 bits each in 12 bytes. The first four of both lie in the low 6
/// bits of bytes 0-3 and 4-7; the other four have their low nibbles in bytes 8-11 and their top 2 bits in the
/// spare bits of bytes 0-7.
struct ScalePair {
    float scale;
    float minimum;
};
ScalePair scalePair(Bytes packed, int j) {
    if (j < 4) return {static_cast<float>(packed[j] & 63), static_cast<float>(packed[j + 4] & 63)};
    return {static_cast<float>((packed[j + 4] & 15) | (packed[j - 4] >> 6) << 4),
            static_cast<float>((packed[j + 4] >> 4) | (packed[j] >> 6) << 4)};
}

/// The sixteen 6-bit scales of Q3_K minus 32: low nibbles in bytes 0-7 (scales 0-7 low, 8-15 high), top 2
/// bits in 8-11.
std::array<float, 16> q3Scales(Bytes packed) {
    std::array<float, 16> scales{};
    for (std::size_t j = 0; j < 16; ++j) {
        const int low = j < 8 ? packed[j] & 15 : packed[j - 8] >> 4;
        const int high = packed[8 + j % 4] >> (2 * (j / 4)) & 3;
        scales[j] = static_cast<float>((low | high << 4) - 32);
    }
    return scales;
}

} // namespace

void decodeQ2K(const std::uint8_t* block, float* out, std::size_t blocks) {
    for (; blocks > 0; --blocks, block += 84, out += 256) {
        Bytes scales = block;
        const float scale = halfAt(block + 80);
        const float minimum = halfAt(block + 82);
        for (int run = 0; run < 16; ++run) {
            // Runs of 16 values: 128 values share 32 bytes, two bits of each byte per 32 values.
            Bytes codes = block + 16 + 32 * (run / 8) + 16 * (run % 2);
            const int shift = 2 * (run % 8 / 2);
            const float runScale = scale * static_cast<float>(scales[run] & 15);
            const float runMinimum = minimum * static_cast<float>(scales[run] >> 4);
            for (int l = 0; l < 16; ++l)
                out[16 * run + l] = runScale * static_cast<float>(codes[l] >> shift & 3) - runMinimum;
        }
    }
}

void decodeQ3K(const std::uint8_t* block, float* out, std::size_t blocks) {
    for (; blocks > 0; --blocks, block += 110, out += 256) {
        const std::array<float, 16> scales = q3Scales(block + 96);
        const float scale = halfAt(block + 108);
        for (int run = 0; run < 16; ++run) {
            // Bit (run / 2) of the 32 mask bytes: set = nothing to subtract, clear = 4.
            Bytes mask = block + 16 * (run % 2);
            Bytes codes = block + 32 + 32 * (run / 8) + 16 * (run % 2);
            const int shift = 2 * (run % 8 / 2);
            const float runScale = scale * scales[static_cast<std::size_t>(run)];
            for (int l = 0; l < 16; ++l) {
                const int code = (codes[l] >> shift & 3) + 4 * (mask[l] >> (run / 2) & 1) - 4;
                out[16 * run + l] = runScale * static_cast<float>(code);
            }
        }
    }
}

void decodeQ4K(const std::uint8_t* block, float* out, std::size_t blocks) {
    for (; blocks > 0; --blocks, block += 144, out += 256) {
        const float scale = halfAt(block);
        const float minimum = halfAt(block + 2);
        for (int run = 0; run < 8; ++run) {
            const ScalePair pair = scalePair(block + 4, run);
            Bytes codes = block + 16 + 32 * (run / 2);
            const int shift = 4 * (run % 2);
            const float runScale = scale * pair.scale;
            const float runMinimum = minimum * pair.minimum;
            for (int l = 0; l < 32; ++l)
                out[32 * run + l] = runScale * static_cast<float>(codes[l] >> shift & 15) - runMinimum;
        }
    }
}

void decodeQ5K(const std::uint8_t* block, float* out, std::size_t blocks) {
    for (; blocks > 0; --blocks, block += 176, out += 256) {
        const float scale = halfAt(block);
        const float minimum = halfAt(block + 2);
        Bytes high = block + 16;
        for (int run = 0; run < 8; ++run) {
            const ScalePair pair = scalePair(block + 4, run);
            Bytes codes = block + 48 + 32 * (run / 2);
            const int shift = 4 * (run % 2);
            const float runScale = scale * pair.scale;
            const float runMinimum = minimum * pair.minimum;
            for (int l = 0; l < 32; ++l) {
                const int code = (codes[l] >> shift & 15) | (high[l] >> run & 1) << 4;
                out[32 * run + l] = runScale * static_cast<float>(code) - runMinimum;
            }
        }
    }
}

void decodeQ6K(const std::uint8_t* block, float* out, std::size_t blocks) {
    for (; blocks > 0; --blocks, block += 210, out += 256) {
        const float scale = halfAt(block + 208);
        for (int run = 0; run < 16; ++run) {
            // 128 values share 64 bytes of low nibbles and 32 bytes of two high bits.
            const int quarter = run % 8 / 2;
            Bytes low = block + 64 * (run / 8) + 32 * (quarter % 2) + 16 * (run % 2);
            Bytes high = block + 128 + 32 * (run / 8) + 16 * (run % 2);
            const int lowShift = 4 * (quarter / 2);
            const int highShift = 2 * quarter;
            const float runScale = scale * static_cast<float>(static_cast<std::int8_t>(block[192 + run]));
            for (int l = 0; l < 16; ++l) {
                const int code = (low[l] >> lowShift & 15) | (high[l] >> highShift & 3) << 4;
                out[16 * run + l] = runScale * static_cast<float>(code - 32);
            }
        }
    }
}

} // namespace bdq::io
