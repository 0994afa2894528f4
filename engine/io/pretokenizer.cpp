#define PCRE2_CODE_UNIT_WIDTH 8
#include "engine/io/pretokenizer.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <pcre2.h>

#include "engine/io/byte_reader.h"

namespace bdq::io {
namespace {

struct FreeCode {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatch {
    void operator()(pcre2_match_data* match) const { pcre2_match_data_free(match); }
};

constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kDigit = R"(\p{N})";
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct NamedPatterns {
    std::string_view name;
    std::array<std::string_view, 2> stages; ///< empty = none
};
constexpr std::array kNamed{
    NamedPatterns{"gpt-2", {kGpt2, {}}},       NamedPatterns{"smollm", {kDigit, kGpt2}},
    NamedPatterns{"llama-bpe", {kLlama3, {}}}, NamedPatterns{"llama-v3", {kLlama3, {}}},
    NamedPatterns{"llama3", {kLlama3, {}}},    NamedPatterns{"qwen2", {kQwen2, {}}},
};

/// PCRE2's \s counts U+180E as a space, Unicode's White_Space (what tokenizers means by \s) does not: spell
/// it out.
std::string withUnicodeSpaces(std::string_view pattern) {
    constexpr std::string_view kSpaces =
        R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
    std::string result;
    bool inClass = false;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        if (c != '\\' || i + 1 == pattern.size()) {
            inClass = c == '[' ? true : (c == ']' ? false : inClass);
            result += c;
            continue;
        }
        const char escaped = pattern[++i];
        if (escaped == 's')
            result += inClass ? std::string(kSpaces) : "[" + std::string(kSpaces) + "]";
        else if (escaped == 'S' && !inClass)
            result += "[^" + std::string(kSpaces) + "]";
        else
            result += {'\\', escaped};
    }
    return result;
}

} // namespace

struct Pretokenizer::Stage {
    std::unique_ptr<pcre2_code, FreeCode> code;

    Status split(std::string_view text, pcre2_match_data* match, std::vector<std::string_view>& pieces) const;
};

Pretokenizer::Pretokenizer(std::vector<Stage> stages) : m_stages(std::move(stages)) {}
Pretokenizer::Pretokenizer(Pretokenizer&&) noexcept = default;
Pretokenizer& Pretokenizer::operator=(Pretokenizer&&) noexcept = default;
Pretokenizer::~Pretokenizer() = default;

std::string_view gpt2Pattern() {
    return kGpt2;
}

Result<Pretokenizer> Pretokenizer::fromPatterns(const std::vector<std::string>& patterns,
                                                const std::string& label) {
    std::vector<Stage> stages;
    for (const std::string& pattern : patterns) {
        const std::string spelled = withUnicodeSpaces(pattern);
        int error = 0;
        PCRE2_SIZE position = 0;
        Stage stage;
        stage.code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(spelled.data()), spelled.size(),
                                       PCRE2_UTF | PCRE2_UCP, &error, &position, nullptr));
        if (stage.code == nullptr) {
            std::array<PCRE2_UCHAR, 160> text{};
            pcre2_get_error_message(error, text.data(), text.size());
            return fail(ErrorCode::Unsupported, label + ": pre-tokenizer pattern " + inQuotes(pattern) +
                                                    ": " + reinterpret_cast<const char*>(text.data()));
        }
        // Without JIT support the interpreter gives the same matches.
        pcre2_jit_compile(stage.code.get(), PCRE2_JIT_COMPLETE);
        stages.push_back(std::move(stage));
    }
    return Pretokenizer(std::move(stages));
}

Result<Pretokenizer> Pretokenizer::fromGgufName(std::string_view name, const std::string& label) {
    std::string known;
    for (const NamedPatterns& row : kNamed) {
        known += (known.empty() ? "" : ", ") + std::string(row.name);
        if (row.name != name) continue;
        std::vector<std::string> patterns;
        for (const std::string_view pattern : row.stages)
            if (!pattern.empty()) patterns.emplace_back(pattern);
        return fromPatterns(patterns, label);
    }
    return fail(ErrorCode::Unsupported,
                label + ": pre-tokenizer " + inQuotes(name) + " is not supported, expected one of " + known);
}

Status Pretokenizer::Stage::split(std::string_view text, pcre2_match_data* match,
                                  std::vector<std::string_view>& pieces) const {
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    std::size_t done = 0;
    std::size_t from = 0;
    while (from < text.size()) {
        const int found =
            pcre2_match(code.get(), subject, text.size(), from, PCRE2_NO_UTF_CHECK, match, nullptr);
        if (found == PCRE2_ERROR_NOMATCH) break;
        if (found < 0)
            return fail(ErrorCode::Unsupported, "the pre-tokenizer's pattern gave up at byte " +
                                                    std::to_string(from) + " of a text (PCRE2 error " +
                                                    std::to_string(found) + ")");
        const PCRE2_SIZE* range = pcre2_get_ovector_pointer(match);
        if (range[1] <= range[0]) {
            // An empty match cuts nothing: look on behind the next character.
            from = std::max(from, range[0]) + 1;
            while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xc0) == 0x80)
                ++from;
            continue;
        }
        if (range[0] > done) pieces.push_back(text.substr(done, range[0] - done));
        pieces.push_back(text.substr(range[0], range[1] - range[0]));
        done = from = range[1];
    }
    if (done < text.size()) pieces.push_back(text.substr(done));
    return {};
}

Status Pretokenizer::split(std::string_view text, std::vector<std::string_view>& pieces) const {
    const std::unique_ptr<pcre2_match_data, FreeMatch> match(pcre2_match_data_create(8, nullptr));
    std::vector<std::string_view> current{text};
    std::vector<std::string_view> next;
    for (const Stage& stage : m_stages) {
        next.clear();
        for (const std::string_view piece : current)
            BDQ_CHECK(stage.split(piece, match.get(), next));
        current.swap(next);
    }
    pieces.insert(pieces.end(), current.begin(), current.end());
    return {};
}

} // namespace bdq::io
