// Cutting text into the pieces that BPE merges within, by regular expressions (PCRE2, Unicode properties,
// JIT).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/result.h"

namespace bdq::io {

/// A sequence of cuts: each stage cuts the pieces of the one before into the matches of its pattern and what
/// lies between them ("isolated" in tokenizer.json). Thread-safe.
class Pretokenizer {
public:
    /// Stages of a GGUF pre-tokenizer name: gpt-2, smollm, llama-bpe (llama-3), qwen2. Error: Unsupported.
    static Result<Pretokenizer> fromGgufName(std::string_view name, const std::string& label);
    /// One stage per pattern. Error: Unsupported when PCRE2 cannot compile one.
    static Result<Pretokenizer> fromPatterns(const std::vector<std::string>& patterns,
                                             const std::string& label);

    Pretokenizer(Pretokenizer&&) noexcept;
    Pretokenizer& operator=(Pretokenizer&&) noexcept;
    ~Pretokenizer();

    /// Appends the pieces of `text` (valid UTF-8), in order and complete. Error: Unsupported when a pattern
    /// exceeds PCRE2's matching limits.
    Status split(std::string_view text, std::vector<std::string_view>& pieces) const;

private:
    struct Stage;
    explicit Pretokenizer(std::vector<Stage> stages);
    std::vector<Stage> m_stages;
};

/// The pattern of GPT-2's byte-level pre-tokenizer, also the default of tokenizer.json's ByteLevel.
std::string_view gpt2Pattern();

} // namespace bdq::io
