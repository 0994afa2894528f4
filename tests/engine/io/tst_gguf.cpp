#include "engine/io/gguf.h"

#include <functional>

#include "tests/engine/io/io_test_data.h"

using namespace bdq;
using namespace bdq::io;
using namespace bdq::io::test;

namespace {

GgufBuilder smallFile() {
    GgufBuilder file;
    file.text("general.architecture", "llama");
    file.u32("llama.block_count", 2);
    file.f32("number", 0.5f);
    file.scalar<std::int64_t>("negative", GgufType::I64, -3);
    file.scalar<std::uint8_t>("flag", GgufType::Bool, 1);
    file.texts("list", {"a", "", "ccc"});
    file.numbers<std::int32_t>("numbers", GgufType::I32, {1, -2, 3});
    file.tensor("w", {4, 3}, 0, std::string(48, '\1'));
    file.tensor("q", {32, 2}, 3, std::string(40, '\2'));
    return file;
}

/// A hostile file and what the message must say.
struct Hostile {
    const char* name;
    std::string bytes;
    const char* reason;
    ErrorCode code = ErrorCode::BadFormat;
};

std::string with(const std::function<void(GgufBuilder&)>& change) {
    GgufBuilder file = smallFile();
    change(file);
    return file.bytes();
}

std::vector<Hostile> hostileFiles() {
    constexpr std::uint64_t kHuge = 1ull << 62;
    const auto typed = [](GgufType type, const std::string& body) {
        return with([&](GgufBuilder& file) { file.pair("bad", type, body); });
    };
    const auto row = [](const std::vector<std::uint64_t>& extents, std::uint32_t type, std::uint64_t offset) {
        return with([&](GgufBuilder& file) { file.tensorRow("bad", extents, type, offset); });
    };
    return {
        {"empty", "", "truncated"},
        {"other file", "PK\3\4 and more text to read", "not a GGUF file"},
        {"version 1", with([](GgufBuilder& file) { file.version = 1; }), "version 1", ErrorCode::Unsupported},
        {"version 4", with([](GgufBuilder& file) { file.version = 4; }), "version 4", ErrorCode::Unsupported},
        {"big-endian", with([](GgufBuilder& file) { file.version = 3u << 24; }), "big-endian",
         ErrorCode::Unsupported},
        {"huge tensor count", with([](GgufBuilder& file) { file.tensorCount = kHuge; }), "tensors"},
        {"huge pair count", with([](GgufBuilder& file) { file.pairCount = kHuge; }), "metadata entries"},
        {"huge string", typed(GgufType::String, raw<std::uint64_t>(kHuge)), "needs"},
        {"huge array", typed(GgufType::Array, raw(GgufType::F64) + raw<std::uint64_t>(kHuge)),
         "elements of 'bad'"},
        {"wrapping array", typed(GgufType::Array, raw(GgufType::F64) + raw<std::uint64_t>(1ull << 61)),
         "elements"},
        {"huge string array", typed(GgufType::Array, raw(GgufType::String) + raw<std::uint64_t>(kHuge)),
         "elements"},
        {"huge nested array", typed(GgufType::Array, raw(GgufType::Array) + raw<std::uint64_t>(kHuge)),
         "elements of 'bad'"},
        {"arrays too deep",
         typed(GgufType::Array,
               [] {
                   std::string body;
                   for (int level = 0; level < 40; ++level)
                       body += raw(GgufType::Array) + raw<std::uint64_t>(1);
                   return body;
               }()),
         "array of type 9"},
        {"unknown element type", typed(GgufType::Array, raw<std::uint32_t>(77) + raw<std::uint64_t>(1)),
         "type 77"},
        {"unknown value type", typed(static_cast<GgufType>(13), "xxxxxxxx"), "type 13"},
        {"duplicate key", with([](GgufBuilder& file) { file.u32("number", 1); }), "'number' appears twice"},
        {"duplicate tensor", with([](GgufBuilder& file) { file.tensor("w", {1}, 0, "abcd"); }),
         "'w' appears twice"},
        {"five dimensions", row({1, 1, 1, 1, 1}, 0, 0), "5 dimensions"},
        {"negative extent", row({~0ull, 4}, 0, 0), "extent 18446744073709551615"},
        {"wrapping shape", row({65536, 65536, 65536, 65536}, 0, 0), "product"},
        {"wrapping bytes", row({1ull << 62}, 0, 0), "exceeds 2^64"},
        {"partial block", row({33}, 3, 0), "no multiple of the 32"},
        {"unaligned", row({1}, 0, 4), "not aligned"},
        {"behind the end", row({4}, 0, 1ull << 40), "bytes of data"},
        {"too long", row({1 << 20}, 0, 0), "bytes of data"},
        {"overlap", row({4}, 0, 32), "overlap"},
        {"bad alignment", with([](GgufBuilder& file) { file.u32("general.alignment", 24); }), "power of two"},
        {"zero alignment", with([](GgufBuilder& file) { file.u32("general.alignment", 0); }), "power of two"},
        {"text alignment", with([](GgufBuilder& file) { file.text("general.alignment", "32"); }),
         "power of two"},
    };
}

} // namespace

