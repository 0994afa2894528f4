#include <bit>
#include <limits>

#include <sentencepiece_processor.h>

#include "engine/io/byte_reader.h"
#include "engine/io/text_encoder.h"

namespace bdq::io {
namespace {

class SentencePieceEncoder final : public TextEncoder {
public:
    static Result<std::unique_ptr<TextEncoder>> load(std::string_view model, const std::string& label) {
        auto encoder = std::make_unique<SentencePieceEncoder>(label);
        // A string, not a view: the library's own string_view is another type.
        const auto status = encoder->m_processor.LoadFromSerializedProto(std::string(model));
        if (!status.ok())
            return fail(ErrorCode::BadFormat,
                        label + ": SentencePiece refuses the model: " + status.ToString());
        return encoder;
    }
    explicit SentencePieceEncoder(std::string label) : m_label(std::move(label)) {}

    [[nodiscard]] Result<std::vector<std::int32_t>> encode(std::string_view text) const override {
        std::vector<int> ids;
        const auto status = m_processor.Encode(std::string(text), &ids);
        if (!status.ok()) return fail(ErrorCode::Internal, m_label + ": SentencePiece: " + status.ToString());
        return std::vector<std::int32_t>(ids.begin(), ids.end());
    }
    [[nodiscard]] std::string decode(std::span<const std::int32_t> ids) const override {
        std::vector<int> known;
        for (const std::int32_t id : ids)
            if (id >= 0 && id < m_processor.GetPieceSize()) known.push_back(id);
        std::string text;
        return m_processor.Decode(known, &text).ok() ? text : std::string();
    }
    [[nodiscard]] std::int64_t vocabSize() const override { return m_processor.GetPieceSize(); }

private:
    sentencepiece::SentencePieceProcessor m_processor;
    std::string m_label;
};

/// Writer of the few protocol-buffer fields of a SentencePiece ModelProto (protobuf.dev, "Encoding"; field
/// numbers from sentencepiece_model.proto).
class ProtoWriter {
public:
    void number(unsigned field, std::uint64_t value) {
        key(field, 0);
        varint(value);
    }
    void real(unsigned field, float value) {
        key(field, 5);
        const auto bits = std::bit_cast<std::uint32_t>(value);
        for (int shift = 0; shift < 32; shift += 8)
            m_bytes += static_cast<char>(bits >> shift & 0xff);
    }
    void bytes(unsigned field, std::string_view value) {
        key(field, 2);
        varint(value.size());
        m_bytes += value;
    }
    [[nodiscard]] const std::string& result() const { return m_bytes; }

private:
    void key(unsigned field, unsigned wireType) { varint(field << 3 | wireType); }
    void varint(std::uint64_t value) {
        for (; value >= 0x80; value >>= 7)
            m_bytes += static_cast<char>((value & 0x7f) | 0x80);
        m_bytes += static_cast<char>(value);
    }
    std::string m_bytes;
};

constexpr int kUnknownPiece = 2;
constexpr int kLastPieceType = 6;
constexpr std::uint64_t kBpeModel = 2;

/// TrainerSpec and NormalizerSpec of LLaMA's SentencePiece models: BPE with byte fallback, text taken as it
/// is.
void addSpecs(const GgufHeader& header, std::uint64_t unknownId, std::uint64_t pieces, ProtoWriter& model) {
    ProtoWriter trainer;
    trainer.number(3, kBpeModel);
    trainer.number(4, pieces);
    trainer.number(35, 1); // byte_fallback
    trainer.number(40, unknownId);
    model.bytes(2, trainer.result());
    const GgufValue* prefix = header.find("tokenizer.ggml.add_space_prefix");
    ProtoWriter normalizer;
    normalizer.bytes(1, "identity");
    normalizer.number(3, prefix == nullptr || prefix->asBool().value_or(true) ? 1 : 0); // add_dummy_prefix
    normalizer.number(4, 0); // remove_extra_whitespaces
    normalizer.number(5, 1); // escape_whitespaces
    model.bytes(3, normalizer.result());
}

} // namespace

Result<std::unique_ptr<TextEncoder>> sentencePieceFromModel(std::string_view model,
                                                            const std::string& label) {
    return SentencePieceEncoder::load(model, label);
}

Result<std::unique_ptr<TextEncoder>> sentencePieceFromGguf(const GgufHeader& header,
                                                           const std::string& label) {
    const GgufValue* tokens = header.find("tokenizer.ggml.tokens");
    const GgufValue* scores = header.find("tokenizer.ggml.scores");
    const GgufValue* types = header.find("tokenizer.ggml.token_type");
    if (tokens == nullptr || scores == nullptr || types == nullptr)
        return fail(ErrorCode::BadFormat,
                    label + ": metadata 'tokenizer.ggml.tokens', '.scores' or '.token_type' is missing");
    const auto texts = tokens->strings();
    const auto values = scores->numbers();
    const auto kinds = types->numbers();
    if (texts.empty() || values.size() != texts.size() || kinds.size() != texts.size())
        return fail(ErrorCode::BadFormat, label + ": " + std::to_string(texts.size()) + " tokens, " +
                                              std::to_string(values.size()) + " scores and " +
                                              std::to_string(kinds.size()) + " token types");
    ProtoWriter model;
    std::uint64_t unknownId = texts.size();
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (!(kinds[i] >= 1 && kinds[i] <= kLastPieceType))
            return fail(ErrorCode::BadFormat,
                        label + ": token " + inQuotes(texts[i]) + " has an unknown token type");
        const int kind = static_cast<int>(kinds[i]);
        if (kind == kUnknownPiece && unknownId == texts.size()) unknownId = i;
        ProtoWriter piece;
        piece.bytes(1, texts[i]);
        piece.real(2, static_cast<float>(values[i]));
        piece.number(3, static_cast<std::uint64_t>(kind));
        model.bytes(1, piece.result());
    }
    if (unknownId == texts.size())
        return fail(ErrorCode::BadFormat, label + ": the vocabulary has no unknown token (type 2)");
    addSpecs(header, unknownId, texts.size(), model);
    return SentencePieceEncoder::load(model.result(), label);
}

} // namespace bdq::io
