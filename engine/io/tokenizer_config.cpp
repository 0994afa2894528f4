#include "engine/io/tokenizer_config.h"

#include <algorithm>
#include <array>

#include "engine/io/byte_reader.h"
#include "engine/io/json_guard.h"
#include "engine/io/text_file.h"
#include "engine/io/tokenizer_json.h"

namespace bdq::io {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Whole file as JSON; null when there is none.
Result<json> readJson(const fs::path& path) {
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return json();
    constexpr std::size_t kMaxBytes = 64u << 20;
    BDQ_TRY(const std::string text, readModelText(path, kMaxBytes));
    return parseJson(withoutPythonNumbers(text), path.filename().string());
}

/// A special token: its text, or an object with its content.
std::string contentOf(const json* value) {
    if (value == nullptr) return "";
    return value->is_object() ? textOf(member(*value, "content")) : textOf(value);
}

std::optional<bool> flagOf(const json& object, const char* key) {
    const json* value = member(object, key);
    if (value == nullptr || !value->is_boolean()) return std::nullopt;
    return value->get<bool>();
}

bool isKnown(const TokenizerConfig& config, std::string_view content) {
    return std::any_of(config.added.begin(), config.added.end(),
                       [&](const AddedToken& token) { return token.content == content; });
}

Status addDecoder(const json& document, TokenizerConfig& config) {
    const json* decoder = member(document, "added_tokens_decoder");
    if (decoder == nullptr || !decoder->is_object()) return {};
    for (const auto& [id, entry] : decoder->items()) {
        BDQ_TRY(AddedToken token, addedTokenFromJson(entry, "tokenizer_config.json"));
        const bool number = !id.empty() && id.size() < 10 &&
                            std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
        if (!number)
            return fail(ErrorCode::BadFormat, "tokenizer_config.json: 'added_tokens_decoder': id " +
                                                  inQuotes(id) + " is no integer below 10^9");
        token.id = std::stoi(id);
        config.added.push_back(std::move(token));
    }
    return {};
}

/// Special tokens named by their texts alone.
void addSpecial(const json& document, TokenizerConfig& config) {
    const auto add = [&](const json* value) {
        const std::string content = contentOf(value);
        if (content.empty() || isKnown(config, content)) return;
        AddedToken token;
        token.content = content;
        if (value->is_object()) {
            token.leftStrip = isTrue(member(*value, "lstrip"));
            token.rightStrip = isTrue(member(*value, "rstrip"));
            token.singleWord = isTrue(member(*value, "single_word"));
        }
        config.added.push_back(std::move(token));
    };
    for (const char* key :
         {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"})
        add(member(document, key));
    const json* list = member(document, "additional_special_tokens");
    if (list != nullptr && list->is_array())
        for (const json& value : *list)
            add(&value);
}

/// The ids of added_tokens.json, {"content": id}.
void addIds(const json& document, TokenizerConfig& config) {
    if (!document.is_object()) return;
    for (const auto& [content, value] : document.items()) {
        if (idOf(&value) < 0) continue;
        const auto known = std::find_if(config.added.begin(), config.added.end(),
                                        [&](const AddedToken& token) { return token.content == content; });
        if (known != config.added.end()) {
            if (known->id < 0) known->id = idOf(&value);
            continue;
        }
        AddedToken token;
        token.content = content;
        token.id = idOf(&value);
        token.normalized = true;
        config.added.push_back(std::move(token));
    }
}

void readNames(const json& document, TokenizerConfig& config) {
    for (const auto& [key, text] :
         {std::pair("bos_token", &config.bosToken), std::pair("eos_token", &config.eosToken),
          std::pair("unk_token", &config.unknownToken)})
        if (text->empty()) *text = contentOf(member(document, key));
}

} // namespace

bool TokenizerConfig::isLlamaClass() const {
    constexpr std::array<std::string_view, 4> kClasses{"LlamaTokenizer", "CodeLlamaTokenizer",
                                                       "CohereTokenizer", "GemmaTokenizer"};
    return std::find(kClasses.begin(), kClasses.end(), tokenizerClass) != kClasses.end();
}

Result<TokenizerConfig> readTokenizerConfig(const fs::path& folder) {
    TokenizerConfig config;
    BDQ_TRY(const json document, readJson(folder / "tokenizer_config.json"));
    BDQ_TRY(const json specials, readJson(folder / "special_tokens_map.json"));
    BDQ_TRY(const json ids, readJson(folder / "added_tokens.json"));
    config.tokenizerClass = textOf(member(document, "tokenizer_class"));
    constexpr std::string_view kFast = "Fast";
    if (config.tokenizerClass.ends_with(kFast))
        config.tokenizerClass.resize(config.tokenizerClass.size() - kFast.size());
    config.addBos = flagOf(document, "add_bos_token");
    config.addEos = flagOf(document, "add_eos_token");
    config.addPrefixSpace = flagOf(document, "add_prefix_space");
    config.legacy = flagOf(document, "legacy");
    readNames(document, config);
    readNames(specials, config);
    BDQ_CHECK(addDecoder(document, config));
    addSpecial(document, config);
    addSpecial(specials, config);
    addIds(ids, config);
    return config;
}

std::vector<AddedToken> withIds(std::vector<AddedToken> added, const TextEncoder& encoder) {
    for (AddedToken& token : added)
        if (token.id < 0) token.id = encoder.idOfToken(token.content).value_or(-1);
    return added;
}

Result<TextFrame> llamaFrame(const TokenizerConfig& config, const TextEncoder& encoder,
                             const std::string& label) {
    TextFrame frame;
    const auto idOf = [&](const std::string& text) {
        for (const AddedToken& token : config.added)
            if (token.content == text && token.id >= 0) return std::optional(token.id);
        return encoder.idOfToken(text);
    };
    const auto add = [&](std::optional<bool> asked, const std::string& named, const char* usual,
                         std::vector<std::int32_t>& ids) -> Status {
        const std::string& text = named.empty() ? usual : named;
        if (const std::optional<std::int32_t> id = idOf(text))
            ids.push_back(*id);
        else if (asked)
            return fail(ErrorCode::BadFormat, label + ": the tokenizer adds " + inQuotes(text) +
                                                  ", which is not in its vocabulary");
        return {};
    };
    if (config.addBos.value_or(true)) BDQ_CHECK(add(config.addBos, config.bosToken, "<s>", frame.before));
    if (config.addEos.value_or(false)) BDQ_CHECK(add(config.addEos, config.eosToken, "</s>", frame.behind));
    return frame;
}

} // namespace bdq::io
