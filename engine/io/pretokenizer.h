// Cutting text into the pieces that BPE merges within.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "engine/api/result.h"
#include "engine/io/regex.h"

namespace bdq::io {

/// What becomes of the matches of a pattern (tokenizer.json, "behavior").
enum class CutBehavior { Isolated, Removed, MergedWithPrevious, MergedWithNext, Contiguous };

/// Cuts at the matches of a pattern; inverted, at what lies between them.
struct PatternCut {
    TextPattern pattern;
    CutBehavior behavior = CutBehavior::Isolated;
    bool invert = false;
};

/// Writes spaces as `replacement`, puts one in front, and cuts before each.
struct MetaspaceCut {
    enum class Prepend { Always, First, Never };
    std::string replacement = "\u2581";
    Prepend prepend = Prepend::Always;
    bool cut = true;
};

/// Puts a space in front of every piece that begins with none.
struct PrefixSpace {};

/// A sequence of stages, each applied to the pieces of the one before. Immutable and thread-safe.
class Pretokenizer {
public:
    using Stage = std::variant<PatternCut, MetaspaceCut, PrefixSpace>;

    /// Pieces and the strings that some of them view; the others view the text.
    struct Pieces {
        std::vector<std::string_view> texts;
        std::deque<std::string> changed;
    };

    Pretokenizer() = default;
    explicit Pretokenizer(std::vector<Stage> stages) : m_stages(std::move(stages)) {}

    /// Stages of a tokenizer.ggml.pre name, as llama.cpp cuts. Error: Unsupported, naming those known.
    static Result<Pretokenizer> fromGgufName(std::string_view name, const std::string& label);
    /// One isolated cut per pattern. Error: Unsupported when PCRE2 cannot compile one.
    static Result<Pretokenizer> fromPatterns(const std::vector<std::string>& patterns,
                                             const std::string& label);

    /// Appends the pieces of `text` (valid UTF-8), in order. `first`: an original text begins with it. Error:
    /// Unsupported when a pattern exceeds PCRE2's matching limits.
    Status split(std::string_view text, bool first, Pieces& pieces) const;

private:
    std::vector<Stage> m_stages;
};

/// 'pre_tokenizer' of a tokenizer.json: stages, and whether the last of them spells bytes as GPT-2 does.
struct JsonPretokenizer {
    Pretokenizer stages;
    bool byteLevel = false;
};
/// ByteLevel (last), Split, Metaspace, Digits, Punctuation, Whitespace, WhitespaceSplit, BertPreTokenizer,
/// CharDelimiterSplit and sequences of them; null = none. Errors: Unsupported, BadFormat.
Result<JsonPretokenizer> pretokenizerFromJson(const nlohmann::json* object, const std::string& label);

/// The pattern of GPT-2's byte-level pre-tokenizer, also the default of tokenizer.json's ByteLevel.
std::string_view gpt2Pattern();
/// That of Qwen2.
std::string_view qwen2Pattern();
/// Whether llama.cpp takes a piece that is a token as a whole without merging, by tokenizer.ggml.pre.
bool ggufIgnoresMerges(std::string_view name);

} // namespace bdq::io
