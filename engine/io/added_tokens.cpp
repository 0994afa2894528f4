#include "engine/io/added_tokens.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "engine/io/unicode.h"

namespace bdq::io {

/// A trie over bytes.
class AddedTokens::Finder {
public:
    void add(std::string_view content, std::size_t token) {
        if (content.empty()) return;
        std::size_t node = 0;
        m_begins[static_cast<unsigned char>(content.front())] = true;
        for (const char c : content) {
            const auto [place, inserted] =
                m_next.try_emplace(node << 8 | static_cast<unsigned char>(c), m_tokens.size());
            if (inserted) m_tokens.push_back(kNone);
            node = place->second;
        }
        if (m_tokens[node] == kNone) m_tokens[node] = token;
    }

    /// Appends the parts of `text`; `first` = the original text begins with it.
    void split(std::string_view text, bool first, const std::vector<AddedToken>& tokens,
               std::vector<TextPart>& parts) const {
        std::size_t done = 0;
        const auto addText = [&](std::size_t end) {
            if (end > done) parts.push_back({text.substr(done, end - done), -1, first && done == 0});
        };
        for (std::size_t at = 0; at < text.size();) {
            const bool possible = m_begins[static_cast<unsigned char>(text[at])];
            const Match match = possible ? longestAt(text, at) : Match{};
            if (match.token == kNone) {
                ++at;
                continue;
            }
            const AddedToken& token = tokens[match.token];
            std::size_t begin = at;
            std::size_t end = at += match.bytes;
            if (token.singleWord && insideWord(text, begin, end)) continue;
            if (token.leftStrip) begin = std::max(done, begin - trailingSpace(text.substr(0, begin)));
            if (token.rightStrip) end += leadingSpace(text.substr(end));
            addText(begin);
            // Nothing is left of a token that is the white space which the one before has swallowed.
            if (end > begin) parts.push_back({{}, token.id, first && begin == 0});
            done = end;
        }
        addText(text.size());
    }

private:
    static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
    struct Match {
        std::size_t token = kNone;
        std::size_t bytes = 0;
    };

    [[nodiscard]] Match longestAt(std::string_view text, std::size_t at) const {
        Match best;
        std::size_t node = 0;
        for (std::size_t i = at; i < text.size(); ++i) {
            const auto found = m_next.find(node << 8 | static_cast<unsigned char>(text[i]));
            if (found == m_next.end()) break;
            node = found->second;
            if (m_tokens[node] != kNone) best = {m_tokens[node], i + 1 - at};
        }
        return best;
    }

    static bool insideWord(std::string_view text, std::size_t begin, std::size_t end) {
        const Character before = lastCharacter(text.substr(0, begin));
        const Character behind = firstCharacter(text.substr(end));
        return (before.bytes > 0 && isWordCharacter(before.code)) ||
               (behind.bytes > 0 && isWordCharacter(behind.code));
    }

    std::array<bool, 256> m_begins{};                    ///< some token begins with this byte
    std::unordered_map<std::size_t, std::size_t> m_next; ///< node * 256 + byte -> node; node 0 is the root
    std::vector<std::size_t> m_tokens{kNone};            ///< by node
};

AddedTokens::AddedTokens()
    : m_asWritten(std::make_unique<Finder>()), m_normalized(std::make_unique<Finder>()) {}
AddedTokens::AddedTokens(AddedTokens&&) noexcept = default;
AddedTokens& AddedTokens::operator=(AddedTokens&&) noexcept = default;
AddedTokens::~AddedTokens() = default;

Result<AddedTokens> AddedTokens::build(std::vector<AddedToken> tokens, const Normalizer& normalizer) {
    AddedTokens result;
    std::unordered_set<std::string> seen;
    for (AddedToken& token : tokens) {
        if (token.content.empty() || token.id < 0 || !seen.insert(token.content).second) continue;
        if (token.normalized) {
            const auto content = normalizer.apply(token.content);
            if (!content) return passOn(content.error());
            result.m_normalized->add(*content, result.m_tokens.size());
        } else {
            result.m_asWritten->add(token.content, result.m_tokens.size());
        }
        result.m_tokens.push_back(std::move(token));
    }
    return result;
}

Result<TextParts> AddedTokens::split(std::string_view text, const Normalizer& normalizer) const {
    std::vector<TextPart> written;
    m_asWritten->split(text, true, m_tokens, written);
    TextParts result;
    for (const TextPart& part : written) {
        if (part.token >= 0) {
            result.parts.push_back(part);
            continue;
        }
        std::string_view changed = part.text;
        if (!normalizer.empty()) {
            BDQ_TRY(std::string own, normalizer.apply(part.text));
            changed = result.normalized.emplace_back(std::move(own));
        }
        m_normalized->split(changed, part.first, m_tokens, result.parts);
    }
    return result;
}

} // namespace bdq::io
