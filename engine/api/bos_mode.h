// Whether a text is read with the tokens that its tokenizer puts around it.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace bdq {

enum class BosMode {
    Auto, ///< as the tokenizer says (post_processor, add_bos_token), which is what transformers does by
          ///< default
    On,   ///< one BOS in front of the text, also where the tokenizer puts none
    Off   ///< nothing around the text: the protocol of the published WikiText-2 perplexities of this project
};

inline constexpr std::array<std::string_view, 3> kBosModeNames{"auto", "on", "off"};

inline std::string_view bosModeName(BosMode mode) {
    return kBosModeNames[static_cast<std::size_t>(mode)];
}

inline std::optional<BosMode> bosModeFromName(std::string_view name) {
    for (std::size_t i = 0; i < kBosModeNames.size(); ++i)
        if (kBosModeNames[i] == name) return static_cast<BosMode>(i);
    return std::nullopt;
}

} // namespace bdq
