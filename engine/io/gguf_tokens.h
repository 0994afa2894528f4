// The vocabulary in GGUF metadata, as both kinds of tokenizers read it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/result.h"
#include "engine/io/gguf.h"
#include "engine/io/text_encoder.h"

namespace bdq::io {

/// Types of tokenizer.ggml.token_type.
enum class GgufTokenType { Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6 };

struct GgufTokens {
    std::vector<std::string_view> texts;
    std::vector<GgufTokenType> types; ///< by id; Normal where the file has none
    std::vector<double> scores;       ///< by id; 0 where the file has none
    bool hasTypes = false;
};

/// Errors: BadFormat (no tokens, other counts of types or scores, an unknown type).
Result<GgufTokens> tokensFromGguf(const GgufHeader& header, const std::string& label);

/// An id from metadata, when it is below `count`.
std::optional<std::int32_t> ggufTokenId(const GgufHeader& header, std::string_view key, std::size_t count);

/// Tokens of the types that llama.cpp finds in a text: control, user-defined and unknown.
std::vector<AddedToken> addedFromGguf(const GgufTokens& tokens);

/// BOS and EOS: the ids that the file names, else those given.
struct GgufEnds {
    std::optional<std::int32_t> bos;
    std::optional<std::int32_t> eos;
};
GgufEnds endsFromGguf(const GgufHeader& header, std::size_t count, GgufEnds usual = {});

/// What tokenizer.ggml.add_bos_token and add_eos_token ask for. A file that does not say puts nothing around
/// a text.
TextFrame frameFromGguf(const GgufHeader& header, const GgufEnds& ends);

} // namespace bdq::io
