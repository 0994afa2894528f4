#include "engine/io/bpe_encoder.h"
#include "engine/io/byte_reader.h"

namespace bdq::io {
namespace {

// Types of tokenizer.ggml.token_type.
constexpr double kNormalToken = 1;
constexpr double kByteToken = 6;

std::string_view textOf(const GgufHeader& header, std::string_view key) {
    const GgufValue* value = header.find(key);
    return value == nullptr ? std::string_view{} : value->asString().value_or("");
}

} // namespace

Result<std::unique_ptr<TextEncoder>> bpeFromGguf(const GgufHeader& header, const std::string& label) {
    // Files of before 2024 do not name their pre-tokenizer; they are GPT-2's kind.
    const std::string_view named = textOf(header, "tokenizer.ggml.pre");
    const std::string_view pre = named.empty() || named == "default" ? "gpt-2" : named;
    BDQ_TRY(Pretokenizer pretokenizer, Pretokenizer::fromGgufName(pre, label));
    const GgufValue* tokens = header.find("tokenizer.ggml.tokens");
    const GgufValue* merges = header.find("tokenizer.ggml.merges");
    if (tokens == nullptr || merges == nullptr)
        return fail(ErrorCode::BadFormat,
                    label + ": metadata 'tokenizer.ggml.tokens' or 'tokenizer.ggml.merges' is missing");
    BpeSource source;
    source.ignoreMerges = pre.starts_with("llama");
    for (const std::string_view text : tokens->strings())
        source.tokens.push_back({text, false});
    if (const GgufValue* types = header.find("tokenizer.ggml.token_type")) {
        const std::vector<double> kinds = types->numbers();
        if (kinds.size() != source.tokens.size())
            return fail(ErrorCode::BadFormat, label + ": " + std::to_string(source.tokens.size()) +
                                                  " tokens, but " + std::to_string(kinds.size()) +
                                                  " token types");
        for (std::size_t i = 0; i < kinds.size(); ++i)
            source.tokens[i].special = kinds[i] != kNormalToken && kinds[i] != kByteToken;
    }
    for (const std::string_view merge : merges->strings()) {
        const std::size_t space = merge.find(' ', 1);
        if (space == std::string_view::npos)
            return fail(ErrorCode::BadFormat, label + ": merge " + inQuotes(merge) + " is no pair of tokens");
        source.merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
    }
    BDQ_TRY(Bpe bpe, Bpe::build(source, label));
    return std::make_unique<BpeEncoder>(std::move(bpe), std::move(pretokenizer), false, label);
}

} // namespace bdq::io
