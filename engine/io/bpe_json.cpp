#include <algorithm>

#include "engine/io/bpe_encoder.h"
#include "engine/io/byte_reader.h"
#include "engine/io/json_guard.h"
#include "engine/io/tokenizer_config.h"
#include "engine/io/tokenizer_json.h"

namespace bdq::io {
namespace {

using nlohmann::json;

tl::unexpected<Error> unsupported(const std::string& label, const std::string& what) {
    return fail(ErrorCode::Unsupported, label + ": " + what + " is not supported");
}

Status checkModel(const json& model, const std::string& label) {
    const std::string type = textOf(member(model, "type"));
    if (type != "BPE" && !(type.empty() && member(model, "merges") != nullptr))
        return unsupported(label, "tokenizer model " + inQuotes(type));
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
        if (!textOf(member(model, key)).empty()) return unsupported(label, std::string("BPE with ") + key);
    const json* dropout = member(model, "dropout");
    if (dropout != nullptr && dropout->is_number() && dropout->get<double>() != 0)
        return unsupported(label, "BPE with dropout");
    return {};
}

/// One token of the file: where it goes and whether plain text can give it.
Status placeToken(BpeSource& source, std::int32_t id, std::string_view text, bool special,
                  const std::string& label) {
    if (id < 0 || static_cast<std::size_t>(id) >= source.tokens.size())
        return fail(ErrorCode::BadFormat, label + ": id of token " + inQuotes(text) +
                                              " is no integer below " + std::to_string(source.tokens.size()));
    BpeSource::Token& place = source.tokens[static_cast<std::size_t>(id)];
    if (!place.text.empty() && place.text != text)
        return fail(ErrorCode::BadFormat, label + ": tokens " + inQuotes(place.text) + " and " +
                                              inQuotes(text) + " have the same id");
    place = {text, special};
    return {};
}

/// Added tokens of the document and, behind them, those that only the configuration has. One that the
/// vocabulary has, too, gets its id there.
Result<std::vector<AddedToken>> readAdded(const json& document, const json& vocabulary,
                                          const TokenizerConfig& config, const std::string& label) {
    std::vector<AddedToken> added;
    const json* list = member(document, "added_tokens");
    if (list != nullptr && list->is_array())
        for (const json& entry : *list) {
            BDQ_TRY(AddedToken token, addedTokenFromJson(entry, label));
            added.push_back(std::move(token));
        }
    const std::size_t own = added.size();
    for (const AddedToken& token : config.added) {
        const auto end = added.begin() + static_cast<std::ptrdiff_t>(own);
        const bool known = std::any_of(
            added.begin(), end, [&](const AddedToken& other) { return other.content == token.content; });
        if (!known) added.push_back(token);
    }
    for (AddedToken& token : added)
        if (const auto known = vocabulary.find(token.content); known != vocabulary.end())
            token.id = idOf(&*known);
    std::erase_if(added, [&](const AddedToken& token) { return token.id < 0 || token.content.empty(); });
    return added;
}

/// `added` and `vocabulary` must outlive the source.
Status readVocabulary(const json& vocabulary, const std::vector<AddedToken>& added, const std::string& label,
                      BpeSource& source) {
    // Room for gaps between ids, in proportion to what the file holds.
    constexpr std::size_t kSpareIds = 4096;
    source.tokens.resize(2 * (vocabulary.size() + added.size()) + kSpareIds);
    for (const auto& entry : vocabulary.get_ref<const json::object_t&>())
        BDQ_CHECK(placeToken(source, idOf(&entry.second), entry.first, false, label));
    for (const AddedToken& token : added)
        if (!vocabulary.contains(token.content))
            BDQ_CHECK(placeToken(source, token.id, token.content, true, label));
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

/// Lines "left right" behind an optional "#version".
Status readMergeLines(std::string_view text, const std::string& label, BpeSource& source) {
    for (std::size_t begin = 0; begin < text.size();) {
        std::size_t end = text.find('\n', begin);
        end = end == std::string_view::npos ? text.size() : end;
        std::string_view line = text.substr(begin, end - begin);
        if (line.ends_with('\r')) line.remove_suffix(1);
        const bool header = begin == 0 && line.starts_with("#version");
        begin = end + 1;
        if (line.empty() || header) continue;
        const std::size_t space = line.find(' ', 1);
        if (space == std::string_view::npos)
            return fail(ErrorCode::BadFormat,
                        label + ": merges.txt: line " + inQuotes(line) + " is no pair of tokens");
        source.merges.emplace_back(line.substr(0, space), line.substr(space + 1));
    }
    return {};
}

Result<std::unique_ptr<TextEncoder>> assembled(const BpeSource& source, Pretokenizer stages,
                                               Normalizer normalizer, std::vector<AddedToken> added,
                                               const std::string& label) {
    BDQ_TRY(Bpe bpe, Bpe::build(source, label));
    auto encoder = std::make_unique<BpeEncoder>(std::move(bpe), std::move(stages));
    BDQ_CHECK(encoder->setUp(std::move(normalizer), std::move(added)));
    return encoder;
}

} // namespace

Result<std::unique_ptr<TextEncoder>> bpeFromJson(std::string_view text, const TokenizerConfig& config,
                                                 const std::string& label) {
    BDQ_TRY(const json document, parseJson(text, label));
    const json* model = member(document, "model");
    if (model == nullptr || !model->is_object())
        return fail(ErrorCode::BadFormat, label + ": 'model' is missing or no object");
    BDQ_CHECK(checkModel(*model, label));
    const json* vocabulary = member(*model, "vocab");
    if (vocabulary == nullptr || !vocabulary->is_object())
        return fail(ErrorCode::BadFormat, label + ": 'model.vocab' is missing or no object");
    BDQ_TRY(Normalizer normalizer, normalizerFromJson(member(document, "normalizer"), label));
    BDQ_TRY(JsonPretokenizer cuts, pretokenizerFromJson(member(document, "pre_tokenizer"), label));
    BDQ_TRY(std::vector<AddedToken> added, readAdded(document, *vocabulary, config, label));
    BpeSource source;
    source.byteLevel = cuts.byteLevel;
    source.ignoreMerges = isTrue(member(*model, "ignore_merges"));
    source.byteFallback = isTrue(member(*model, "byte_fallback"));
    source.fuseUnknown = isTrue(member(*model, "fuse_unk"));
    const std::string unknown = textOf(member(*model, "unk_token"));
    source.unknown = unknown;
    BDQ_CHECK(readVocabulary(*vocabulary, added, label, source));
    BDQ_CHECK(readMerges(*model, label, source));
    BDQ_TRY(auto encoder,
            assembled(source, std::move(cuts.stages), std::move(normalizer), std::move(added), label));
    if (config.isLlamaClass()) {
        BDQ_TRY(encoder->frame, llamaFrame(config, *encoder, label));
    } else {
        BDQ_TRY(encoder->frame, frameFromJson(member(document, "post_processor"), label));
    }
    return encoder;
}

Result<std::unique_ptr<TextEncoder>> bpeFromFiles(std::string_view vocabularyText, std::string_view merges,
                                                  const TokenizerConfig& config, const std::string& label) {
    const bool qwen = config.tokenizerClass == "Qwen2Tokenizer" ||
                      (config.tokenizerClass.empty() && config.modelType.starts_with("qwen"));
    if (!qwen && !config.tokenizerClass.empty() && config.tokenizerClass != "GPT2Tokenizer" &&
        config.tokenizerClass != "PreTrainedTokenizer")
        return unsupported(label, "vocab.json and merges.txt of tokenizer class " +
                                      inQuotes(config.tokenizerClass) +
                                      " (expected GPT2Tokenizer or Qwen2Tokenizer)");
    BDQ_TRY(const json vocabulary, parseJson(vocabularyText, "vocab.json"));
    if (!vocabulary.is_object()) return fail(ErrorCode::BadFormat, label + ": vocab.json is no JSON object");
    // The default of both classes, where the files beside it do not name it.
    const json usual = {{"added_tokens", json::array({{{"content", "<|endoftext|>"}, {"special", true}}})}};
    BDQ_TRY(std::vector<AddedToken> added, readAdded(usual, vocabulary, config, label));
    BpeSource source;
    BDQ_CHECK(readVocabulary(vocabulary, added, "vocab.json", source));
    BDQ_CHECK(readMergeLines(merges, label, source));
    std::vector<Pretokenizer::Stage> stages;
    if (config.addPrefixSpace.value_or(false)) stages.emplace_back(PrefixSpace{});
    BDQ_TRY(TextPattern pattern, TextPattern::regex(qwen ? qwen2Pattern() : gpt2Pattern(), label));
    // Qwen's class puts the space in front of each piece, GPT-2's in front of the text.
    const PatternCut cut{std::move(pattern), CutBehavior::Isolated, false};
    stages.insert(qwen ? stages.begin() : stages.end(), cut);
    BDQ_TRY(auto encoder, assembled(source, Pretokenizer(std::move(stages)),
                                    qwen ? nfcNormalizer() : Normalizer(), std::move(added), label));
    if (!qwen && config.addBos.value_or(false)) {
        TokenizerConfig bosOnly = config;
        bosOnly.addEos = false;
        if (bosOnly.bosToken.empty()) bosOnly.bosToken = "<|endoftext|>";
        BDQ_TRY(encoder->frame, llamaFrame(bosOnly, *encoder, label));
    }
    return encoder;
}

} // namespace bdq::io
