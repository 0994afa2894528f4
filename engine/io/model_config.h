// Numbers of a model from GGUF metadata or a Hugging Face config.json.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/api/model_index.h"
#include "engine/api/result.h"
#include "engine/io/gguf.h"

namespace bdq::io {

/// Architectures whose forward pass engine/model computes, by Hugging Face's model_type; GGUF files of
/// Mistral and SmolLM2 say "llama".
inline constexpr std::array<std::string_view, 4> kComputedArchitectures{"llama", "mistral", "qwen2", "qwen3"};
inline bool isComputed(std::string_view architecture) {
    return std::find(kComputedArchitectures.begin(), kComputedArchitectures.end(), architecture) !=
           kComputedArchitectures.end();
}
/// "llama, mistral, ..."
std::string computedArchitecturesText();

/// What a file says about its model: enough to list it, whatever is missing, and why it cannot be computed.
struct ConfigReading {
    ModelConfig config;           ///< 0 and empty = not known
    std::optional<Error> refusal; ///< first thing that computing needs and listing does not

    void refuse(ErrorCode code, std::string message) {
        if (!refusal) refusal = Error{code, std::move(message), {}};
    }
};

/// One file of a GGUF model.
struct GgufPart {
    const GgufHeader* header;
    std::span<const std::byte> bytes; ///< the file
};

/// Reads general.* and <architecture>.*, and from tensors the size of the vocabulary and rope_freqs.weight,
/// each from the part that has it. For computed architectures every number of the forward pass is required.
/// Mixture-of-experts files become "llama-moe" etc. Refusals: BadFormat naming the key or tensor, Unsupported
/// (a file that holds no whole language model).
ConfigReading configFromGguf(std::span<const GgufPart> parts, const std::string& label);

/// Reads config.json, of vision-language models the part about their language model, too. A model whose
/// windowed and full layers do not form two runs (full ones first) becomes "NAME-mixed-attention", which is
/// not computed. Error: BadFormat when it is no JSON object. Refusals: BadFormat naming the key, Unsupported
/// (activation other than silu, a checkpoint that is quantized already).
Result<ConfigReading> configFromJson(std::string_view text, const std::string& label);

} // namespace bdq::io
