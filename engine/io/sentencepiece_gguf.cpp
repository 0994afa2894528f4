// SentencePiece vocabularies of GGUF files, handed to the library as the model that they were made from.
#include <algorithm>
#include <array>
#include <unordered_map>

#include "engine/io/byte_reader.h"
#include "engine/io/gguf_tokens.h"
#include "engine/io/sentencepiece_encoder.h"
#include "engine/io/sentencepiece_proto.h"

namespace bdq::io {
namespace {

constexpr std::uint64_t kBpeModel = 2;
// What llama.cpp takes where a file does not say.
constexpr std::int32_t kUsualUnknown = 0;
constexpr std::int32_t kUsualBos = 1;
constexpr std::int32_t kUsualEos = 2;

/// 0 to 255 for "<0x00>" to "<0xFF>", else -1.
int byteOfPiece(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    if (text.size() != 6 || !text.starts_with("<0x") || text.back() != '>') return -1;
    const std::size_t high = kDigits.find(text[3]);
    const std::size_t low = kDigits.find(text[4]);
    return high == std::string_view::npos || low == std::string_view::npos
               ? -1
               : static_cast<int>(high * 16 + low);
}

/// Pieces as the library wants them: unlike llama.cpp it asks for exactly one unknown piece, for all bytes or
/// none, and for texts that differ.
struct Vocabulary {
    std::vector<std::string> texts;
    std::vector<GgufTokenType> types;
    std::size_t unknown = 0;
    bool byteFallback = false;
};

void setTypesBySpecialIds(const GgufHeader& header, const GgufEnds& ends, Vocabulary& vocabulary) {
    const auto mark = [&](std::optional<std::int32_t> id) {
        if (id && static_cast<std::size_t>(*id) < vocabulary.types.size())
            vocabulary.types[static_cast<std::size_t>(*id)] = GgufTokenType::Control;
    };
    mark(ends.bos);
    mark(ends.eos);
    for (const char* key : {"tokenizer.ggml.padding_token_id", "tokenizer.ggml.seperator_token_id"})
        mark(ggufTokenId(header, key, vocabulary.types.size()));
}

void chooseUnknown(const GgufHeader& header, Vocabulary& vocabulary) {
    auto& types = vocabulary.types;
    const auto typed = std::find(types.begin(), types.end(), GgufTokenType::Unknown);
    const auto named = ggufTokenId(header, "tokenizer.ggml.unknown_token_id", types.size());
    vocabulary.unknown = typed != types.end() ? static_cast<std::size_t>(typed - types.begin())
                                              : static_cast<std::size_t>(named.value_or(kUsualUnknown));
    std::replace(types.begin(), types.end(), GgufTokenType::Unknown, GgufTokenType::Control);
    types[vocabulary.unknown] = GgufTokenType::Unknown;
}

/// Byte pieces are what they are called; without one of them there is no byte fallback.
void chooseBytes(Vocabulary& vocabulary) {
    std::array<bool, 256> found{};
    for (const std::string& text : vocabulary.texts)
        if (const int byte = byteOfPiece(text); byte >= 0) found[static_cast<std::size_t>(byte)] = true;
    vocabulary.byteFallback = std::all_of(found.begin(), found.end(), [](bool there) { return there; });
    for (std::size_t i = 0; i < vocabulary.texts.size(); ++i) {
        const bool named = byteOfPiece(vocabulary.texts[i]) >= 0;
        GgufTokenType& type = vocabulary.types[i];
        if (named && vocabulary.byteFallback)
            type = GgufTokenType::Byte;
        else if (type == GgufTokenType::Byte)
            type = GgufTokenType::Control;
    }
}

/// Of two pieces with the same text the last counts, as in llama.cpp; the other gets a text that none has.
void tellRepeatedApart(Vocabulary& vocabulary) {
    std::unordered_map<std::string, std::size_t> last;
    for (std::size_t i = 0; i < vocabulary.texts.size(); ++i) {
        if (vocabulary.texts[i].empty()) vocabulary.texts[i] = "[EMPTY_" + std::to_string(i) + "]";
        last[vocabulary.texts[i]] = i;
    }
    for (std::size_t i = 0; i < vocabulary.texts.size(); ++i) {
        if (last.at(vocabulary.texts[i]) == i) continue;
        do
            vocabulary.texts[i] += "\x01" + std::to_string(i);
        while (last.contains(vocabulary.texts[i]));
        vocabulary.types[i] = GgufTokenType::Unused;
    }
}

Vocabulary vocabularyOf(const GgufHeader& header, const GgufTokens& tokens, const GgufEnds& ends) {
    Vocabulary vocabulary;
    vocabulary.texts.assign(tokens.texts.begin(), tokens.texts.end());
    vocabulary.types = tokens.types;
    if (!tokens.hasTypes) setTypesBySpecialIds(header, ends, vocabulary);
    tellRepeatedApart(vocabulary);
    chooseBytes(vocabulary);
    chooseUnknown(header, vocabulary);
    return vocabulary;
}

/// TrainerSpec and NormalizerSpec of LLaMA's SentencePiece models: BPE with byte fallback, text taken as it
/// is.
void addSpecs(const GgufHeader& header, const Vocabulary& vocabulary, ProtoWriter& model) {
    ProtoWriter trainer;
    trainer.number(3, kBpeModel);
    trainer.number(4, vocabulary.texts.size());
    trainer.number(35, vocabulary.byteFallback ? 1 : 0);
    trainer.number(40, vocabulary.unknown);
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

Result<std::unique_ptr<TextEncoder>> sentencePieceFromGguf(const GgufHeader& header,
                                                           const std::string& label) {
    BDQ_TRY(const GgufTokens tokens, tokensFromGguf(header, label));
    const GgufEnds ends = endsFromGguf(header, tokens.texts.size(), {kUsualBos, kUsualEos});
    const Vocabulary vocabulary = vocabularyOf(header, tokens, ends);
    ProtoWriter model;
    for (std::size_t i = 0; i < vocabulary.texts.size(); ++i) {
        ProtoWriter piece;
        piece.bytes(1, vocabulary.texts[i]);
        piece.real(2, static_cast<float>(tokens.scores[i]));
        piece.number(3, static_cast<std::uint64_t>(vocabulary.types[i]));
        model.bytes(1, piece.result());
    }
    addSpecs(header, vocabulary, model);
    BDQ_TRY(auto encoder, SentencePieceEncoder::load(model.result(), SpacePrefix::Every, {}, label));
    encoder->frame = frameFromGguf(header, ends);
    return encoder;
}

} // namespace bdq::io
