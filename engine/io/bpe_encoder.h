// BPE over whole texts: pre-tokenizer, word cache, merges.
#pragma once

#include "engine/io/bpe.h"
#include "engine/io/pretokenizer.h"
#include "engine/io/text_encoder.h"

namespace bdq::io {

class BpeEncoder final : public TextEncoder {
public:
    BpeEncoder(Bpe bpe, Pretokenizer pretokenizer)
        : m_bpe(std::move(bpe)), m_pretokenizer(std::move(pretokenizer)) {}

    [[nodiscard]] std::string decode(std::span<const std::int32_t> ids) const override;
    [[nodiscard]] std::int64_t vocabSize() const override { return m_bpe.size(); }
    [[nodiscard]] std::optional<std::int32_t> idOfToken(std::string_view text) const override;

private:
    Status encodeParts(const TextParts& text, std::vector<std::int32_t>& ids) const override;

    Bpe m_bpe;
    Pretokenizer m_pretokenizer;
};

} // namespace bdq::io
