// Tokens that are found in a text before anything else is done with it: special ones, and those that were
// added to a vocabulary after its training.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/result.h"
#include "engine/io/normalizer.h"

namespace bdq::io {

struct AddedToken {
    std::string content;
    std::int32_t id = -1;
    bool singleWord = false; ///< not inside a word
    bool leftStrip = false;  ///< swallows white space in front
    bool rightStrip = false; ///< and behind
    bool normalized = false; ///< looked for in the normalised text, in its own normalised form
};

/// A stretch of a text: one added token, or text between two of them.
struct TextPart {
    std::string_view text;   ///< normalised; empty for a token
    std::int32_t token = -1; ///< -1 = text
    bool first = false;      ///< the original text begins here
};

/// Parts of a text, with what they view. Not copied: parts view the strings.
struct TextParts {
    std::vector<TextPart> parts;
    std::deque<std::string> normalized;
    TextParts() = default;
    TextParts(TextParts&&) noexcept = default;
    TextParts& operator=(TextParts&&) noexcept = default;
    TextParts(const TextParts&) = delete;
    TextParts& operator=(const TextParts&) = delete;
    ~TextParts() = default;
};

/// Immutable and thread-safe. Cuts as the library `tokenizers` does: tokens that are not normalised are found
/// in the text as it is, the leftmost first and of those the longest; what lies between them is normalised
/// and searched for the others.
class AddedTokens {
public:
    AddedTokens();
    /// Tokens without content or id are left out; of two with the same content the first counts.
    static Result<AddedTokens> build(std::vector<AddedToken> tokens, const Normalizer& normalizer);
    AddedTokens(AddedTokens&&) noexcept;
    AddedTokens& operator=(AddedTokens&&) noexcept;
    ~AddedTokens();

    /// The text must outlive the parts. Errors: the normalizer's.
    Result<TextParts> split(std::string_view text, const Normalizer& normalizer) const;

private:
    class Finder;
    std::vector<AddedToken> m_tokens;
    std::unique_ptr<Finder> m_asWritten;
    std::unique_ptr<Finder> m_normalized;
};

} // namespace bdq::io
