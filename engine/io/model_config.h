// Numbers of a model from GGUF metadata or a Hugging Face config.json.
#pragma once

#include <string>
#include <string_view>

#include "engine/api/model_index.h"
#include "engine/api/result.h"
#include "engine/io/gguf.h"

namespace bdq::io {

/// Reads general.* and <architecture>.*. For "llama" every number of the forward pass is required; for others
/// what is there is filled in. Mixture-of-experts files of architecture "llama" become "llama-moe". Errors:
/// BadFormat naming the key, Unsupported when the file holds no language model.
Result<ModelConfig> configFromGguf(const GgufHeader& header, const std::string& label);

/// Reads config.json. model_type "mistral" becomes "llama" (the same network) with contextLength limited to
/// its sliding window. Errors: BadFormat naming the key, Unsupported (activation other than silu).
Result<ModelConfig> configFromJson(std::string_view text, const std::string& label);

} // namespace bdq::io
