// Pre-tokenizers that GGUF files name (tokenizer.ggml.pre). The names and which model's pattern each stands
// for are llama.cpp's (src/llama-vocab.cpp); the patterns are those of the models' tokenizer.json, also where
// llama.cpp writes them in a simpler form for its own matcher.
#include <algorithm>
#include <array>

#include "engine/io/byte_reader.h"
#include "engine/io/pretokenizer.h"

namespace bdq::io {
namespace {

constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kDigit = R"(\p{N})";
constexpr std::string_view kThreeDigits = "[0-9][0-9][0-9]";
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen35 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kGpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// GPT-4o's with Chinese characters apart from other letters.
constexpr std::string_view kKimi =
    R"(\p{Han}+|[^\r\n\p{L}\p{N}]?(?:(?!\p{Han})[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])*(?:(?!\p{Han})[\p{Ll}\p{Lm}\p{Lo}\p{M}])+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?(?:(?!\p{Han})[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])+(?:(?!\p{Han})[\p{Ll}\p{Lm}\p{Lo}\p{M}])*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kBailing =
    R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)";
constexpr std::string_view kSeedCoder =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kBloom = R"( ?[^(\s|.,!?\x{2026}\x{3002}\x{ff0c}\x{3001}\x{964}\x{6d4}\x{60c})]+)";
constexpr std::string_view kDeepSeekV3Words =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct NamedPatterns {
    std::string_view names;                   ///< separated by spaces
    std::array<std::string_view, 5> stages{}; ///< empty = none
    bool ignoreMerges = false;
};
constexpr std::array kNamed{
    NamedPatterns{"gpt-2 phi-2 mpt olmo jais trillion granite-docling gigachat jina-es jina-de jina-v2-es "
                  "jina-v2-de a.x-4.0 mellum exaone4 modern-bert",
                  {kGpt2}},
    NamedPatterns{"smollm starcoder refact command-r codeshell exaone minerva-7b", {kDigit, kGpt2}},
    NamedPatterns{"llama-bpe llama-v3 llama3 falcon3 falcon-h1 pixtral midm-2.0 lfm2", {kLlama3}, true},
    NamedPatterns{"dbrx smaug-bpe chatglm-bpe glm4", {kLlama3}},
    NamedPatterns{"qwen2 deepseek-r1-qwen stablelm2 hunyuan megrez kormo grok-2 f2llmv2", {kQwen2}},
    NamedPatterns{"qwen35", {kQwen35}},
    NamedPatterns{"tekken", {kTekken}, true},
    NamedPatterns{"gpt-4o llama4 minimax-m2", {kGpt4o}},
    NamedPatterns{"kimi-k2", {kKimi}},
    NamedPatterns{"bailingmoe bailingmoe2 llada-moe", {kBailing}},
    NamedPatterns{"seed-coder", {kSeedCoder}},
    NamedPatterns{"bloom poro-chat gpt3-finnish", {kBloom}},
    NamedPatterns{"viking", {kBloom, kDigit}},
    NamedPatterns{"falcon", {R"([\p{P}\$\+<=>\^~\|`]+)", kGpt2, kThreeDigits}},
    NamedPatterns{"deepseek-coder",
                  {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)",
                   R"([\x{4e00}-\x{9fa5}\x{800}-\x{4e00}\x{ac00}-\x{d7ff}]+)", kDigit}},
    NamedPatterns{
        "deepseek-v3 hunyuan-dense",
        {R"(\p{N}{1,3})", R"([\x{4e00}-\x{9fa5}\x{3040}-\x{309f}\x{30a0}-\x{30ff}]+)", kDeepSeekV3Words}},
    NamedPatterns{"superbpe", {R"(\p{N}+)", R"((?=(\d{3})+(?!\d)))"}},
    // What llama.cpp does where a file names none, as files of before 2024.
    NamedPatterns{"default", {R"([\p{P}\$\+<=>\^~\|]+)", kGpt2, R"(\p{N}+)", kThreeDigits}},
};

bool hasName(const NamedPatterns& row, std::string_view name) {
    return !name.empty() && name.find(' ') == std::string_view::npos &&
           (" " + std::string(row.names) + " ").find(" " + std::string(name) + " ") != std::string::npos;
}

} // namespace

std::string_view gpt2Pattern() {
    return kGpt2;
}
std::string_view qwen2Pattern() {
    return kQwen2;
}

bool ggufIgnoresMerges(std::string_view name) {
    return std::any_of(kNamed.begin(), kNamed.end(),
                       [&](const NamedPatterns& row) { return row.ignoreMerges && hasName(row, name); });
}

Result<Pretokenizer> Pretokenizer::fromPatterns(const std::vector<std::string>& patterns,
                                                const std::string& label) {
    std::vector<Stage> stages;
    for (const std::string& pattern : patterns) {
        BDQ_TRY(TextPattern compiled, TextPattern::regex(pattern, label + ": pre-tokenizer"));
        stages.emplace_back(PatternCut{std::move(compiled), CutBehavior::Isolated, false});
    }
    return Pretokenizer(std::move(stages));
}

Result<Pretokenizer> Pretokenizer::fromGgufName(std::string_view name, const std::string& label) {
    std::string known;
    for (const NamedPatterns& row : kNamed) {
        known += (known.empty() ? "" : " ") + std::string(row.names);
        if (!hasName(row, name)) continue;
        std::vector<std::string> patterns;
        for (const std::string_view pattern : row.stages)
            if (!pattern.empty()) patterns.emplace_back(pattern);
        return fromPatterns(patterns, label);
    }
    return fail(ErrorCode::Unsupported, label + ": pre-tokenizer " + inQuotes(name) +
                                            " (tokenizer.ggml.pre) is not supported, expected one of " +
                                            known);
}

} // namespace bdq::io
