#include "engine/io/tensor_blocks.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "tests/engine/io/io_test_data.h"
#include "tests/reference/io_dequant.h"

using namespace bdq;
using namespace bdq::io;
using namespace bdq::io::test;

namespace {

constexpr TensorType kBlockTypes[] = {TensorType::Q4_0, TensorType::Q4_1, TensorType::Q5_0, TensorType::Q5_1,
                                      TensorType::Q8_0, TensorType::Q2_K, TensorType::Q3_K, TensorType::Q4_K,
                                      TensorType::Q5_K, TensorType::Q6_K};

// fp32 rounds d * scale, its product with the code, the product for the minimum, and the difference: each by
// at most 2^-24 of the largest term, which is below 2 * |largest value| for these blocks.
constexpr double kRelativeTolerance = 8 * 0x1p-24;

std::string fromHex(const std::string& hex) {
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2)
        bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return bytes;
}

/// Places of the half-precision scales in a block.
std::vector<std::size_t> scalePlaces(TensorType type) {
    switch (type) {
    case TensorType::Q4_1:
    case TensorType::Q5_1:
    case TensorType::Q4_K:
    case TensorType::Q5_K:
        return {0, 2};
    case TensorType::Q2_K:
        return {80, 82};
    case TensorType::Q3_K:
        return {108};
    case TensorType::Q6_K:
        return {208};
    default:
        return {0};
    }
}

} // namespace

TEST(TensorBlocks, blocksAgreeWithTheReference) {
    std::mt19937 random(1);
    for (const TensorType type : kBlockTypes) {
        const BlockLayout layout = blockLayout(type);
        constexpr std::size_t kBlocks = 50;
        std::string data;
        for (std::size_t i = 0; i < kBlocks * layout.bytes; ++i)
            data += static_cast<char>(random() & 255u);
        // Finite scales: the exponent never gets all its bits.
        for (std::size_t block = 0; block < kBlocks; ++block)
            for (const std::size_t place : scalePlaces(type))
                data[block * layout.bytes + place + 1] =
                    static_cast<char>(data[block * layout.bytes + place + 1] & 0xaf);
        std::vector<float> decoded(kBlocks * layout.values);
        ASSERT_TRUE(decodeBlocks(type, asBytes(data), decoded, "test"));
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(data.data());
        for (std::size_t block = 0; block < kBlocks; ++block) {
            std::vector<double> expected(layout.values);
            double largest = 0;
            for (std::size_t i = 0; i < layout.values; ++i) {
                const std::uint8_t* start = bytes + block * layout.bytes;
                expected[i] = layout.values == 32 ? reference::smallBlockValue(type, start, i)
                                                  : reference::superBlockValue(type, start, i);
                largest = std::max(largest, std::abs(expected[i]));
            }
            for (std::size_t i = 0; i < layout.values; ++i)
                ASSERT_NEAR(decoded[block * layout.values + i], expected[i], kRelativeTolerance * largest)
                    << tensorTypeName(type) << " block " << block << " value " << i;
        }
    }
}

TEST(TensorBlocks, blocksAgreeWithTheGoldenFile) {
    const auto golden = nlohmann::json::parse(readAll(sourceDir() / "tests/data/golden/ggml_blocks.json"));
    int types = 0;
    for (const auto& [name, row] : golden["types"].items()) {
        TensorType type = TensorType::Other;
        for (std::uint32_t id = 0; id < 64; ++id)
            if (const auto known = ggmlType(id); known && known->name == name) type = known->type;
        const std::string data = fromHex(row["bytes"]);
        const std::string floats = fromHex(row["floats"]);
        std::vector<float> expected(floats.size() / sizeof(float));
        std::memcpy(expected.data(), floats.data(), floats.size());
        std::vector<float> decoded(expected.size());
        ASSERT_TRUE(decodeBlocks(type, asBytes(data), decoded, name)) << name;
        double largest = 0;
        for (const float value : expected)
            largest = std::max(largest, std::abs(static_cast<double>(value)));
        for (std::size_t i = 0; i < expected.size(); ++i)
            ASSERT_NEAR(decoded[i], expected[i], kRelativeTolerance * largest) << name << " value " << i;
        ++types;
    }
    EXPECT_EQ(types, 11);
}

