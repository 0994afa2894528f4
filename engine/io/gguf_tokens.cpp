#include "engine/io/gguf_tokens.h"

#include "engine/io/byte_reader.h"

namespace bdq::io {
namespace {

Status readTypes(const GgufHeader& header, const std::string& label, GgufTokens& tokens) {
    tokens.types.assign(tokens.texts.size(), GgufTokenType::Normal);
    const GgufValue* value = header.find("tokenizer.ggml.token_type");
    if (value == nullptr) return {};
    const std::vector<double> types = value->numbers();
    if (types.size() != tokens.texts.size())
        return fail(ErrorCode::BadFormat, label + ": " + std::to_string(tokens.texts.size()) +
                                              " tokens, but " + std::to_string(types.size()) +
                                              " token types");
    for (std::size_t i = 0; i < types.size(); ++i) {
        constexpr auto kLast = static_cast<double>(GgufTokenType::Byte);
        // 0 = "undefined", which llama.cpp takes as normal.
        if (!(types[i] >= 0 && types[i] <= kLast))
            return fail(ErrorCode::BadFormat,
                        label + ": token " + inQuotes(tokens.texts[i]) + " has an unknown token type");
        if (types[i] >= 1) tokens.types[i] = static_cast<GgufTokenType>(static_cast<int>(types[i]));
    }
    tokens.hasTypes = true;
    return {};
}

bool asksFor(const GgufHeader& header, std::string_view key) {
    const GgufValue* value = header.find(key);
    return value != nullptr && value->asBool().value_or(false);
}

} // namespace

Result<GgufTokens> tokensFromGguf(const GgufHeader& header, const std::string& label) {
    GgufTokens tokens;
    const GgufValue* texts = header.find("tokenizer.ggml.tokens");
    if (texts != nullptr) tokens.texts = texts->strings();
    if (tokens.texts.empty())
        return fail(ErrorCode::BadFormat, label + ": metadata 'tokenizer.ggml.tokens' is missing or empty");
    BDQ_CHECK(readTypes(header, label, tokens));
    tokens.scores.assign(tokens.texts.size(), 0.0);
    if (const GgufValue* scores = header.find("tokenizer.ggml.scores")) {
        tokens.scores = scores->numbers();
        if (tokens.scores.size() != tokens.texts.size())
            return fail(ErrorCode::BadFormat, label + ": " + std::to_string(tokens.texts.size()) +
                                                  " tokens, but " + std::to_string(tokens.scores.size()) +
                                                  " scores");
    }
    return tokens;
}

std::optional<std::int32_t> ggufTokenId(const GgufHeader& header, std::string_view key, std::size_t count) {
    const GgufValue* value = header.find(key);
    const auto id = value == nullptr ? std::nullopt : value->asUnsigned();
    if (!id || *id >= count) return std::nullopt;
    return static_cast<std::int32_t>(*id);
}

std::vector<AddedToken> addedFromGguf(const GgufTokens& tokens) {
    std::vector<AddedToken> added;
    for (std::size_t i = 0; i < tokens.texts.size(); ++i) {
        const GgufTokenType type = tokens.types[i];
        if (type != GgufTokenType::Control && type != GgufTokenType::UserDefined &&
            type != GgufTokenType::Unknown)
            continue;
        AddedToken token;
        token.content = std::string(tokens.texts[i]);
        token.id = static_cast<std::int32_t>(i);
        added.push_back(std::move(token));
    }
    return added;
}

GgufEnds endsFromGguf(const GgufHeader& header, std::size_t count, GgufEnds usual) {
    const auto id = [&](std::string_view key, std::optional<std::int32_t> otherwise) {
        return header.find(key) == nullptr ? otherwise : ggufTokenId(header, key, count);
    };
    return {id("tokenizer.ggml.bos_token_id", usual.bos), id("tokenizer.ggml.eos_token_id", usual.eos)};
}

TextFrame frameFromGguf(const GgufHeader& header, const GgufEnds& ends) {
    TextFrame frame;
    if (ends.bos && asksFor(header, "tokenizer.ggml.add_bos_token")) frame.before.push_back(*ends.bos);
    if (ends.eos && asksFor(header, "tokenizer.ggml.add_eos_token")) frame.behind.push_back(*ends.eos);
    return frame;
}

} // namespace bdq::io
