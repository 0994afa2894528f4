// tokenizer_config.json and the small files beside it: what a Hugging Face folder says about its tokenizer
// outside of the vocabulary.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/api/result.h"
#include "engine/io/text_encoder.h"

namespace bdq::io {

struct TokenizerConfig {
    std::string modelType;      ///< of config.json; says the class where the folder does not
    std::string tokenizerClass; ///< without "Fast", e.g. "LlamaTokenizer"; empty = not said
    std::string bosToken, eosToken, unknownToken; ///< texts; empty = not said
    std::optional<bool> addBos, addEos, addPrefixSpace, legacy;
    /// Of added_tokens_decoder or added_tokens.json, and special tokens; id -1 = the vocabulary's.
    std::vector<AddedToken> added;

    /// Whether the class is one of LLaMA's kind, which puts BOS (by default) and EOS (if asked) around a text
    /// whatever its post_processor says.
    [[nodiscard]] bool isLlamaClass() const;
};

/// Reads tokenizer_config.json, added_tokens.json and special_tokens_map.json, each if it is there. Errors:
/// BadFormat.
Result<TokenizerConfig> readTokenizerConfig(const std::filesystem::path& folder);

/// Gives the entries of `added` without an id that of the vocabulary.
std::vector<AddedToken> withIds(std::vector<AddedToken> added, const TextEncoder& encoder);
/// What a class of LLaMA's kind puts around a text: BOS unless add_bos_token is false, EOS if add_eos_token
/// is true. Error: BadFormat when the configuration asks for a token that the vocabulary lacks.
Result<TextFrame> llamaFrame(const TokenizerConfig& config, const TextEncoder& encoder,
                             const std::string& label);

} // namespace bdq::io
