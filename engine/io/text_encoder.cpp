#include "engine/io/text_encoder.h"

namespace bdq::io {

Result<std::vector<std::int32_t>> TextEncoder::encode(std::string_view text) const {
    BDQ_TRY(const TextParts parts, m_added.split(text, m_normalizer));
    std::vector<std::int32_t> ids;
    ids.reserve(text.size() / 3);
    BDQ_CHECK(encodeParts(parts, ids));
    return ids;
}

Status TextEncoder::setUp(Normalizer normalizer, std::vector<AddedToken> added) {
    BDQ_TRY(m_added, AddedTokens::build(std::move(added), normalizer));
    m_normalizer = std::move(normalizer);
    return {};
}

} // namespace bdq::io