TEST(Gguf, readsMetadataAndTensors) {
    const std::string bytes = smallFile().bytes();
    const auto header = parseGguf(asBytes(bytes), "file");
    ASSERT_TRUE(header) << header.error().text();
    EXPECT_EQ(header->find("general.architecture")->asString(), "llama");
    EXPECT_EQ(header->find("llama.block_count")->asUnsigned(), 2u);
    EXPECT_EQ(header->find("llama.block_count")->asString(), std::nullopt);
    EXPECT_EQ(header->find("number")->asNumber(), 0.5);
    EXPECT_EQ(header->find("number")->asUnsigned(), std::nullopt);
    EXPECT_EQ(header->find("negative")->asUnsigned(), std::nullopt);
    EXPECT_EQ(header->find("negative")->asNumber(), -3.0);
    EXPECT_EQ(header->find("flag")->asBool(), true);
    EXPECT_EQ(header->find("list")->strings(), (std::vector<std::string_view>{"a", "", "ccc"}));
    EXPECT_EQ(header->find("numbers")->numbers(), (std::vector<double>{1, -2, 3}));
    EXPECT_EQ(header->find("absent"), nullptr);
    ASSERT_EQ(header->tensors.size(), 2u);
    EXPECT_EQ(header->tensors[0].shape, (std::vector<std::int64_t>{3, 4}));
    EXPECT_EQ(header->tensors[0].sizeBytes, 48u);
    EXPECT_EQ(header->tensors[1].type, TensorType::Q4_1);
    EXPECT_EQ(header->tensors[1].sizeBytes, 40u);
    EXPECT_EQ(bytes[header->tensors[0].offsetBytes], '\1');
    EXPECT_EQ(bytes[header->tensors[1].offsetBytes], '\2');
    EXPECT_EQ(header->tensors[1].offsetBytes % 32, 0u);
}

TEST(Gguf, version2IsTheSame) {
    EXPECT_TRUE(parseGguf(asBytes(with([](GgufBuilder& file) { file.version = 2; })), "file"));
}

TEST(Gguf, undecodableTypesAreListed) {
    GgufBuilder file;
    file.tensor("iq", {256}, 23, std::string(136, '\0'));
    const std::string bytes = file.bytes();
    const auto header = parseGguf(asBytes(bytes), "file");
    ASSERT_TRUE(header) << header.error().text();
    EXPECT_EQ(header->tensors[0].type, TensorType::Other);
    EXPECT_EQ(header->tensors[0].typeName, "IQ4_XS");
}

TEST(Gguf, whatGgmlDoesNotKnowIsListed) {
    GgufBuilder file;
    file.tensor("new", {32}, 99, std::string(40, '\1'));
    file.tensor("dropped", {32}, 4, std::string(40, '\2'));
    file.tensor("scalar", {}, 0, raw(1.f));
    file.tensor("empty", {0, 4}, 0, "");
    const std::string inner = raw(GgufType::U8) + raw<std::uint64_t>(2) + "ab";
    file.pair("nested", GgufType::Array, raw(GgufType::Array) + raw<std::uint64_t>(2) + inner + inner);
    file.u32("behind", 7);
    const std::string bytes = file.bytes();
    const auto header = parseGguf(asBytes(bytes), "file");
    ASSERT_TRUE(header) << header.error().text();
    ASSERT_EQ(header->tensors.size(), 4u);
    EXPECT_EQ(header->tensors[0].type, TensorType::Other);
    EXPECT_EQ(header->tensors[0].typeName, "ggml type 99");
    EXPECT_EQ(header->tensors[0].sizeBytes, 64u) << "up to the next tensor";
    EXPECT_EQ(header->tensors[1].typeName, "ggml type 4");
    EXPECT_EQ(header->tensors[2].sizeBytes, 4u);
    EXPECT_EQ(header->tensors[3].sizeBytes, 0u);
    EXPECT_EQ(header->find("nested")->count, 2u);
    EXPECT_TRUE(header->find("nested")->numbers().empty());
    EXPECT_EQ(header->find("behind")->asUnsigned(), 7u);
}

TEST(Gguf, refusesHostileFiles) {
    for (const Hostile& hostile : hostileFiles()) {
        const auto header = parseGguf(asBytes(hostile.bytes), "bad.gguf");
        ASSERT_FALSE(header) << hostile.name;
        EXPECT_EQ(header.error().code, hostile.code) << hostile.name << ": " << header.error().message;
        EXPECT_NE(header.error().message.find(hostile.reason), std::string::npos)
            << hostile.name << ": " << header.error().message;
        EXPECT_TRUE(header.error().message.starts_with("bad.gguf: ")) << header.error().message;
    }
}

TEST(Gguf, refusesEveryTruncation) {
    const std::string bytes = smallFile().bytes();
    // The last tensor is padded behind its 40 bytes: cutting the padding loses nothing.
    const std::size_t needed = bytes.size() - (64 - 40);
    for (std::size_t length = 0; length < needed; ++length)
        ASSERT_FALSE(parseGguf(asBytes(bytes).first(length), "cut")) << length;
    EXPECT_TRUE(parseGguf(asBytes(bytes).first(needed), "cut"));
}
