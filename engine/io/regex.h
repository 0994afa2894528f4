// Regular expressions of tokenizers (PCRE2, Unicode properties, JIT), matched as Oniguruma does, which those
// files are written for.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/result.h"

namespace bdq::io {

/// Where something was found, in bytes; `begin` == `end` for an empty match.
struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
};

/// Immutable and thread-safe.
class Regex {
public:
    /// Errors: Unsupported when PCRE2 cannot compile the pattern or would read it otherwise than Oniguruma.
    static Result<Regex> compile(std::string_view pattern, const std::string& label);
    Regex(Regex&&) noexcept;
    Regex& operator=(Regex&&) noexcept;
    ~Regex();

    /// Appends all matches in `text` (valid UTF-8), in order, without overlap. An empty match right behind
    /// the one before is passed over. Error: Unsupported when the pattern exceeds PCRE2's matching limits.
    Status findAll(std::string_view text, std::vector<Range>& matches) const;

private:
    struct Code;
    explicit Regex(std::unique_ptr<Code> code);
    std::unique_ptr<Code> m_code;
};

/// A literal or a regular expression, as tokenizer.json has both.
class TextPattern {
public:
    static TextPattern literal(std::string text);
    static Result<TextPattern> regex(std::string_view pattern, const std::string& label);
    Status findAll(std::string_view text, std::vector<Range>& matches) const;

private:
    std::string m_literal;
    std::shared_ptr<const Regex> m_regex;
};

} // namespace bdq::io
