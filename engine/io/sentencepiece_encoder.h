// Texts to ids by the SentencePiece library.
#pragma once

#include <sentencepiece_processor.h>

#include "engine/io/text_encoder.h"

namespace bdq::io {

/// Where SentencePiece's space in front of a text stands: in front of every text between two added tokens (as
/// llama.cpp and transformers' "legacy" have it), of the first alone, or nowhere.
enum class SpacePrefix { Every, First, None };

class SentencePieceEncoder final : public TextEncoder {
public:
    /// `model` is a serialized ModelProto. Its control, user-defined and unknown pieces, and `added`, are
    /// found in texts. Error: BadFormat when the library refuses the model.
    static Result<std::unique_ptr<SentencePieceEncoder>>
    load(std::string_view model, SpacePrefix prefix, std::vector<AddedToken> added, const std::string& label);
    SentencePieceEncoder(SpacePrefix prefix, std::string label)
        : m_prefix(prefix), m_label(std::move(label)) {}

    [[nodiscard]] std::string decode(std::span<const std::int32_t> ids) const override;
    [[nodiscard]] std::int64_t vocabSize() const override;
    [[nodiscard]] std::optional<std::int32_t> idOfToken(std::string_view text) const override;

private:
    Status encodeParts(const TextParts& text, std::vector<std::int32_t>& ids) const override;
    Status encodeText(const TextPart& part, std::vector<std::int32_t>& ids) const;
    [[nodiscard]] bool hasPrefix(const TextPart& part) const;

    sentencepiece::SentencePieceProcessor m_processor;
    sentencepiece::SentencePieceProcessor m_bare; ///< without a space in front
    SpacePrefix m_prefix;
    std::string m_label;
};

} // namespace bdq::io
