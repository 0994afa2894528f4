#include "engine/io/bpe_encoder.h"
#include "engine/io/byte_reader.h"
#include "engine/io/json_guard.h"

namespace bdq::io {
namespace {

using nlohmann::json;

std::string textOf(const json* value) {
    return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

bool isTrue(const json* value) {
    return value != nullptr && value->is_boolean() && value->get<bool>();
}

tl::unexpected<Error> unsupported(const std::string& label, const std::string& what) {
    return fail(ErrorCode::Unsupported, label + ": " + what + " is not supported");
}

/// Adds the stages of one pre-tokenizer object.
Status addStages(const json& object, const std::string& label, std::vector<std::string>& patterns) {
    const std::string type = textOf(member(object, "type"));
    if (type == "Sequence") {
        const json* list = member(object, "pretokenizers");
        if (list == nullptr || !list->is_array())
            return fail(ErrorCode::BadFormat,
                        label + ": 'pretokenizers' of a Sequence is missing or no array");
        for (const json& part : *list) {
            if (textOf(member(part, "type")) == "Sequence")
                return unsupported(label, "a pre-tokenizer Sequence inside a Sequence");
            BDQ_CHECK(addStages(part, label, patterns));
        }
        return {};
    }
    if (type == "ByteLevel") {
        if (isTrue(member(object, "add_prefix_space")))
            return unsupported(label, "ByteLevel with add_prefix_space");
        const json* useRegex = member(object, "use_regex");
        if (useRegex == nullptr || isTrue(useRegex)) patterns.emplace_back(gpt2Pattern());
        return {};
    }
    if (type == "Digits") {
        patterns.emplace_back(isTrue(member(object, "individual_digits")) ? R"(\p{N})" : R"(\p{N}+)");
        return {};
    }
    if (type == "Split") {
        const json* pattern = member(object, "pattern");
        const std::string regex = pattern == nullptr ? "" : textOf(member(*pattern, "Regex"));
        if (regex.empty() || isTrue(member(object, "invert")) ||
            textOf(member(object, "behavior")) != "Isolated")
            return unsupported(label, "a Split pre-tokenizer other than an isolated Regex");
        patterns.push_back(regex);
        return {};
    }
    return unsupported(label, "pre-tokenizer " + inQuotes(type));
}

/// True when the tokenizer normalises to NFC; other normalizers are refused.
Result<bool> needsNfc(const json* normalizer, const std::string& label) {
    if (normalizer == nullptr || normalizer->is_null()) return false;
    const std::string type = textOf(member(*normalizer, "type"));
    if (type == "NFC") return true;
    const json* list = member(*normalizer, "normalizers");
    if (type == "Sequence" && list != nullptr && list->is_array() && list->empty()) return false;
    return unsupported(label, "normalizer " + inQuotes(type));
}

Status checkModel(const json& model, const std::string& label) {
    const std::string type = textOf(member(model, "type"));
    if (type != "BPE" && !(type.empty() && member(model, "merges") != nullptr))
        return unsupported(label, "tokenizer model " + inQuotes(type));
    if (isTrue(member(model, "byte_fallback")))
        return unsupported(label,
                           "BPE with byte fallback (SentencePiece style) without a tokenizer.model file");
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
        if (!textOf(member(model, key)).empty()) return unsupported(label, std::string("BPE with ") + key);
    const json* dropout = member(model, "dropout");
    if (dropout != nullptr && dropout->is_number() && dropout->get<double>() != 0)
        return unsupported(label, "BPE with dropout");
    return {};
}

/// One token of the file: where it goes and whether plain text can give it.
Status placeToken(BpeSource& source, const json* id, std::string_view text, bool special,
                  const std::string& label) {
    if (id == nullptr || !id->is_number_unsigned() || id->get<std::uint64_t>() >= source.tokens.size())
        return fail(ErrorCode::BadFormat, label + ": id of token " + inQuotes(text) +
                                              " is no integer below " + std::to_string(source.tokens.size()));
    BpeSource::Token& place = source.tokens[id->get<std::size_t>()];
    if (!place.text.empty() && place.text != text)
        return fail(ErrorCode::BadFormat, label + ": tokens " + inQuotes(place.text) + " and " +
                                              inQuotes(text) + " have the same id");
    place = {text, special};
    return {};
}

Status readVocabulary(const json& document, const json& model, const std::string& label, BpeSource& source) {
    const json* vocabulary = member(model, "vocab");
    if (vocabulary == nullptr || !vocabulary->is_object())
        return fail(ErrorCode::BadFormat, label + ": 'model.vocab' is missing or no object");
    const json* added = member(document, "added_tokens");
    const bool hasAdded = added != nullptr && added->is_array();
    // Room for gaps between ids, in proportion to what the file holds.
    constexpr std::size_t kSpareIds = 4096;
    source.tokens.resize(2 * (vocabulary->size() + (hasAdded ? added->size() : 0)) + kSpareIds);
    for (const auto& entry : vocabulary->get_ref<const json::object_t&>())
        BDQ_CHECK(placeToken(source, &entry.second, entry.first, false, label));
    if (hasAdded)
        for (const json& token : *added) {
            const json* content = member(token, "content");
            if (content == nullptr || !content->is_string())
                return fail(ErrorCode::BadFormat, label + ": an entry of 'added_tokens' has no 'content'");
            BDQ_CHECK(
                placeToken(source, member(token, "id"), content->get_ref<const std::string&>(), true, label));
        }
    while (!source.tokens.empty() && source.tokens.back().text.empty())
        source.tokens.pop_back();
    return {};
}

/// Merges are "left right" or, in newer files, ["left", "right"].
Status readMerges(const json& model, const std::string& label, BpeSource& source) {
    const json* merges = member(model, "merges");
    if (merges == nullptr || !merges->is_array())
        return fail(ErrorCode::BadFormat, label + ": 'model.merges' is missing or no array");
    source.merges.reserve(merges->size());
    for (const json& merge : *merges) {
        if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
            source.merges.emplace_back(merge[0].get_ref<const std::string&>(),
                                       merge[1].get_ref<const std::string&>());
            continue;
        }
        const std::string_view text =
            merge.is_string() ? merge.get_ref<const std::string&>() : std::string_view{};
        const std::size_t space = text.find(' ', 1);
        if (space == std::string_view::npos)
            return fail(ErrorCode::BadFormat, label + ": merge " + std::to_string(source.merges.size()) +
                                                  " of 'model.merges' is no pair of tokens");
        source.merges.emplace_back(text.substr(0, space), text.substr(space + 1));
    }
    return {};
}

} // namespace

Result<std::unique_ptr<TextEncoder>> bpeFromJson(std::string_view text, const std::string& label) {
    BDQ_TRY(const json document, parseJson(text, label));
    const json* model = member(document, "model");
    if (model == nullptr || !model->is_object())
        return fail(ErrorCode::BadFormat, label + ": 'model' is missing or no object");
    BDQ_CHECK(checkModel(*model, label));
    BDQ_TRY(const bool nfc, needsNfc(member(document, "normalizer"), label));
    std::vector<std::string> patterns;
    const json* pretokenizer = member(document, "pre_tokenizer");
    if (pretokenizer == nullptr || !pretokenizer->is_object())
        return unsupported(label, "a tokenizer without a byte-level pre-tokenizer");
    BDQ_CHECK(addStages(*pretokenizer, label, patterns));
    BDQ_TRY(Pretokenizer cutter, Pretokenizer::fromPatterns(patterns, label));
    BpeSource source;
    BDQ_CHECK(readVocabulary(document, *model, label, source));
    BDQ_CHECK(readMerges(*model, label, source));
    source.ignoreMerges = isTrue(member(*model, "ignore_merges"));
    BDQ_TRY(Bpe bpe, Bpe::build(source, label));
    return std::make_unique<BpeEncoder>(std::move(bpe), std::move(cutter), nfc, label);
}

} // namespace bdq::io
