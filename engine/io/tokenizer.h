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

#include "engine/api/bos_mode.h"
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

    /// Ids of a text; special and added tokens written in it are recognised. Auto adds what the tokenizer
    /// puts around a text, On at least one BOS in front, Off nothing. Errors: BadFormat (invalid UTF-8, a
    /// token id that the embedding has no row for), Unsupported (On, but the model has no BOS token).
    [[nodiscard]] Result<std::vector<std::int32_t>> encode(std::string_view text,
                                                           BosMode bos = BosMode::Off) const;
    /// Whether Auto puts the BOS token in front of a text.
    [[nodiscard]] bool addsBos() const;
    [[nodiscard]] std::string decode(std::span<const std::int32_t> ids) const;
    [[nodiscard]] std::int64_t vocabSize() const;
    [[nodiscard]] std::optional<std::int32_t> bosId() const;
    [[nodiscard]] std::optional<std::int32_t> eosId() const;

private:
    struct Impl;
    explicit Tokenizer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

/// Whether each token id has a row in an embedding of `rows` rows. `label` says where the ids come from.
/// Error: BadFormat naming the first id that has none, and `rows`.
Status checkTokenIds(std::span<const std::int32_t> ids, std::int64_t rows, const std::string& label);

} // namespace bdq::io
