// UTF-8 checks.
#pragma once

#include <cstddef>
#include <string_view>

namespace bdq::io {

/// Position of the first byte that is not valid UTF-8 (overlong forms, surrogates and values above U+10FFFF
/// included), or npos when all of the text is.
std::size_t invalidUtf8At(std::string_view text);

} // namespace bdq::io
