#include <optional>

#include "engine/io/byte_reader.h"
#include "engine/io/json_guard.h"
#include "engine/io/pretokenizer.h"
#include "engine/io/tokenizer_json.h"

namespace bdq::io {
namespace {

using nlohmann::json;
using Stages = std::vector<Pretokenizer::Stage>;

// Punctuation of `tokenizers`: ASCII's and general category P.
constexpr std::string_view kPunctuation = R"([\p{P}!-/:-@\[-`{-~])";

tl::unexpected<Error> unsupported(const std::string& label, const std::string& what) {
    return fail(ErrorCode::Unsupported, label + ": " + what + " is not supported");
}

Status addCut(std::string_view regex, CutBehavior behavior, bool invert, const std::string& label,
              Stages& stages) {
    BDQ_TRY(TextPattern pattern, TextPattern::regex(regex, label));
    stages.emplace_back(PatternCut{std::move(pattern), behavior, invert});
    return {};
}

Result<CutBehavior> behaviorOf(const json& object, const std::string& label) {
    const std::string name = textOf(member(object, "behavior"));
    if (name == "Isolated" || name.empty()) return CutBehavior::Isolated;
    if (name == "Removed") return CutBehavior::Removed;
    if (name == "MergedWithPrevious") return CutBehavior::MergedWithPrevious;
    if (name == "MergedWithNext") return CutBehavior::MergedWithNext;
    if (name == "Contiguous") return CutBehavior::Contiguous;
    return unsupported(label, "pre-tokenizer behavior " + inQuotes(name));
}

Status addSplit(const json& object, const std::string& label, Stages& stages) {
    BDQ_TRY(TextPattern pattern, patternFromJson(member(object, "pattern"), label));
    BDQ_TRY(const CutBehavior behavior, behaviorOf(object, label));
    stages.emplace_back(PatternCut{std::move(pattern), behavior, isTrue(member(object, "invert"))});
    return {};
}

Status addByteLevel(const json& object, const std::string& label, Stages& stages) {
    if (isTrue(member(object, "add_prefix_space"))) stages.emplace_back(PrefixSpace{});
    const json* useRegex = member(object, "use_regex");
    if (useRegex == nullptr || isTrue(useRegex))
        return addCut(gpt2Pattern(), CutBehavior::Isolated, false, label, stages);
    return {};
}

Status addMetaspace(const json& object, const std::string& label, Stages& stages) {
    MetaspaceCut cut;
    if (const std::string text = textOf(member(object, "replacement")); !text.empty()) cut.replacement = text;
    const json* older = member(object, "add_prefix_space");
    const bool never = older != nullptr && older->is_boolean() && !older->get<bool>();
    const std::string scheme = textOf(member(object, "prepend_scheme"));
    if (scheme == "never" || (scheme.empty() && never))
        cut.prepend = MetaspaceCut::Prepend::Never;
    else if (scheme == "first")
        cut.prepend = MetaspaceCut::Prepend::First;
    else if (!scheme.empty() && scheme != "always")
        return unsupported(label, "Metaspace with prepend_scheme " + inQuotes(scheme));
    const json* split = member(object, "split");
    cut.cut = split == nullptr || isTrue(split);
    stages.emplace_back(std::move(cut));
    return {};
}

/// The kinds that are a pattern without a choice.
Result<bool> addSimple(const std::string& type, const json& object, const std::string& label,
                       Stages& stages) {
    const auto cut = [&](std::string_view regex, CutBehavior behavior, bool invert) -> Result<bool> {
        BDQ_CHECK(addCut(regex, behavior, invert, label, stages));
        return true;
    };
    if (type == "Digits")
        return cut(isTrue(member(object, "individual_digits")) ? R"(\p{N})" : R"(\p{N}+)",
                   CutBehavior::Isolated, false);
    if (type == "Punctuation") {
        BDQ_TRY(const CutBehavior behavior, behaviorOf(object, label));
        return cut(kPunctuation, behavior, false);
    }
    // This one is matched by Rust's engine, for which the two joiners are word characters.
    if (type == "Whitespace")
        return cut(R"([\w\x{200c}\x{200d}]+|[^\w\x{200c}\x{200d}\s]+)", CutBehavior::Removed, true);
    if (type == "WhitespaceSplit") return cut(R"(\s)", CutBehavior::Removed, false);
    if (type == "BertPreTokenizer") {
        BDQ_CHECK(addCut(R"(\s)", CutBehavior::Removed, false, label, stages));
        return cut(kPunctuation, CutBehavior::Isolated, false);
    }
    if (type != "CharDelimiterSplit") return false;
    stages.emplace_back(
        PatternCut{TextPattern::literal(textOf(member(object, "delimiter"))), CutBehavior::Removed, false});
    return true;
}

/// Adds the stages of one object. `byteLevel`: they, or those before, end with ByteLevel.
Status addStages(const json& object, const std::string& label, Stages& stages, bool& byteLevel) {
    const std::string type = textOf(member(object, "type"));
    if (type == "Sequence") {
        const json* list = member(object, "pretokenizers");
        if (list == nullptr || !list->is_array())
            return fail(ErrorCode::BadFormat,
                        label + ": 'pretokenizers' of a Sequence is missing or no array");
        for (const json& part : *list)
            BDQ_CHECK(addStages(part, label, stages, byteLevel));
        return {};
    }
    // Behind ByteLevel a pattern would see its spelling of bytes, not the text.
    if (byteLevel) return unsupported(label, "a pre-tokenizer behind ByteLevel");
    if (type == "ByteLevel") {
        byteLevel = true;
        return addByteLevel(object, label, stages);
    }
    if (type == "Split") return addSplit(object, label, stages);
    if (type == "Metaspace") return addMetaspace(object, label, stages);
    BDQ_TRY(const bool known, addSimple(type, object, label, stages));
    return known ? Status{} : unsupported(label, "pre-tokenizer " + inQuotes(type));
}

} // namespace

Result<JsonPretokenizer> pretokenizerFromJson(const json* object, const std::string& label) {
    JsonPretokenizer result;
    Stages stages;
    if (object != nullptr && !object->is_null())
        BDQ_CHECK(addStages(*object, label, stages, result.byteLevel));
    result.stages = Pretokenizer(std::move(stages));
    return result;
}

} // namespace bdq::io
