#include "engine/io/bpe_encoder.h"

#include <array>
#include <charconv>

#include "engine/io/nfc_check.h"

namespace bdq::io {
namespace {

// Natural text repeats its words: 1.3 MB of Wikipedia has 280,000 pieces, 26,000 of them different. Longer
// pieces and later ones are encoded afresh, so that hostile text cannot fill the memory.
constexpr std::size_t kMaxCachedWords = 200'000;
constexpr std::size_t kMaxCachedBytes = 64;

std::string codePointName(char32_t code) {
    std::array<char, 8> digits{};
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), static_cast<std::uint32_t>(code), 16).ptr;
    return "U+" + std::string(digits.data(), end);
}

} // namespace

Result<std::vector<std::int32_t>> BpeEncoder::encode(std::string_view text) const {
    if (const auto code = m_requiresNfc ? firstNotSurelyNfc(text) : std::nullopt)
        return fail(ErrorCode::Unsupported,
                    m_label +
                        ": the tokenizer normalises text to Unicode NFC, which this version "
                        "does not do; the text holds " +
                        codePointName(*code) + ": convert it to NFC first");
    std::vector<std::string_view> pieces;
    BDQ_CHECK(m_pretokenizer.split(text, pieces));
    struct Word {
        std::size_t begin;
        std::size_t end;
    };
    // Where in `ids` each word was encoded first.
    std::unordered_map<std::string_view, Word> cache;
    std::vector<std::int32_t> ids;
    ids.reserve(text.size() / 3);
    for (const std::string_view piece : pieces) {
        if (const auto known = cache.find(piece); known != cache.end()) {
            for (std::size_t i = known->second.begin; i < known->second.end; ++i)
                ids.push_back(ids[i]);
            continue;
        }
        const std::size_t begin = ids.size();
        BDQ_CHECK(m_bpe.encodePiece(piece, ids));
        if (piece.size() <= kMaxCachedBytes && cache.size() < kMaxCachedWords)
            cache.emplace(piece, Word{begin, ids.size()});
    }
    return ids;
}

std::string BpeEncoder::decode(std::span<const std::int32_t> ids) const {
    std::string text;
    for (const std::int32_t id : ids)
        text += m_bpe.bytesOf(id);
    return text;
}

} // namespace bdq::io
