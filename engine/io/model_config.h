// Numbers of a model from GGUF metadata or a Hugging Face config.json.
#pragma once

#include <algorithm>
#include <array>
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

/// Reads general.* and <architecture>.*, and from `file`, the bytes that were parsed, rope_freqs.weight. For
/// computed architectures every number of the forward pass is required; for others what is there is filled
/// in. Mixture-of-experts files become "llama-moe" etc. Errors: BadFormat naming the key or tensor,
/// Unsupported when the file holds no language model.
Result<ModelConfig> configFromGguf(const GgufHeader& header, std::span<const std::byte> file,
                                   const std::string& label);

/// Reads config.json. A model whose windowed and full layers do not form two runs (full ones first) becomes
/// "NAME-mixed-attention", which is not computed. Errors: BadFormat naming the key, Unsupported (activation
/// other than silu).
Result<ModelConfig> configFromJson(std::string_view text, const std::string& label);

} // namespace bdq::io
