#include "engine/io/utf8.h"

#include <array>
#include <cstdint>

namespace bdq::io {

std::size_t invalidUtf8At(std::string_view text) {
    const auto byteAt = [&](std::size_t i) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
    };
    for (std::size_t i = 0; i < text.size();) {
        const std::uint32_t first = byteAt(i);
        const std::size_t extra = first < 0x80       ? 0
                                  : first >> 5 == 6  ? 1
                                  : first >> 4 == 14 ? 2
                                  : first >> 3 == 30 ? 3
                                                     : 9;
        if (extra > text.size() - i - 1) return i;
        std::uint32_t value = extra == 0 ? first : first & (0x3fu >> extra);
        for (std::size_t k = 1; k <= extra; ++k) {
            if (byteAt(i + k) >> 6 != 2) return i;
            value = value << 6 | (byteAt(i + k) & 0x3fu);
        }
        constexpr std::array<std::uint32_t, 4> kLeast{0, 0x80, 0x800, 0x10000};
        if (value < kLeast[extra] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return i;
        i += extra + 1;
    }
    return std::string_view::npos;
}

} // namespace bdq::io
