#include "engine/io/tensor_blocks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <thread>
#include <vector>

#include "engine/io/byte_reader.h"
#include "engine/io/k_quants.h"

namespace bdq::io {
namespace {

using Bytes = const std::uint8_t*;

template <class T> T load(Bytes source) {
    T value;
    std::memcpy(&value, source, sizeof(T));
    return value;
}

template <class T> void convertPlain(Bytes source, float* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        out[i] = static_cast<float>(load<T>(source + i * sizeof(T)));
}

void convertHalf(Bytes source, float* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        out[i] = halfToFloat(load<std::uint16_t>(source + 2 * i));
}

void convertBfloat16(Bytes source, float* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        out[i] = bfloat16ToFloat(load<std::uint16_t>(source + 2 * i));
}

void convertFloat8(Bytes source, float* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        out[i] = float8E4m3ToFloat(source[i]);
}

// Blocks of 32: byte j holds value j in its low and value j + 16 in its high nibble (design/formats.md 5).
void decodeQ4_0(Bytes block, float* out, std::size_t blocks) {
    for (; blocks > 0; --blocks, block += 18, out += 32) {
        const float scale = halfToFloat(load<std::uint16_t>(block));
        for (int j = 0; j < 16; ++j) {
            out[j] = static_cast<float>((block[2 + j] & 15) - 8) * scale;
            out[j + 16] = static_cast<float>((block[2 + j] >> 4) - 8) * scale;
        }
    }
}

void decodeQ4_1(Bytes block, float* out, std::size_t blocks) {
    for (; blocks > 0; --blocks, block += 20, out += 32) {
        const float scale = halfToFloat(load<std::uint16_t>(block));
        const float minimum = halfToFloat(load<std::uint16_t>(block + 2));
        for (int j = 0; j < 16; ++j) {
            out[j] = static_cast<float>(block[4 + j] & 15) * scale + minimum;
            out[j + 16] = static_cast<float>(block[4 + j] >> 4) * scale + minimum;
        }
    }
}

// The fifth bits of values 0..31 are bits 0..31 of a little-endian word.
void decodeQ5_0(Bytes block, float* out, std::size_t blocks) {
    for (; blocks > 0; --blocks, block += 22, out += 32) {
        const float scale = halfToFloat(load<std::uint16_t>(block));
        const auto high = load<std::uint32_t>(block + 2);
        for (unsigned j = 0; j < 16; ++j) {
            const auto low = static_cast<int>((block[6 + j] & 15u) | ((high >> j & 1u) << 4));
            const auto upper = static_cast<int>((block[6 + j] >> 4u) | ((high >> (j + 16) & 1u) << 4));
            out[j] = static_cast<float>(low - 16) * scale;
            out[j + 16] = static_cast<float>(upper - 16) * scale;
        }
    }
}

void decodeQ5_1(Bytes block, float* out, std::size_t blocks) {
    for (; blocks > 0; --blocks, block += 24, out += 32) {
        const float scale = halfToFloat(load<std::uint16_t>(block));
        const float minimum = halfToFloat(load<std::uint16_t>(block + 2));
        const auto high = load<std::uint32_t>(block + 4);
        for (unsigned j = 0; j < 16; ++j) {
            const auto low = static_cast<int>((block[8 + j] & 15u) | ((high >> j & 1u) << 4));
            const auto upper = static_cast<int>((block[8 + j] >> 4u) | ((high >> (j + 16) & 1u) << 4));
            out[j] = static_cast<float>(low) * scale + minimum;
            out[j + 16] = static_cast<float>(upper) * scale + minimum;
        }
    }
}

void decodeQ8_0(Bytes block, float* out, std::size_t blocks) {
    for (; blocks > 0; --blocks, block += 34, out += 32) {
        const float scale = halfToFloat(load<std::uint16_t>(block));
        for (int j = 0; j < 32; ++j)
            out[j] = static_cast<float>(static_cast<std::int8_t>(block[2 + j])) * scale;
    }
}

using Decoder = void (*)(Bytes source, float* out, std::size_t blocks);

struct DecoderRow {
    TensorType type;
    BlockLayout layout;
    Decoder decode;
};

constexpr std::array kDecoders{
    DecoderRow{TensorType::F32, {1, 4}, convertPlain<float>},
    DecoderRow{TensorType::F16, {1, 2}, convertHalf},
    DecoderRow{TensorType::BF16, {1, 2}, convertBfloat16},
    DecoderRow{TensorType::F64, {1, 8}, convertPlain<double>},
    DecoderRow{TensorType::I8, {1, 1}, convertPlain<std::int8_t>},
    DecoderRow{TensorType::U8, {1, 1}, convertPlain<std::uint8_t>},
    DecoderRow{TensorType::I16, {1, 2}, convertPlain<std::int16_t>},
    DecoderRow{TensorType::I32, {1, 4}, convertPlain<std::int32_t>},
    DecoderRow{TensorType::I64, {1, 8}, convertPlain<std::int64_t>},
    DecoderRow{TensorType::Bool, {1, 1}, convertPlain<std::uint8_t>},
    DecoderRow{TensorType::F8E4M3, {1, 1}, convertFloat8},
    DecoderRow{TensorType::Q4_0, {32, 18}, decodeQ4_0},
    DecoderRow{TensorType::Q4_1, {32, 20}, decodeQ4_1},
    DecoderRow{TensorType::Q5_0, {32, 22}, decodeQ5_0},
    DecoderRow{TensorType::Q5_1, {32, 24}, decodeQ5_1},
    DecoderRow{TensorType::Q8_0, {32, 34}, decodeQ8_0},
    DecoderRow{TensorType::Q2_K, {256, 84}, decodeQ2K},
    DecoderRow{TensorType::Q3_K, {256, 110}, decodeQ3K},
    DecoderRow{TensorType::Q4_K, {256, 144}, decodeQ4K},
    DecoderRow{TensorType::Q5_K, {256, 176}, decodeQ5K},
    DecoderRow{TensorType::Q6_K, {256, 210}, decodeQ6K},
};

// Numbers and block geometry of the GGUF format; rows with Other are listed by name and size, but not
// decoded.
constexpr std::array kGgmlTypes{
    GgmlType{0, "F32", TensorType::F32, {1, 4}},
    GgmlType{1, "F16", TensorType::F16, {1, 2}},
    GgmlType{2, "Q4_0", TensorType::Q4_0, {32, 18}},
    GgmlType{3, "Q4_1", TensorType::Q4_1, {32, 20}},
    GgmlType{6, "Q5_0", TensorType::Q5_0, {32, 22}},
    GgmlType{7, "Q5_1", TensorType::Q5_1, {32, 24}},
    GgmlType{8, "Q8_0", TensorType::Q8_0, {32, 34}},
    GgmlType{9, "Q8_1", TensorType::Other, {32, 36}},
    GgmlType{10, "Q2_K", TensorType::Q2_K, {256, 84}},
    GgmlType{11, "Q3_K", TensorType::Q3_K, {256, 110}},
    GgmlType{12, "Q4_K", TensorType::Q4_K, {256, 144}},
    GgmlType{13, "Q5_K", TensorType::Q5_K, {256, 176}},
    GgmlType{14, "Q6_K", TensorType::Q6_K, {256, 210}},
    GgmlType{15, "Q8_K", TensorType::Other, {256, 292}},
    GgmlType{16, "IQ2_XXS", TensorType::Other, {256, 66}},
    GgmlType{17, "IQ2_XS", TensorType::Other, {256, 74}},
    GgmlType{18, "IQ3_XXS", TensorType::Other, {256, 98}},
    GgmlType{19, "IQ1_S", TensorType::Other, {256, 50}},
    GgmlType{20, "IQ4_NL", TensorType::Other, {32, 18}},
    GgmlType{21, "IQ3_S", TensorType::Other, {256, 110}},
    GgmlType{22, "IQ2_S", TensorType::Other, {256, 82}},
    GgmlType{23, "IQ4_XS", TensorType::Other, {256, 136}},
    GgmlType{24, "I8", TensorType::I8, {1, 1}},
    GgmlType{25, "I16", TensorType::I16, {1, 2}},
    GgmlType{26, "I32", TensorType::I32, {1, 4}},
    GgmlType{27, "I64", TensorType::I64, {1, 8}},
    GgmlType{28, "F64", TensorType::F64, {1, 8}},
    GgmlType{29, "IQ1_M", TensorType::Other, {256, 56}},
    GgmlType{30, "BF16", TensorType::BF16, {1, 2}},
    GgmlType{34, "TQ1_0", TensorType::Other, {256, 54}},
    GgmlType{35, "TQ2_0", TensorType::Other, {256, 66}},
    GgmlType{39, "MXFP4", TensorType::Other, {32, 17}},
    GgmlType{40, "NVFP4", TensorType::Other, {64, 36}},
};

const DecoderRow* decoderFor(TensorType type) {
    for (const DecoderRow& row : kDecoders)
        if (row.type == type) return &row;
    return nullptr;
}

// Threads are started for large tensors only: a start takes about as long as decoding 50,000 values.
void decodeInParallel(const DecoderRow& row, const std::uint8_t* source, float* out, std::size_t blocks) {
    constexpr std::size_t kValuesPerThread = 1 << 18;
    constexpr std::size_t kMaxThreads = 16;
    const std::size_t threads =
        std::clamp<std::size_t>(blocks * row.layout.values / kValuesPerThread, 1,
                                std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMaxThreads));
    const std::size_t share = (blocks + threads - 1) / threads;
    const auto decodePart = [&](std::size_t first) {
        if (first < blocks)
            row.decode(source + first * row.layout.bytes, out + first * row.layout.values,
                       std::min(share, blocks - first));
    };
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < threads; ++i)
        others.emplace_back(decodePart, i * share);
    decodePart(0);
}

} // namespace

