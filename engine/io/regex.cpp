#define PCRE2_CODE_UNIT_WIDTH 8
#include "engine/io/regex.h"

#include <array>
#include <optional>

#include <pcre2.h>

#include "engine/io/byte_reader.h"
#include "engine/io/unicode.h"

namespace bdq::io {
namespace {

struct FreeCode {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatch {
    void operator()(pcre2_match_data* match) const { pcre2_match_data_free(match); }
};

// PCRE2's \s counts U+180E as a space and its \w leaves marks out; Unicode's White_Space and word characters,
// which Oniguruma takes, are spelled out.
constexpr std::string_view kSpaces =
    R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr std::string_view kWords = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";
// Oniguruma counts Latin-1's superscripts and fractions to \w, but not inside a class.
constexpr std::string_view kWordsAlone = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{b2}\x{b3}\x{b9}\x{bc}-\x{be})";

std::string spelledOut(char escaped, bool inClass) {
    const auto classOf = [&](std::string_view members, bool negated) {
        if (inClass) return std::string(members);
        return (negated ? "[^" : "[") + std::string(members) + "]";
    };
    if (escaped == 's') return classOf(kSpaces, false);
    if (escaped == 'w') return classOf(inClass ? kWords : kWordsAlone, false);
    if (escaped == 'S' && !inClass) return classOf(kSpaces, true);
    if (escaped == 'W' && !inClass) return classOf(kWordsAlone, true);
    return {'\\', escaped};
}

/// The pattern for PCRE2; nothing when it intersects classes or negates one inside another, which PCRE2 would
/// read as plain characters. A class inside a class is a union: its brackets are left out.
std::optional<std::string> forPcre2(std::string_view pattern) {
    std::string result;
    int depth = 0; // of classes
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        if (c == '\\' && i + 1 < pattern.size()) {
            result += spelledOut(pattern[++i], depth > 0);
            continue;
        }
        const std::string_view two = pattern.substr(i, 2);
        if (depth > 0 && (two == "&&" || two == "[^")) return std::nullopt;
        const std::size_t posixEnd =
            depth > 0 && two == "[:" ? pattern.find(":]", i) : std::string_view::npos;
        if (posixEnd != std::string_view::npos) {
            result += pattern.substr(i, posixEnd + 2 - i);
            i = posixEnd + 1;
            continue;
        }
        const int before = depth;
        depth += c == '[' ? 1 : (c == ']' && depth > 0 ? -1 : 0);
        if (before + depth <= 1 || before == depth) result += c;
    }
    return result;
}

} // namespace

struct Regex::Code {
    std::unique_ptr<pcre2_code, FreeCode> compiled;
};

Regex::Regex(std::unique_ptr<Code> code) : m_code(std::move(code)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::compile(std::string_view pattern, const std::string& label) {
    const std::string object = label + ": pattern " + inQuotes(pattern);
    const std::optional<std::string> spelled = forPcre2(pattern);
    if (!spelled)
        return fail(ErrorCode::Unsupported, object + ": intersections of classes are not supported");
    int error = 0;
    PCRE2_SIZE position = 0;
    auto code = std::make_unique<Code>();
    code->compiled.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(spelled->data()), spelled->size(),
                                       PCRE2_UTF | PCRE2_UCP, &error, &position, nullptr));
    if (code->compiled == nullptr) {
        std::array<PCRE2_UCHAR, 160> text{};
        pcre2_get_error_message(error, text.data(), text.size());
        return fail(ErrorCode::Unsupported, object + ": " + reinterpret_cast<const char*>(text.data()));
    }
    // Without JIT support the interpreter gives the same matches.
    pcre2_jit_compile(code->compiled.get(), PCRE2_JIT_COMPLETE);
    return Regex(std::move(code));
}

Status Regex::findAll(std::string_view text, std::vector<Range>& matches) const {
    const std::unique_ptr<pcre2_match_data, FreeMatch> match(pcre2_match_data_create(8, nullptr));
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    std::size_t from = 0;
    std::optional<std::size_t> lastEnd;
    while (from <= text.size()) {
        const int found = pcre2_match(m_code->compiled.get(), subject, text.size(), from, PCRE2_NO_UTF_CHECK,
                                      match.get(), nullptr);
        if (found == PCRE2_ERROR_NOMATCH) break;
        if (found < 0)
            return fail(ErrorCode::Unsupported, "the pre-tokenizer's pattern gave up at byte " +
                                                    std::to_string(from) + " of a text (PCRE2 error " +
                                                    std::to_string(found) + ")");
        const PCRE2_SIZE* range = pcre2_get_ovector_pointer(match.get());
        const std::size_t begin = range[0];
        const std::size_t end = range[1];
        if (end <= begin && lastEnd == end) {
            from = end + std::max<std::size_t>(firstCharacter(text.substr(end)).bytes, 1);
            continue;
        }
        matches.push_back({begin, std::max(begin, end)});
        lastEnd = from = std::max(begin, end);
    }
    return {};
}

TextPattern TextPattern::literal(std::string text) {
    TextPattern pattern;
    pattern.m_literal = std::move(text);
    return pattern;
}

Result<TextPattern> TextPattern::regex(std::string_view text, const std::string& label) {
    BDQ_TRY(Regex compiled, Regex::compile(text, label));
    TextPattern pattern;
    pattern.m_regex = std::make_shared<const Regex>(std::move(compiled));
    return pattern;
}

Status TextPattern::findAll(std::string_view text, std::vector<Range>& matches) const {
    if (m_regex) return m_regex->findAll(text, matches);
    if (m_literal.empty()) return {};
    for (std::size_t at = text.find(m_literal); at != std::string_view::npos;
         at = text.find(m_literal, at + m_literal.size()))
        matches.push_back({at, at + m_literal.size()});
    return {};
}

} // namespace bdq::io
