// The kinds of tokenizers behind Tokenizer; internal to engine/io.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/result.h"
#include "engine/io/added_tokens.h"
#include "engine/io/gguf.h"
#include "engine/io/normalizer.h"

namespace bdq::io {

/// Ids that a tokenizer puts around a text.
struct TextFrame {
    std::vector<std::int32_t> before;
    std::vector<std::int32_t> behind;
};

/// Text to ids: added tokens are found, the rest is normalised and given to the kind of tokenizer that a
/// derived class is. Immutable once built, and thread-safe. Text is valid UTF-8 (Tokenizer has checked it).
class TextEncoder {
public:
    TextEncoder() = default;
    TextEncoder(const TextEncoder&) = delete;
    TextEncoder& operator=(const TextEncoder&) = delete;
    virtual ~TextEncoder() = default;

    /// Ids of a text, without its frame. Errors: Unsupported, HostOom.
    [[nodiscard]] Result<std::vector<std::int32_t>> encode(std::string_view text) const;
    [[nodiscard]] virtual std::string decode(std::span<const std::int32_t> ids) const = 0;
    [[nodiscard]] virtual std::int64_t vocabSize() const = 0;
    /// Id of a token by its text, special ones included.
    [[nodiscard]] virtual std::optional<std::int32_t> idOfToken(std::string_view text) const = 0;

    /// For the reader that builds the encoder. Errors: the normalizer's.
    Status setUp(Normalizer normalizer, std::vector<AddedToken> added);
    TextFrame frame;

protected:
    virtual Status encodeParts(const TextParts& text, std::vector<std::int32_t>& ids) const = 0;

private:
    Normalizer m_normalizer;
    AddedTokens m_added;
};

/// Byte-level BPE of GGUF metadata (tokenizer.ggml.model = "gpt2").
Result<std::unique_ptr<TextEncoder>> bpeFromGguf(const GgufHeader& header, const std::string& label);
/// BPE of a tokenizer.json, byte-level or with byte fallback; `config` adds to it (tokenizer_config.h).
struct TokenizerConfig;
Result<std::unique_ptr<TextEncoder>> bpeFromJson(std::string_view json, const TokenizerConfig& config,
                                                 const std::string& label);
/// The byte-level BPE of vocab.json and merges.txt (GPT-2, Qwen2).
Result<std::unique_ptr<TextEncoder>> bpeFromFiles(std::string_view vocabulary, std::string_view merges,
                                                  const TokenizerConfig& config, const std::string& label);
/// SentencePiece vocabulary of GGUF metadata (tokenizer.ggml.model = "llama").
Result<std::unique_ptr<TextEncoder>> sentencePieceFromGguf(const GgufHeader& header,
                                                           const std::string& label);
/// A serialized SentencePiece model (tokenizer.model).
Result<std::unique_ptr<TextEncoder>>
sentencePieceFromModel(std::string_view model, const TokenizerConfig& config, const std::string& label);

} // namespace bdq::io
