#include "engine/io/tokenizer_json.h"

#include "engine/io/byte_reader.h"
#include "engine/io/json_guard.h"

namespace bdq::io {
namespace {

using nlohmann::json;

Status badTemplate(const std::string& label, const std::string& what) {
    return fail(ErrorCode::BadFormat, label + ": post_processor TemplateProcessing: " + what);
}

/// Ids of one special token of a template.
Status addTemplateIds(const json& processor, const json& piece, const std::string& label,
                      std::vector<std::int32_t>& ids) {
    const std::string name = textOf(member(piece, "id"));
    const json* table = member(processor, "special_tokens");
    const json* entry = table == nullptr ? nullptr : member(*table, name.c_str());
    const json* list = entry == nullptr ? nullptr : member(*entry, "ids");
    if (list == nullptr || !list->is_array())
        return badTemplate(label, "'special_tokens' has no ids of " + inQuotes(name));
    for (const json& id : *list) {
        if (idOf(&id) < 0)
            return badTemplate(label, "an id of " + inQuotes(name) + " is no integer below 2^31");
        ids.push_back(idOf(&id));
    }
    return {};
}

Result<TextFrame> templateFrame(const json& processor, const std::string& label) {
    TextFrame frame;
    const json* single = member(processor, "single");
    bool textSeen = false;
    if (single != nullptr && single->is_array())
        for (const json& piece : *single) {
            if (const json* special = member(piece, "SpecialToken")) {
                BDQ_CHECK(addTemplateIds(processor, *special, label, textSeen ? frame.behind : frame.before));
                continue;
            }
            if (member(piece, "Sequence") == nullptr || textSeen)
                return fail(ErrorCode::Unsupported,
                            label + ": post_processor TemplateProcessing that is not one text among tokens");
            textSeen = true;
        }
    if (!textSeen)
        return fail(ErrorCode::BadFormat,
                    label + ": post_processor TemplateProcessing: 'single' has no text");
    return frame;
}

/// [CLS] text [SEP], each written as [token, id].
Result<TextFrame> bertFrame(const json& processor, const std::string& label) {
    TextFrame frame;
    for (const auto& [key, ids] : {std::pair("cls", &frame.before), std::pair("sep", &frame.behind)}) {
        const json* pair = member(processor, key);
        const std::int32_t id =
            pair != nullptr && pair->is_array() && pair->size() == 2 ? idOf(&(*pair)[1]) : -1;
        if (id < 0)
            return fail(ErrorCode::BadFormat,
                        label + ": post_processor: '" + key + "' is no pair of token and id");
        ids->push_back(id);
    }
    return frame;
}

} // namespace

std::string textOf(const json* value) {
    return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

bool isTrue(const json* value) {
    return value != nullptr && value->is_boolean() && value->get<bool>();
}

std::int32_t idOf(const json* value) {
    if (value == nullptr || !value->is_number_unsigned() || value->get<std::uint64_t>() > INT32_MAX)
        return -1;
    return value->get<std::int32_t>();
}

Result<TextPattern> patternFromJson(const json* object, const std::string& label) {
    const json* literal = object == nullptr ? nullptr : member(*object, "String");
    if (literal != nullptr && literal->is_string()) return TextPattern::literal(literal->get<std::string>());
    const std::string regex = object == nullptr ? "" : textOf(member(*object, "Regex"));
    if (regex.empty()) return fail(ErrorCode::BadFormat, label + ": a pattern is neither String nor Regex");
    return TextPattern::regex(regex, label);
}

Result<AddedToken> addedTokenFromJson(const json& object, const std::string& label) {
    const json* content = member(object, "content");
    if (content == nullptr || !content->is_string())
        return fail(ErrorCode::BadFormat, label + ": an added token has no 'content'");
    AddedToken token;
    token.content = content->get<std::string>();
    token.id = idOf(member(object, "id"));
    token.singleWord = isTrue(member(object, "single_word"));
    token.leftStrip = isTrue(member(object, "lstrip"));
    token.rightStrip = isTrue(member(object, "rstrip"));
    const json* normalized = member(object, "normalized");
    token.normalized = normalized == nullptr ? !isTrue(member(object, "special")) : isTrue(normalized);
    return token;
}

Result<TextFrame> frameFromJson(const json* object, const std::string& label) {
    if (object == nullptr || object->is_null()) return TextFrame{};
    const std::string type = textOf(member(*object, "type"));
    if (type == "ByteLevel") return TextFrame{};
    if (type == "TemplateProcessing") return templateFrame(*object, label);
    if (type == "BertProcessing" || type == "RobertaProcessing") return bertFrame(*object, label);
    const json* list = member(*object, "processors");
    if (type != "Sequence" || list == nullptr || !list->is_array())
        return fail(ErrorCode::Unsupported,
                    label + ": post_processor " + inQuotes(type) + " is not supported");
    TextFrame frame;
    for (const json& part : *list) {
        if (textOf(member(part, "type")) == "Sequence")
            return fail(ErrorCode::Unsupported, label + ": post_processor: a Sequence inside a Sequence");
        BDQ_TRY(const TextFrame outer, frameFromJson(&part, label));
        frame.before.insert(frame.before.begin(), outer.before.begin(), outer.before.end());
        frame.behind.insert(frame.behind.end(), outer.behind.begin(), outer.behind.end());
    }
    return frame;
}

} // namespace bdq::io