float halfToFloat(std::uint16_t bits) {
    constexpr std::uint32_t kExponent = 0x7c00u << 13;
    constexpr std::uint32_t kRebias = (127u - 15u) << 23;
    const std::uint32_t magnitude = (bits & 0x7fffu) << 13;
    const std::uint32_t exponent = magnitude & kExponent;
    // Infinity and NaN move to fp32's largest exponent. Subnormals: 1.m * 2^-14 - 2^-14 = 0.m * 2^-14, exact.
    const std::uint32_t regular = magnitude + kRebias + (exponent == kExponent ? (128u - 16u) << 23 : 0u);
    const float small = std::bit_cast<float>(magnitude + kRebias + (1u << 23)) - 0x1p-14f;
    const std::uint32_t result = exponent == 0 ? std::bit_cast<std::uint32_t>(small) : regular;
    return std::bit_cast<float>(result | ((bits & 0x8000u) << 16));
}

float bfloat16ToFloat(std::uint16_t bits) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

float float8E4m3ToFloat(std::uint8_t bits) {
    // Exponent and mantissa into those of half precision (bias 7 -> 15 is a factor 2^8); 0x7f is the only
    // NaN.
    if ((bits & 0x7f) == 0x7f) return std::bit_cast<float>(0x7fc00000u | (bits & 0x80u) << 24);
    const auto half = static_cast<std::uint16_t>((bits & 0x7fu) << 7 | (bits & 0x80u) << 8);
    return halfToFloat(half) * 256.0f;
}

BlockLayout blockLayout(TensorType type) {
    const DecoderRow* row = decoderFor(type);
    return row == nullptr ? BlockLayout{1, 0} : row->layout;
}

std::optional<GgmlType> ggmlType(std::uint32_t id) {
    for (const GgmlType& row : kGgmlTypes)
        if (row.id == id) return row;
    return std::nullopt;
}

Status decodeBlocks(TensorType type, std::span<const std::byte> source, std::span<float> out,
                    const std::string& label) {
    const DecoderRow* row = decoderFor(type);
    if (row == nullptr) return fail(ErrorCode::Unsupported, label + ": this tensor type cannot be decoded");
    const std::size_t blocks = out.size() / row->layout.values;
    if (blocks * row->layout.values != out.size() || source.size() / row->layout.bytes != blocks ||
        source.size() % row->layout.bytes != 0)
        return fail(ErrorCode::Internal, label + ": " + std::to_string(source.size()) + " bytes for " +
                                             std::to_string(out.size()) + " values of " +
                                             std::string(tensorTypeName(type)));
    decodeInParallel(*row, reinterpret_cast<const std::uint8_t*>(source.data()), out.data(), blocks);
    return {};
}

} // namespace bdq::io