TEST(TensorBlocks, everyHalfIsExact) {
    for (unsigned bits = 0; bits < 65536; ++bits) {
        const std::uint8_t bytes[2] = {static_cast<std::uint8_t>(bits & 255),
                                       static_cast<std::uint8_t>(bits >> 8)};
        const double expected = reference::halfValue(bytes);
        const float value = halfToFloat(static_cast<std::uint16_t>(bits));
        if (std::isnan(expected))
            ASSERT_TRUE(std::isnan(value)) << bits;
        else
            ASSERT_EQ(static_cast<double>(value), expected) << bits;
        ASSERT_EQ(std::signbit(value), bits >= 0x8000) << bits;
    }
}

TEST(TensorBlocks, everyFloat8IsExact) {
    for (unsigned bits = 0; bits < 256; ++bits) {
        const int exponent = static_cast<int>(bits >> 3 & 15);
        const int mantissa = static_cast<int>(bits & 7);
        const double size =
            exponent == 0 ? std::ldexp(mantissa, -9) : std::ldexp(8 + mantissa, exponent - 10);
        const float value = float8E4m3ToFloat(static_cast<std::uint8_t>(bits));
        if ((bits & 127) == 127)
            EXPECT_TRUE(std::isnan(value));
        else
            EXPECT_EQ(static_cast<double>(value), bits >= 128 ? -size : size) << bits;
    }
    EXPECT_EQ(float8E4m3ToFloat(0x7e), 448.0f);
}

TEST(TensorBlocks, plainTypes) {
    const std::string data = raw<double>(-1.5) + raw<double>(3.0);
    std::vector<float> out(2);
    ASSERT_TRUE(decodeBlocks(TensorType::F64, asBytes(data), out, "t"));
    EXPECT_EQ(out, (std::vector<float>{-1.5f, 3.0f}));
    ASSERT_TRUE(decodeBlocks(TensorType::BF16,
                             asBytes(raw<std::uint16_t>(0xbfc0) + raw<std::uint16_t>(0x4049)), out, "t"));
    EXPECT_EQ(out, (std::vector<float>{-1.5f, 3.140625f}));
    ASSERT_TRUE(decodeBlocks(TensorType::I8, asBytes("\xff\x7f"), out, "t"));
    EXPECT_EQ(out, (std::vector<float>{-1.0f, 127.0f}));
}

TEST(TensorBlocks, refusesWrongLengths) {
    std::vector<float> out(32);
    const std::string data(40, '\0');
    EXPECT_FALSE(decodeBlocks(TensorType::Q4_1, asBytes(data), out, "t"));
    EXPECT_FALSE(decodeBlocks(TensorType::Q4_1, asBytes(data).first(19), out, "t"));
    EXPECT_FALSE(decodeBlocks(TensorType::Q4_1, asBytes(data).first(20), std::span(out).first(31), "t"));
    EXPECT_TRUE(decodeBlocks(TensorType::Q4_1, asBytes(data).first(20), out, "t"));
    const auto other = decodeBlocks(TensorType::Other, asBytes(data), out, "t");
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, ErrorCode::Unsupported);
}

TEST(TensorBlocks, tableOfTypesIsConsistent) {
    for (std::uint32_t id = 0; id < 64; ++id)
        if (const auto type = ggmlType(id)) {
            EXPECT_EQ(type->id, id);
            EXPECT_GT(type->layout.bytes, 0u);
            if (type->type != TensorType::Other) {
                EXPECT_EQ(blockLayout(type->type).bytes, type->layout.bytes) << type->name;
                EXPECT_EQ(blockLayout(type->type).values, type->layout.values) << type->name;
                EXPECT_EQ(tensorTypeName(type->type), type->name);
            }
        }
    EXPECT_FALSE(ggmlType(4)) << "Q4_2 was dropped";
}
