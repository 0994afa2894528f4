// The kinds of tokenizers behind Tokenizer; internal to engine/io.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/result.h"
#include "engine/io/gguf.h"

namespace bdq::io {

/// Immutable and thread-safe. Text is valid UTF-8 (Tokenizer has checked it).
class TextEncoder {
public:
    TextEncoder() = default;
    TextEncoder(const TextEncoder&) = delete;
    TextEncoder& operator=(const TextEncoder&) = delete;
    virtual ~TextEncoder() = default;

    [[nodiscard]] virtual Result<std::vector<std::int32_t>> encode(std::string_view text) const = 0;
    [[nodiscard]] virtual std::string decode(std::span<const std::int32_t> ids) const = 0;
    [[nodiscard]] virtual std::int64_t vocabSize() const = 0;
};

/// Byte-level BPE of GGUF metadata (tokenizer.ggml.model = "gpt2").
Result<std::unique_ptr<TextEncoder>> bpeFromGguf(const GgufHeader& header, const std::string& label);
/// Byte-level BPE of a tokenizer.json.
Result<std::unique_ptr<TextEncoder>> bpeFromJson(std::string_view json, const std::string& label);
/// SentencePiece vocabulary of GGUF metadata (tokenizer.ggml.model = "llama").
Result<std::unique_ptr<TextEncoder>> sentencePieceFromGguf(const GgufHeader& header,
                                                           const std::string& label);
/// A serialized SentencePiece model (tokenizer.model).
Result<std::unique_ptr<TextEncoder>> sentencePieceFromModel(std::string_view model, const std::string& label);

} // namespace bdq::io
