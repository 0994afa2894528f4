#include "engine/io/bpe_encoder.h"
#include "engine/io/byte_reader.h"
#include "engine/io/gguf_tokens.h"

namespace bdq::io {
namespace {

std::string_view textOf(const GgufHeader& header, std::string_view key) {
    const GgufValue* value = header.find(key);
    return value == nullptr ? std::string_view{} : value->asString().value_or("");
}

} // namespace

Result<std::unique_ptr<TextEncoder>> bpeFromGguf(const GgufHeader& header, const std::string& label) {
    const std::string_view named = textOf(header, "tokenizer.ggml.pre");
    const std::string_view pre = named.empty() ? "default" : named;
    BDQ_TRY(Pretokenizer pretokenizer, Pretokenizer::fromGgufName(pre, label));
    BDQ_TRY(const GgufTokens tokens, tokensFromGguf(header, label));
    const GgufValue* merges = header.find("tokenizer.ggml.merges");
    if (merges == nullptr)
        return fail(ErrorCode::BadFormat, label + ": metadata 'tokenizer.ggml.merges' is missing");
    BpeSource source;
    source.ignoreMerges = ggufIgnoresMerges(pre);
    for (std::size_t i = 0; i < tokens.texts.size(); ++i)
        source.tokens.push_back({tokens.texts[i], tokens.types[i] == GgufTokenType::Unused});
    for (const std::string_view merge : merges->strings()) {
        const std::size_t space = merge.find(' ', 1);
        if (space == std::string_view::npos)
            return fail(ErrorCode::BadFormat, label + ": merge " + inQuotes(merge) + " is no pair of tokens");
        source.merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
    }
    BDQ_TRY(Bpe bpe, Bpe::build(source, label));
    auto encoder = std::make_unique<BpeEncoder>(std::move(bpe), std::move(pretokenizer));
    encoder->frame = frameFromGguf(header, endsFromGguf(header, tokens.texts.size()));
    BDQ_CHECK(encoder->setUp(Normalizer(), addedFromGguf(tokens)));
    return encoder;
}

} // namespace bdq::io
