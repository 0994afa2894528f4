// Byte-level BPE over whole texts: pre-tokenizer, word cache, merges.
#pragma once

#include "engine/io/bpe.h"
#include "engine/io/pretokenizer.h"
#include "engine/io/text_encoder.h"

namespace bdq::io {

class BpeEncoder final : public TextEncoder {
public:
    /// `requiresNfc`: the tokenizer normalises to NFC; text that is not surely in NFC is refused.
    BpeEncoder(Bpe bpe, Pretokenizer pretokenizer, bool requiresNfc, std::string label)
        : m_bpe(std::move(bpe)), m_pretokenizer(std::move(pretokenizer)), m_requiresNfc(requiresNfc),
          m_label(std::move(label)) {}

    [[nodiscard]] Result<std::vector<std::int32_t>> encode(std::string_view text) const override;
    [[nodiscard]] std::string decode(std::span<const std::int32_t> ids) const override;
    [[nodiscard]] std::int64_t vocabSize() const override { return m_bpe.size(); }

private:
    Bpe m_bpe;
    Pretokenizer m_pretokenizer;
    bool m_requiresNfc;
    std::string m_label;
};

} // namespace bdq::io
