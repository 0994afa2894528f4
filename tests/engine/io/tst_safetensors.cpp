#include "engine/io/safetensors.h"

#include "tests/engine/io/io_test_data.h"

using namespace bdq;
using namespace bdq::io;
using namespace bdq::io::test;

namespace {

const std::string kGood =
    R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
    R"("a":{"dtype":"BF16","shape":[3],"data_offsets":[16,22]},"s":{"dtype":"I64","shape":[],"data_offsets":[22,30]},)"
    R"("z":{"dtype":"F32","shape":[0,7],"data_offsets":[30,30]},"f":{"dtype":"F4","shape":[4],"data_offsets":[30,32]}}   )";
const std::string kData(32, 'd');

} // namespace

TEST(Safetensors, readsTheHeader) {
    const std::string bytes = safetensorsBytes(kGood, kData);
    const auto header = parseSafetensors(asBytes(bytes), "file");
    ASSERT_TRUE(header) << header.error().text();
    EXPECT_EQ(header->headerBytes, 8 + kGood.size());
    EXPECT_EQ(header->metadata, (std::map<std::string, std::string>{{"format", "pt"}}));
    ASSERT_EQ(header->tensors.size(), 5u);
    EXPECT_EQ(header->tensors[0].name, "b");
    EXPECT_EQ(header->tensors[0].shape, (std::vector<std::int64_t>{2, 2}));
    EXPECT_EQ(header->tensors[0].offsetBytes, header->headerBytes);
    EXPECT_EQ(header->tensors[1].type, TensorType::BF16);
    EXPECT_EQ(header->tensors[1].sizeBytes, 6u);
    EXPECT_TRUE(header->tensors[2].shape.empty());
    EXPECT_EQ(header->tensors[4].name, "f") << "F4: two values a byte";
    EXPECT_EQ(header->tensors[4].type, TensorType::Other);
}

struct HostileHeader {
    const char* name;
    std::string bytes;
    const char* reason;
};

std::string one(const std::string& entry) {
    return "{\"t\":" + entry + "}";
}

void expectRefused(const std::vector<HostileHeader>& cases) {
    for (const HostileHeader& hostile : cases) {
        const auto header = parseSafetensors(asBytes(hostile.bytes), "bad.safetensors");
        ASSERT_FALSE(header) << hostile.name;
        EXPECT_EQ(header.error().code, ErrorCode::BadFormat) << hostile.name;
        EXPECT_NE(header.error().message.find(hostile.reason), std::string::npos)
            << hostile.name << ": " << header.error().message;
        EXPECT_TRUE(header.error().message.starts_with("bad.safetensors: ")) << header.error().message;
    }
}

TEST(Safetensors, refusesHostileHeaders) {
    expectRefused({
        {"empty", "", "truncated"},
        {"length only", raw<std::uint64_t>(10), "truncated"},
        {"header over the limit", raw<std::uint64_t>(kMaxSafetensorsHeader + 1) + kGood, "the format allows"},
        {"huge header", raw<std::uint64_t>(~0ull) + kGood, "the format allows"},
        {"no object", safetensorsBytes("[1]", ""), "does not start with '{'"},
        {"space first", safetensorsBytes(" {}", ""), "does not start with '{'"},
        {"broken JSON", safetensorsBytes("{\"a\":", ""), "invalid JSON"},
        {"deep", safetensorsBytes("{\"a\":" + std::string(200, '[') + std::string(200, ']') + "}", ""),
         "nested deeper"},
        {"entry no object", safetensorsBytes(one("3"), ""), "is no object"},
        {"no dtype", safetensorsBytes(one(R"({"shape":[8],"data_offsets":[0,32]})"), kData),
         "dtype is missing"},
        {"dtype number", safetensorsBytes(one(R"({"dtype":3,"shape":[8],"data_offsets":[0,32]})"), kData),
         "dtype"},
        {"no shape", safetensorsBytes(one(R"({"dtype":"F32","data_offsets":[0,32]})"), kData),
         "shape is missing"},
        {"negative extent",
         safetensorsBytes(one(R"({"dtype":"F32","shape":[-8],"data_offsets":[0,32]})"), kData), "'-8'"},
        {"fractional extent",
         safetensorsBytes(one(R"({"dtype":"F32","shape":[8.0],"data_offsets":[0,32]})"), kData),
         "shape holds"},
        {"wrapping shape",
         safetensorsBytes(one(R"({"dtype":"F32","shape":[65536,65536,65536,65536],"data_offsets":[0,0]})"),
                          ""),
         "exceeds"},
        {"extent over 63 bits",
         safetensorsBytes(one(R"({"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,32]})"),
                          kData),
         "shape holds"},
    });
}

TEST(Safetensors, refusesHostileOffsets) {
    const std::string f32 = R"("dtype":"F32","shape":[8],)";
    expectRefused({
        {"no offsets", safetensorsBytes(one("{" + f32 + "\"x\":1}"), kData), "data_offsets is missing"},
        {"one offset", safetensorsBytes(one("{" + f32 + "\"data_offsets\":[32]}"), kData), "no pair"},
        {"NaN offset", safetensorsBytes(one("{" + f32 + "\"data_offsets\":[0,NaN]}"), kData), "invalid JSON"},
        {"null offset", safetensorsBytes(one("{" + f32 + "\"data_offsets\":[0,null]}"), kData),
         "data_offsets holds"},
        {"swapped offsets", safetensorsBytes(one("{" + f32 + "\"data_offsets\":[32,0]}"), kData), "no pair"},
        {"wrong size", safetensorsBytes(one("{" + f32 + "\"data_offsets\":[0,31]}"), kData), "need 32"},
        {"half byte", safetensorsBytes(one(R"({"dtype":"F4","shape":[3],"data_offsets":[0,1]})"), "x"),
         "do not end on a byte"},
        {"hole at the start",
         safetensorsBytes(one(R"({"dtype":"F32","shape":[4],"data_offsets":[16,32]})"), kData), "a hole"},
        {"data left over",
         safetensorsBytes(one(R"({"dtype":"F32","shape":[4],"data_offsets":[0,16]})"), kData),
         "describes 16 bytes"},
        {"data missing", safetensorsBytes(one("{" + f32 + "\"data_offsets\":[0,32]}"), "x"),
         "the file has 1"},
        {"overlap",
         safetensorsBytes(
             R"({"a":{"dtype":"U8","shape":[20],"data_offsets":[0,20]},"b":{"dtype":"U8","shape":[20],"data_offsets":[12,32]}})",
             kData),
         "overlaps"},
        {"hole",
         safetensorsBytes(
             R"({"a":{"dtype":"U8","shape":[10],"data_offsets":[0,10]},"b":{"dtype":"U8","shape":[20],"data_offsets":[12,32]}})",
             kData),
         "a hole"},
        {"duplicate names",
         safetensorsBytes(
             R"({"a":{"dtype":"U8","shape":[32],"data_offsets":[0,32]},"a":{"dtype":"U8","shape":[32],"data_offsets":[0,32]}})",
             kData),
         "appears twice"},
        {"metadata number", safetensorsBytes(R"({"__metadata__":{"a":1}})", ""), "is no string"},
        {"metadata list", safetensorsBytes(R"({"__metadata__":[]})", ""), "no object"},
    });
}

TEST(Safetensors, refusesEveryTruncation) {
    const std::string bytes = safetensorsBytes(kGood, kData);
    for (std::size_t length = 0; length < bytes.size(); ++length)
        ASSERT_FALSE(parseSafetensors(asBytes(bytes).first(length), "cut")) << length;
}
