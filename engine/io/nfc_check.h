// Unicode normalization form C: recognised, not computed.
#pragma once

#include <optional>
#include <string_view>

namespace bdq::io {

/// First code point of valid UTF-8 `text` that normalization to NFC might change; nothing when the text is in
/// NFC by the quick check of Unicode Standard Annex 15 (the order of stacked combining marks that never
/// compose is not checked).
std::optional<char32_t> firstNotSurelyNfc(std::string_view text);

} // namespace bdq::io
