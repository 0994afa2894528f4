// Text to token ids and back: byte-level BPE (GPT-2, SmolLM, LLaMA-3, Qwen2 pre-tokenizers) and
// SentencePiece.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/result.h"
#include "engine/io/model_reader.h"

namespace bdq::io {

class Tokenizer {
public:
    /// Errors: NotFound when the model has no tokenizer, Unsupported (kind or pre-tokenizer), BadFormat.
    static Result<Tokenizer> create(const ModelReader& model);
    Tokenizer(Tokenizer&&) noexcept;
    Tokenizer& operator=(Tokenizer&&) noexcept;
    ~Tokenizer();

    /// Ids of plain text; special tokens are not recognised inside it and none is added. Invalid UTF-8 is an
    /// error.
    [[nodiscard]] Result<std::vector<std::int32_t>> encode(std::string_view text) const;
    [[nodiscard]] std::string decode(std::span<const std::int32_t> ids) const;
    [[nodiscard]] std::int64_t vocabSize() const;
    [[nodiscard]] std::optional<std::int32_t> bosId() const;
    [[nodiscard]] std::optional<std::int32_t> eosId() const;

private:
    struct Impl;
    explicit Tokenizer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

} // namespace bdq::io
