// Unicode beyond UTF-8's bytes: normalization forms, case, and the character classes that tokenizers ask for
// (utf8proc).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/api/result.h"

namespace bdq::io {

/// Forms of Unicode Standard Annex 15.
enum class UnicodeForm { Nfc, Nfd, Nfkc, Nfkd };

/// Text in a normalization form. `text` is valid UTF-8. Errors: HostOom.
Result<std::string> normalized(std::string_view text, UnicodeForm form);
/// Every character in lower case, one by one: no rule that looks at its neighbours.
std::string lowercased(std::string_view text);
/// Without combining marks (general category M).
std::string withoutMarks(std::string_view text);

/// One character of valid UTF-8.
struct Character {
    char32_t code = 0;
    std::size_t bytes = 0; ///< 0 = there is none
};
Character firstCharacter(std::string_view text);
Character lastCharacter(std::string_view text);
void appendUtf8(char32_t code, std::string& text);

/// Property White_Space.
bool isSpace(char32_t code);
/// What regular expressions mean by \w (Unicode Technical Standard 18, annex C).
bool isWordCharacter(char32_t code);

/// Bytes of white space that `text` begins and ends with.
std::size_t leadingSpace(std::string_view text);
std::size_t trailingSpace(std::string_view text);

} // namespace bdq::io
