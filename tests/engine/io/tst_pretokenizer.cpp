#include "engine/io/pretokenizer.h"

#include "engine/io/utf8.h"
#include "tests/engine/io/io_test_data.h"

using namespace bdq;
using namespace bdq::io;

namespace {

using Pieces = std::vector<std::string_view>;

Pieces split(std::string_view name, std::string_view text) {
    Pieces pieces;
    EXPECT_TRUE(Pretokenizer::fromGgufName(name, "t").value().split(text, pieces));
    return pieces;
}

} // namespace

TEST(Pretokenizer, knownPatterns) {
    EXPECT_EQ(split("gpt-2", "I'm 42  ok\n"), (Pieces{"I", "'m", " 42", " ", " ok", "\n"}));
    EXPECT_EQ(split("smollm", "abc  12"), (Pieces{"abc", "  ", "1", "2"})) << "digits are cut out first";
    EXPECT_EQ(split("gpt-2", "abc  12"), (Pieces{"abc", " ", " 12"}));
    EXPECT_EQ(split("llama-bpe", "I'M 1234.\n\n x"), (Pieces{"I", "'M", " ", "123", "4", ".\n\n", " x"}));
    EXPECT_EQ(split("qwen2", "a1234"), (Pieces{"a", "1", "2", "3", "4"}));
    EXPECT_TRUE(split("gpt-2", "").empty());
}

TEST(Pretokenizer, piecesAreTheWholeText) {
    std::mt19937 random(5);
    const std::vector<std::string> parts{"a", "Z",      "1",      " ",          "\n",     "\r", "'s",
                                         ".", "\u00a0", "\u4f60", "\U0001f600", "\u0301", "\t"};
    for (const char* name : {"gpt-2", "smollm", "llama-bpe", "qwen2"})
        for (int round = 0; round < 200; ++round) {
            std::string text;
            for (auto i = random() % 30; i > 0; --i)
                text += parts[random() % parts.size()];
            std::string joined;
            for (const std::string_view piece : split(name, text)) {
                EXPECT_FALSE(piece.empty());
                joined += piece;
            }
            ASSERT_EQ(joined, text) << name;
        }
}

TEST(Pretokenizer, emptyMatchesAndHostilePatterns) {
    Pieces pieces;
    ASSERT_TRUE(Pretokenizer::fromPatterns({"x*"}, "t").value().split("a\u00e9xxb", pieces));
    EXPECT_EQ(pieces, (Pieces{"a\u00e9", "xx", "b"}));
    // Exponential backtracking ends in an error, not in a hang.
    const std::string text(64, 'a');
    pieces.clear();
    const auto status =
        Pretokenizer::fromPatterns({"(?:a+)+(?:a+)+(?:a+)+[^a]"}, "t").value().split(text, pieces);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::Unsupported);
}

TEST(Pretokenizer, unknownNamesAreRefused) {
    const auto unknown = Pretokenizer::fromGgufName("tekken", "file.gguf");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::Unsupported);
    for (const char* part : {"file.gguf", "'tekken'", "smollm"})
        EXPECT_NE(unknown.error().message.find(part), std::string::npos) << unknown.error().message;
}

TEST(Utf8, findsTheFirstInvalidByte) {
    EXPECT_EQ(invalidUtf8At("plain \u00e9 \u4f60 \U0001f600 \ud7ff \U0010ffff"), std::string_view::npos);
    EXPECT_EQ(invalidUtf8At("ab\x80"), 2u);
    EXPECT_EQ(invalidUtf8At("ab\xc1\xbf"), 2u) << "overlong";
    EXPECT_EQ(invalidUtf8At("\xe0\x9f\xbf"), 0u) << "overlong";
    EXPECT_EQ(invalidUtf8At("\xf0\x8f\xbf\xbf"), 0u) << "overlong";
    EXPECT_EQ(invalidUtf8At("\xed\xbf\xbf"), 0u) << "surrogate";
    EXPECT_EQ(invalidUtf8At("\xf4\x90\x80\x80"), 0u) << "above U+10FFFF";
    EXPECT_EQ(invalidUtf8At("a\xf0\x9f\x98"), 1u) << "cut off";
}
