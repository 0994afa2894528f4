#include "engine/io/sentencepiece_encoder.h"

#include "engine/io/gguf_tokens.h"
#include "engine/io/sentencepiece_proto.h"
#include "engine/io/tokenizer_config.h"

namespace bdq::io {
namespace {

constexpr std::string_view kSpace = "\u2581";

/// Pieces that `transformers` takes for added tokens.
std::vector<AddedToken> specialPieces(std::string_view model) {
    const std::vector<SentencePiece> pieces = piecesOfModel(model);
    std::vector<AddedToken> tokens;
    for (std::size_t id = 0; id < pieces.size(); ++id) {
        const auto type = static_cast<GgufTokenType>(pieces[id].type);
        if (type != GgufTokenType::Control && type != GgufTokenType::UserDefined &&
            type != GgufTokenType::Unknown)
            continue;
        AddedToken token;
        token.content = std::string(pieces[id].text);
        token.id = static_cast<std::int32_t>(id);
        tokens.push_back(std::move(token));
    }
    return tokens;
}

} // namespace

Result<std::unique_ptr<SentencePieceEncoder>> SentencePieceEncoder::load(std::string_view model,
                                                                         SpacePrefix prefix,
                                                                         std::vector<AddedToken> added,
                                                                         const std::string& label) {
    auto encoder = std::make_unique<SentencePieceEncoder>(prefix, label);
    // A string, not a view: the library's own string_view is another type.
    auto status = encoder->m_processor.LoadFromSerializedProto(std::string(model));
    if (status.ok()) status = encoder->m_bare.LoadFromSerializedProto(withoutDummyPrefix(model));
    if (!status.ok())
        return fail(ErrorCode::BadFormat, label + ": SentencePiece refuses the model: " + status.ToString());
    // The files beside a model know more of a token than its piece does: they come first.
    std::vector<AddedToken> all = withIds(std::move(added), *encoder);
    const std::vector<AddedToken> own = specialPieces(model);
    all.insert(all.end(), own.begin(), own.end());
    BDQ_CHECK(encoder->setUp(Normalizer(), std::move(all)));
    return encoder;
}

std::string SentencePieceEncoder::decode(std::span<const std::int32_t> ids) const {
    std::vector<int> known;
    for (const std::int32_t id : ids)
        if (id >= 0 && id < m_processor.GetPieceSize()) known.push_back(id);
    std::string text;
    return m_processor.Decode(known, &text).ok() ? text : std::string();
}

std::int64_t SentencePieceEncoder::vocabSize() const {
    return m_processor.GetPieceSize();
}

std::optional<std::int32_t> SentencePieceEncoder::idOfToken(std::string_view text) const {
    const int id = m_processor.PieceToId(std::string(text));
    if (id < 0 || m_processor.IdToPiece(id) != text) return std::nullopt;
    return id;
}

Status SentencePieceEncoder::encodeParts(const TextParts& text, std::vector<std::int32_t>& ids) const {
    for (const TextPart& part : text.parts)
        if (part.token >= 0)
            ids.push_back(part.token);
        else
            BDQ_CHECK(encodeText(part, ids));
    return {};
}

bool SentencePieceEncoder::hasPrefix(const TextPart& part) const {
    if (m_prefix == SpacePrefix::Every) return true;
    return m_prefix == SpacePrefix::First && part.first && !part.text.starts_with(' ') &&
           !part.text.starts_with(kSpace);
}

// The library ends a text at a NUL, as C does: what stands between NULs is encoded by itself.
Status SentencePieceEncoder::encodeText(const TextPart& part, std::vector<std::int32_t>& ids) const {
    std::string_view left = part.text;
    for (bool prefix = hasPrefix(part);; prefix = false) {
        const std::size_t nul = left.find('\0');
        std::vector<int> own;
        const auto status = (prefix ? m_processor : m_bare).Encode(std::string(left.substr(0, nul)), &own);
        if (!status.ok()) return fail(ErrorCode::Internal, m_label + ": SentencePiece: " + status.ToString());
        if (prefix && nul == 0) own = {m_processor.PieceToId(std::string(kSpace))};
        ids.insert(ids.end(), own.begin(), own.end());
        if (nul == std::string_view::npos) return {};
        ids.push_back(m_processor.PieceToId("<0x00>"));
        left.remove_prefix(nul + 1);
    }
}

Result<std::unique_ptr<TextEncoder>>
sentencePieceFromModel(std::string_view model, const TokenizerConfig& config, const std::string& label) {
    SpacePrefix prefix = config.legacy.value_or(true) ? SpacePrefix::Every : SpacePrefix::First;
    if (!config.addPrefixSpace.value_or(true)) prefix = SpacePrefix::None;
    BDQ_TRY(auto encoder, SentencePieceEncoder::load(model, prefix, config.added, label));
    BDQ_TRY(encoder->frame, llamaFrame(config, *encoder, label));
    return encoder;
}

} // namespace bdq::io
