#include "engine/io/tokenizer.h"

#include "engine/io/byte_reader.h"
#include "engine/io/gguf_tokens.h"
#include "engine/io/text_encoder.h"
#include "engine/io/text_file.h"
#include "engine/io/tokenizer_config.h"
#include "engine/io/tokenizer_source.h"
#include "engine/io/utf8.h"

namespace bdq::io {
namespace {

constexpr std::size_t kMaxTokenizerBytes = 256u << 20;

using EncoderPtr = std::unique_ptr<TextEncoder>;

/// A tokenizer and the ids of its ends, as far as the model names them.
struct Loaded {
    EncoderPtr encoder;
    std::optional<std::int32_t> bosId;
    std::optional<std::int32_t> eosId;
};

Result<Loaded> fromGguf(const GgufHeader& header, const std::string& label) {
    const GgufValue* model = header.find("tokenizer.ggml.model");
    if (model == nullptr)
        return fail(ErrorCode::NotFound,
                    label + ": holds no tokenizer: metadata 'tokenizer.ggml.model' is missing");
    const std::string_view kind = model->asString().value_or("");
    Loaded loaded;
    if (kind == "gpt2") {
        BDQ_TRY(loaded.encoder, bpeFromGguf(header, label));
    } else if (kind == "llama") {
        BDQ_TRY(loaded.encoder, sentencePieceFromGguf(header, label));
    } else {
        return fail(ErrorCode::Unsupported, label + ": tokenizer " + inQuotes(kind) +
                                                " is not supported, expected 'gpt2' or 'llama'");
    }
    const GgufEnds ends = endsFromGguf(header, static_cast<std::size_t>(INT32_MAX));
    loaded.bosId = ends.bos;
    loaded.eosId = ends.eos;
    return loaded;
}

/// tokenizer.json when it can be read, else tokenizer.model, else vocab.json and merges.txt.
Result<EncoderPtr> encoderOf(const ModelReader::TokenizerSource& source, const TokenizerConfig& config) {
    if (!source.tokenizerJson.empty()) {
        BDQ_TRY(const std::string text, readModelText(source.tokenizerJson, kMaxTokenizerBytes));
        auto encoder = bpeFromJson(text, config, "tokenizer.json");
        if (encoder || source.sentencePieceModel.empty() || encoder.error().code != ErrorCode::Unsupported)
            return encoder;
    }
    if (!source.sentencePieceModel.empty()) {
        BDQ_TRY(const std::string model, readModelText(source.sentencePieceModel, kMaxTokenizerBytes));
        return sentencePieceFromModel(model, config, "tokenizer.model");
    }
    if (!source.vocabularyJson.empty()) {
        BDQ_TRY(const std::string vocabulary, readModelText(source.vocabularyJson, kMaxTokenizerBytes));
        BDQ_TRY(const std::string merges, readModelText(source.mergesText, kMaxTokenizerBytes));
        return bpeFromFiles(vocabulary, merges, config, source.label);
    }
    return fail(ErrorCode::NotFound, source.label + ": holds no tokenizer: neither tokenizer.json nor "
                                                    "tokenizer.model nor vocab.json with merges.txt");
}

Result<Loaded> fromFolder(const ModelReader::TokenizerSource& source) {
    BDQ_TRY(TokenizerConfig config, readTokenizerConfig(source.folder));
    config.modelType = source.modelType;
    Loaded loaded;
    BDQ_TRY(loaded.encoder, encoderOf(source, config));
    // The tokenizer's own BOS comes before that of config.json, which is the generator's.
    const auto idOf = [&](const std::string& text) -> std::optional<std::int32_t> {
        if (text.empty()) return std::nullopt;
        for (const AddedToken& token : config.added)
            if (token.content == text && token.id >= 0) return token.id;
        return loaded.encoder->idOfToken(text);
    };
    loaded.bosId = idOf(config.bosToken);
    if (!loaded.bosId) loaded.bosId = source.bosId;
    loaded.eosId = source.eosId ? source.eosId : idOf(config.eosToken);
    return loaded;
}

std::int64_t embeddingRows(const ModelReader& model) {
    const TensorEntry* embedding = model.find("model.embed_tokens.weight");
    return embedding != nullptr && embedding->shape.size() == 2 ? embedding->shape.front()
                                                                : model.index().config.vocabSize;
}

} // namespace

struct Tokenizer::Impl {
    Loaded loaded;
    std::int64_t rows = 0; ///< of the embedding; 0 = unknown
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
        BDQ_TRY(impl->loaded, fromGguf(*source.gguf, source.label));
    } else {
        BDQ_TRY(impl->loaded, fromFolder(source));
    }
    const TextFrame& frame = impl->loaded.encoder->frame;
    if (!frame.before.empty()) impl->loaded.bosId = frame.before.front();
    impl->rows = embeddingRows(model);
    impl->label = source.label;
    return Tokenizer(std::move(impl));
}

bool Tokenizer::addsBos() const {
    return !m_impl->loaded.encoder->frame.before.empty();
}

Result<std::vector<std::int32_t>> Tokenizer::encode(std::string_view text, BosMode bos) const {
    const std::size_t bad = invalidUtf8At(text);
    if (bad != std::string_view::npos)
        return fail(ErrorCode::BadFormat, "text: byte " + std::to_string(bad) + " is not valid UTF-8");
    const Loaded& loaded = m_impl->loaded;
    if (bos == BosMode::On && !loaded.bosId)
        return fail(ErrorCode::Unsupported,
                    m_impl->label + ": the model names no BOS token to put in front of a text");
    BDQ_TRY(std::vector<std::int32_t> ids, loaded.encoder->encode(text));
    if (bos != BosMode::Off) {
        const TextFrame& frame = loaded.encoder->frame;
        ids.insert(ids.begin(), frame.before.begin(), frame.before.end());
        if (bos == BosMode::On && !addsBos()) ids.insert(ids.begin(), *loaded.bosId);
        ids.insert(ids.end(), frame.behind.begin(), frame.behind.end());
    }
    if (m_impl->rows > 0) BDQ_CHECK(checkTokenIds(ids, m_impl->rows, m_impl->label));
    return ids;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids) const {
    return m_impl->loaded.encoder->decode(ids);
}
std::int64_t Tokenizer::vocabSize() const {
    return m_impl->loaded.encoder->vocabSize();
}
std::optional<std::int32_t> Tokenizer::bosId() const {
    return m_impl->loaded.bosId;
}
std::optional<std::int32_t> Tokenizer::eosId() const {
    return m_impl->loaded.eosId;
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
