#include "engine/io/tokenizer.h"

#include "engine/api/atomic_file.h"
#include "engine/io/byte_reader.h"
#include "engine/io/text_encoder.h"
#include "engine/io/tokenizer_source.h"
#include "engine/io/utf8.h"

namespace bdq::io {
namespace {

constexpr std::size_t kMaxTokenizerBytes = 256u << 20;

using EncoderPtr = std::unique_ptr<TextEncoder>;

Result<EncoderPtr> fromGguf(const GgufHeader& header, const std::string& label) {
    const GgufValue* model = header.find("tokenizer.ggml.model");
    if (model == nullptr)
        return fail(ErrorCode::NotFound,
                    label + ": holds no tokenizer: metadata 'tokenizer.ggml.model' is missing");
    const std::string_view kind = model->asString().value_or("");
    if (kind == "gpt2") return bpeFromGguf(header, label);
    if (kind == "llama") return sentencePieceFromGguf(header, label);
    return fail(ErrorCode::Unsupported,
                label + ": tokenizer " + inQuotes(kind) + " is not supported, expected 'gpt2' or 'llama'");
}

/// tokenizer.json when it is byte-level BPE, else tokenizer.model.
Result<EncoderPtr> fromFolder(const ModelReader::TokenizerSource& source) {
    if (!source.tokenizerJson.empty()) {
        BDQ_TRY(const std::string text, readTextFile(source.tokenizerJson, kMaxTokenizerBytes));
        auto encoder = bpeFromJson(text, "tokenizer.json");
        if (encoder || source.sentencePieceModel.empty() || encoder.error().code != ErrorCode::Unsupported)
            return encoder;
    }
    if (!source.sentencePieceModel.empty()) {
        BDQ_TRY(const std::string model, readTextFile(source.sentencePieceModel, kMaxTokenizerBytes));
        return sentencePieceFromModel(model, "tokenizer.model");
    }
    return fail(ErrorCode::NotFound,
                source.label + ": holds no tokenizer: neither tokenizer.json nor tokenizer.model");
}

std::optional<std::int32_t> idFrom(const GgufHeader& header, std::string_view key) {
    const GgufValue* value = header.find(key);
    const auto id = value == nullptr ? std::nullopt : value->asUnsigned();
    if (!id || *id > INT32_MAX) return std::nullopt;
    return static_cast<std::int32_t>(*id);
}

} // namespace

struct Tokenizer::Impl {
    EncoderPtr encoder;
    std::optional<std::int32_t> bosId;
    std::optional<std::int32_t> eosId;
    std::vector<std::int32_t> prefix; ///< what Auto puts in front of a text
    std::vector<std::int32_t> suffix; ///< and behind it
    std::int64_t rows = 0;            ///< of the embedding; 0 = unknown
    std::string label;
};

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Result<Tokenizer> Tokenizer::create(const ModelReader& model) {
    const ModelReader::TokenizerSource& source = model.tokenizerSource();
    auto impl = std::make_unique<Impl>();
    if (source.gguf) {
        BDQ_TRY(impl->encoder, fromGguf(*source.gguf, source.label));
        impl->bosId = idFrom(*source.gguf, "tokenizer.ggml.bos_token_id");
        impl->eosId = idFrom(*source.gguf, "tokenizer.ggml.eos_token_id");
    } else {
        BDQ_TRY(impl->encoder, fromFolder(source));
        impl->bosId = source.bosId;
        impl->eosId = source.eosId;
    }
    impl->rows = model.index().config.vocabSize;
    impl->label = source.label;
    return Tokenizer(std::move(impl));
}

bool Tokenizer::addsBos() const {
    return !m_impl->prefix.empty() && m_impl->bosId == m_impl->prefix.front();
}

Result<std::vector<std::int32_t>> Tokenizer::encode(std::string_view text, BosMode bos) const {
    const std::size_t bad = invalidUtf8At(text);
    if (bad != std::string_view::npos)
        return fail(ErrorCode::BadFormat, "text: byte " + std::to_string(bad) + " is not valid UTF-8");
    if (bos == BosMode::On && !m_impl->bosId)
        return fail(ErrorCode::Unsupported,
                    m_impl->label + ": the model names no BOS token to put in front of a text");
    BDQ_TRY(std::vector<std::int32_t> ids, m_impl->encoder->encode(text));
    if (bos != BosMode::Off) {
        ids.insert(ids.begin(), m_impl->prefix.begin(), m_impl->prefix.end());
        if (bos == BosMode::On && !addsBos()) ids.insert(ids.begin(), *m_impl->bosId);
        ids.insert(ids.end(), m_impl->suffix.begin(), m_impl->suffix.end());
    }
    if (m_impl->rows > 0) BDQ_CHECK(checkTokenIds(ids, m_impl->rows, m_impl->label));
    return ids;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids) const {
    return m_impl->encoder->decode(ids);
}
std::int64_t Tokenizer::vocabSize() const {
    return m_impl->encoder->vocabSize();
}
std::optional<std::int32_t> Tokenizer::bosId() const {
    return m_impl->bosId;
}
std::optional<std::int32_t> Tokenizer::eosId() const {
    return m_impl->eosId;
}

Status checkTokenIds(std::span<const std::int32_t> ids, std::int64_t rows, const std::string& label) {
    for (const std::int32_t id : ids)
        if (id < 0 || id >= rows)
            return fail(ErrorCode::BadFormat, label + ": token id " + std::to_string(id) +
                                                  ", but the embedding has " + std::to_string(rows) +
                                                  " rows");
    return {};
}

} // namespace bdq::io
