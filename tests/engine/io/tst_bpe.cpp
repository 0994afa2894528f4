#include "engine/io/bpe.h"

#include <algorithm>

#include "tests/engine/io/io_test_data.h"

using namespace bdq;
using namespace bdq::io;
using namespace bdq::io::test;

namespace {

/// Texts of a small vocabulary over the letters a-d: letters, then one token per merge.
struct Toy {
    std::vector<std::string> tokens{"a", "b", "c", "d"};
    std::vector<std::pair<std::string, std::string>> merges;

    explicit Toy(unsigned seed) {
        std::mt19937 random(seed);
        while (merges.size() < 30) {
            const std::string left = tokens[random() % tokens.size()];
            const std::string right = tokens[random() % tokens.size()];
            if (std::find(tokens.begin(), tokens.end(), left + right) != tokens.end()) continue;
            merges.emplace_back(left, right);
            tokens.push_back(left + right);
        }
    }
    [[nodiscard]] Bpe build() const {
        BpeSource source;
        for (const std::string& token : tokens)
            source.tokens.push_back({token, false});
        source.merges.assign(merges.begin(), merges.end());
        return Bpe::build(source, "toy").value();
    }
    /// The definition: join the leftmost pair of the best rank until none is left.
    [[nodiscard]] std::vector<std::int32_t> reference(const std::string& text) const {
        std::vector<std::string> parts;
        for (const char c : text)
            parts.emplace_back(1, c);
        for (;;) {
            std::size_t best = merges.size();
            std::size_t place = 0;
            for (std::size_t i = 0; i + 1 < parts.size(); ++i)
                for (std::size_t rank = 0; rank < best; ++rank)
                    if (merges[rank] == std::pair(parts[i], parts[i + 1])) {
                        best = rank;
                        place = i;
                    }
            if (best == merges.size()) break;
            parts[place] += parts[place + 1];
            parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(place) + 1);
        }
        std::vector<std::int32_t> ids;
        for (const std::string& part : parts)
            ids.push_back(
                static_cast<std::int32_t>(std::find(tokens.begin(), tokens.end(), part) - tokens.begin()));
        return ids;
    }
};

} // namespace

TEST(Bpe, agreesWithTheDefinition) {
    for (unsigned seed = 0; seed < 40; ++seed) {
        const Toy toy(seed);
        const Bpe bpe = toy.build();
        std::mt19937 random(seed + 1000);
        for (int round = 0; round < 50; ++round) {
            std::string text;
            for (auto length = random() % 40; length > 0; --length)
                text += static_cast<char>('a' + random() % 4);
            std::vector<std::int32_t> ids;
            ASSERT_TRUE(bpe.encodePiece(text, ids));
            ASSERT_EQ(ids, toy.reference(text)) << "seed " << seed << " text " << text;
        }
    }
}

TEST(Bpe, longPiecesStayFast) {
    const Bpe bpe = Toy(3).build();
    std::vector<std::int32_t> ids;
    // A quadratic algorithm would take 10^12 steps here and run into the test's time limit.
    ASSERT_TRUE(bpe.encodePiece(std::string(1'000'000, 'a'), ids));
    std::size_t bytes = 0;
    for (const std::int32_t id : ids)
        bytes += bpe.bytesOf(id).size();
    EXPECT_EQ(bytes, 1'000'000u);
}

TEST(Bpe, byteTableIsABijection) {
    std::vector<std::string> seen;
    for (unsigned byte = 0; byte < 256; ++byte) {
        const std::string text = tokenTextOfByte(static_cast<std::uint8_t>(byte));
        EXPECT_EQ(bytesOfTokenText(text), std::string(1, static_cast<char>(byte)));
        seen.push_back(text);
    }
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
    EXPECT_EQ(tokenTextOfByte(' '), "\u0120");
    EXPECT_EQ(tokenTextOfByte('\n'), "\u010a");
    EXPECT_EQ(tokenTextOfByte('A'), "A");
    EXPECT_EQ(tokenTextOfByte(0xad), "\u0143");
    EXPECT_EQ(bytesOfTokenText("\u0144"), std::nullopt);
    EXPECT_EQ(bytesOfTokenText("\u2581"), std::nullopt);
    EXPECT_EQ(bytesOfTokenText("a b"), std::nullopt) << "a space is always written shifted";
}

TEST(Bpe, wholeTokensWinWhenMergesAreIgnored) {
    BpeSource source;
    source.tokens = {{"a", false}, {"b", false}, {"ab", false}, {"aba", false}};
    source.merges = {{"a", "b"}};
    std::vector<std::int32_t> ids;
    ASSERT_TRUE(Bpe::build(source, "t").value().encodePiece("aba", ids));
    EXPECT_EQ(ids, (std::vector<std::int32_t>{2, 0}));
    source.ignoreMerges = true;
    ids.clear();
    ASSERT_TRUE(Bpe::build(source, "t").value().encodePiece("aba", ids));
    EXPECT_EQ(ids, (std::vector<std::int32_t>{3}));
}

TEST(Bpe, errorsNameTheirObject) {
    BpeSource source;
    EXPECT_FALSE(Bpe::build(source, "t"));
    source.tokens = {{"a", false}, {"b", false}};
    source.merges = {{"a", "b"}};
    EXPECT_NE(Bpe::build(source, "t").error().message.find("merge 0 of 'a' and 'b'"), std::string::npos);
    source.merges.clear();
    source.unknown = "<unk>";
    EXPECT_NE(Bpe::build(source, "t").error().message.find("'<unk>' is not in the vocabulary"),
              std::string::npos);
}

// As `tokenizers` (models/bpe/model.rs): nothing, an unknown token, or bytes.
TEST(Bpe, charactersWithoutAToken) {
    BpeSource source;
    source.tokens = {{"a", false}, {"b", false}, {"<unk>", false}, {"<0xC3>", false}, {"<0xA9>", false}};
    const auto encoded = [&](std::string_view text) {
        std::vector<std::int32_t> ids;
        EXPECT_TRUE(Bpe::build(source, "t").value().encodePiece(text, ids));
        return ids;
    };
    using Ids = std::vector<std::int32_t>;
    EXPECT_EQ(encoded("axxb"), (Ids{0, 1})) << "left out";
    source.unknown = "<unk>";
    EXPECT_EQ(encoded("axxb"), (Ids{0, 2, 2, 1}));
    source.fuseUnknown = true;
    EXPECT_EQ(encoded("axxb"), (Ids{0, 2, 1}));
    source.byteLevel = false;
    EXPECT_EQ(encoded("a\u00e9b"), (Ids{0, 2, 1})) << "one character, not two bytes";
    source.byteFallback = true;
    EXPECT_EQ(encoded("a\u00e9b"), (Ids{0, 3, 4, 1}));
    EXPECT_EQ(encoded("a\u4f60b"), (Ids{0, 2, 1})) << "not all of its bytes are there";
}

TEST(Bpe, ofTwoTokensWithTheSameTextTheLastCounts) {
    BpeSource source;
    source.tokens = {{"a", false}, {"b", false}, {"a", false}};
    std::vector<std::int32_t> ids;
    ASSERT_TRUE(Bpe::build(source, "t").value().encodePiece("ab", ids));
    EXPECT_EQ(ids, (std::vector<std::int32_t>{2, 1}));
}
