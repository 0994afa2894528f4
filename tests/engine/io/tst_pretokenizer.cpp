#include "engine/io/pretokenizer.h"

#include <nlohmann/json.hpp>

#include "engine/io/utf8.h"
#include "tests/engine/io/io_test_data.h"

using namespace bdq;
using namespace bdq::io;

namespace {

using Pieces = std::vector<std::string_view>;

Pieces split(std::string_view name, std::string_view text) {
    Pretokenizer::Pieces pieces;
    EXPECT_TRUE(Pretokenizer::fromGgufName(name, "t").value().split(text, true, pieces));
    return pieces.texts;
}

std::vector<std::string> splitByJson(const nlohmann::json& object, std::string_view text, bool first = true) {
    Pretokenizer::Pieces pieces;
    const auto cuts = pretokenizerFromJson(&object, "t");
    EXPECT_TRUE(cuts) << cuts.error().text();
    EXPECT_TRUE(cuts->stages.split(text, first, pieces));
    return {pieces.texts.begin(), pieces.texts.end()};
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
    // As Oniguruma: an empty match is a cut, unless it stands right behind the match before it.
    Pretokenizer::Pieces pieces;
    ASSERT_TRUE(Pretokenizer::fromPatterns({"x*"}, "t").value().split("a\u00e9xxb", true, pieces));
    EXPECT_EQ(pieces.texts, (Pieces{"a", "\u00e9", "xx", "b"}));
    // Exponential backtracking ends in an error, not in a hang.
    const std::string text(64, 'a');
    const auto status =
        Pretokenizer::fromPatterns({"(?:a+)+(?:a+)+(?:a+)+[^a]"}, "t").value().split(text, true, pieces);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::Unsupported);
}

// The examples of the documentation of `tokenizers` (SplitDelimiterBehavior).
TEST(Pretokenizer, behaviorsOfSplit) {
    const std::string text = "the-final--countdown";
    const std::pair<const char*, std::vector<std::string>> cases[] = {
        {"Removed", {"the", "final", "countdown"}},
        {"Isolated", {"the", "-", "final", "-", "-", "countdown"}},
        {"MergedWithPrevious", {"the-", "final-", "-", "countdown"}},
        {"MergedWithNext", {"the", "-final", "-", "-countdown"}},
        {"Contiguous", {"the", "-", "final", "--", "countdown"}}};
    for (const auto& [behavior, expected] : cases)
        for (const char* kind : {"String", "Regex"}) {
            const nlohmann::json cut{
                {"type", "Split"}, {"pattern", {{kind, "-"}}}, {"behavior", behavior}, {"invert", false}};
            EXPECT_EQ(splitByJson(cut, text), expected) << behavior << " " << kind;
        }
    const nlohmann::json words{
        {"type", "Split"}, {"pattern", {{"Regex", "[a-z]+"}}}, {"behavior", "Removed"}, {"invert", true}};
    EXPECT_EQ(splitByJson(words, text), (std::vector<std::string>{"the", "final", "countdown"}));
}

TEST(Pretokenizer, metaspaceAndSpacesInFront) {
    const auto metaspace = [](const char* scheme, bool split) {
        return nlohmann::json{
            {"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", scheme}, {"split", split}};
    };
    using Texts = std::vector<std::string>;
    EXPECT_EQ(splitByJson(metaspace("always", true), "a b"), (Texts{"_a", "_b"}));
    EXPECT_EQ(splitByJson(metaspace("always", false), "a b"), (Texts{"_a_b"}));
    EXPECT_EQ(splitByJson(metaspace("always", false), " a"), (Texts{"_a"})) << "one is there";
    EXPECT_EQ(splitByJson(metaspace("first", false), "a", true), (Texts{"_a"}));
    EXPECT_EQ(splitByJson(metaspace("first", false), "a", false), (Texts{"a"}));
    EXPECT_EQ(splitByJson(metaspace("never", true), "a  b"), (Texts{"a", "_", "_b"}));
    const nlohmann::json older{{"type", "Metaspace"}, {"replacement", "_"}, {"add_prefix_space", false}};
    EXPECT_EQ(splitByJson(older, "a b"), (Texts{"a", "_b"}));
    const nlohmann::json bytes{{"type", "ByteLevel"}, {"add_prefix_space", true}, {"use_regex", true}};
    EXPECT_EQ(splitByJson(bytes, "a b"), (Texts{" a", " b"}));
    EXPECT_EQ(splitByJson(bytes, " a"), (Texts{" a"}));
}

TEST(Pretokenizer, nestedAndIntersectedClasses) {
    const auto nested = Regex::compile("[a[bc\\s]]+", "t");
    ASSERT_TRUE(nested) << nested.error().text();
    std::vector<Range> found;
    ASSERT_TRUE(nested->findAll("xab cx", found));
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].begin, 1u);
    EXPECT_EQ(found[0].end, 5u);
    for (const char* pattern : {"[a-z&&[^b]]", "[a[^b]]"}) {
        const auto refused = Regex::compile(pattern, "t");
        ASSERT_FALSE(refused) << pattern;
        EXPECT_EQ(refused.error().code, ErrorCode::Unsupported);
    }
    EXPECT_TRUE(Regex::compile("[[:alpha:]\\s]+", "t"));
}

// Digits in threes from the right: empty matches cut.
TEST(Pretokenizer, superBpeGroupsDigits) {
    EXPECT_EQ(split("superbpe", "a 1234567"), (Pieces{"a ", "1", "234", "567"}));
}

TEST(Pretokenizer, everyGgufNameCompiles) {
    const auto unknown = Pretokenizer::fromGgufName("new-model", "file.gguf");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::Unsupported);
    const std::string& message = unknown.error().message;
    for (const char* part : {"file.gguf", "'new-model'", "smollm", "deepseek-r1-qwen", "tekken"})
        EXPECT_NE(message.find(part), std::string::npos) << message;
    std::istringstream names(message.substr(message.find("one of ") + 7));
    int count = 0;
    for (std::string name; names >> name; ++count) {
        const auto cuts = Pretokenizer::fromGgufName(name, "t");
        ASSERT_TRUE(cuts) << name << ": " << cuts.error().text();
        Pretokenizer::Pieces pieces;
        ASSERT_TRUE(cuts->split("It's 12345 \u4f60\u597d\n", true, pieces)) << name;
        std::string joined;
        for (const std::string_view piece : pieces.texts)
            joined += piece;
        EXPECT_EQ(joined, "It's 12345 \u4f60\u597d\n") << name;
    }
    EXPECT_GT(count, 40);
    EXPECT_FALSE(Pretokenizer::fromGgufName("", "t"));
    EXPECT_FALSE(Pretokenizer::fromGgufName("gpt-2 mpt", "t"));
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
