#include "engine/calibration/text_records.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "engine/io/json_guard.h"

namespace bdq {
namespace {

using nlohmann::json;

/// One text of a record and the keys it came from.
struct Found {
    std::string text;
    std::string keys; ///< "prompt + response"
    bool chat = false;
};

/// The text of a value: a string, or the parts of a message, {"type": "text", "text": ...}. Nothing for
/// anything else.
std::optional<std::string> textOf(const json* value) {
    if (value == nullptr) return std::nullopt;
    if (value->is_string()) return value->get<std::string>();
    if (!value->is_array()) return std::nullopt;
    std::string text;
    for (const json& part : *value) {
        const json* inner = io::member(part, "text");
        if (inner != nullptr && inner->is_string()) text += inner->get<std::string>();
    }
    return text;
}

/// Contents of the turns of a chat, one a line. A turn without words (a call of a tool) adds nothing.
std::optional<Found> chatOf(const json& record, const char* key, const char* contentKey) {
    const json* turns = io::member(record, key);
    if (turns == nullptr || !turns->is_array()) return std::nullopt;
    Found found{{}, key, true};
    for (const json& turn : *turns) {
        const json* content = io::member(turn, contentKey);
        if (!turn.is_object() || content == nullptr) return std::nullopt;
        const std::string words = textOf(content).value_or(std::string());
        if (!words.empty()) found.text += (found.text.empty() ? "" : "\n") + words;
    }
    return found;
}

/// The texts of these keys, one a line; the first and the last must be there.
std::optional<Found> joinedOf(const json& record, std::initializer_list<const char*> keys) {
    Found found;
    for (const char* key : keys) {
        const std::optional<std::string> part = textOf(io::member(record, key));
        const bool end = key == *keys.begin() || key == *(keys.end() - 1);
        if (!part && end) return std::nullopt;
        if (!part || part->empty()) continue;
        found.text += (found.text.empty() ? "" : "\n") + *part;
        found.keys += (found.keys.empty() ? "" : " + ") + std::string(key);
    }
    if (found.keys.empty()) found.keys = *keys.begin();
    return found;
}

std::optional<Found> textOfRecord(const json& record) {
    if (record.is_string()) return Found{record.get<std::string>(), "(texts)"};
    if (!record.is_object()) return std::nullopt;
    for (const char* key : {"text", "content"})
        if (const json* value = io::member(record, key); value != nullptr && value->is_string())
            return Found{value->get<std::string>(), key};
    if (auto chat = chatOf(record, "messages", "content")) return chat;
    if (auto chat = chatOf(record, "conversations", "value")) return chat;
    if (auto chat = chatOf(record, "conversations", "content")) return chat;
    for (const auto& keys : {std::initializer_list<const char*>{"prompt", "response"},
                             {"prompt", "completion"},
                             {"prompt", "chosen"},
                             {"instruction", "input", "output"},
                             {"instruction", "input", "response"},
                             {"question", "answer"}})
        if (auto joined = joinedOf(record, keys)) return joined;
    return std::nullopt;
}

std::string keysOf(const json& record) {
    constexpr std::size_t kShown = 8;
    if (!record.is_object()) return std::string("a value of kind ") + record.type_name();
    std::string keys;
    std::size_t count = 0;
    for (const auto& [key, value] : record.items()) {
        if (++count > kShown) return "the keys " + keys + ", ...";
        keys += (keys.empty() ? "" : ", ") + key;
    }
    return keys.empty() ? "an empty object" : "the keys " + keys;
}

} // namespace

Status TextRecords::add(const json& record, const std::string& label) {
    std::optional<Found> found = textOfRecord(record);
    if (!found)
        return fail(ErrorCode::BadFormat,
                    label + ": found " + keysOf(record) +
                        ", expected a text under text, content, messages, conversations, prompt + response, "
                        "instruction + output or question + answer");
    if (std::ranges::find(m_keys, found->keys) == m_keys.end()) m_keys.push_back(found->keys);
    m_chat = m_chat || found->chat;
    if (found->text.empty()) return {};
    if (m_count > 0) m_text += "\n\n";
    m_text += found->text;
    ++m_count;
    return {};
}

std::string TextRecords::form(const std::string& kind) const {
    std::string keys;
    for (const std::string& key : m_keys)
        keys += (keys.empty() ? "" : ", ") + key;
    return std::to_string(m_count) + (m_count == 1 ? " text of " : " texts of ") + kind +
           (m_keys.size() == 1 ? ", key " : ", keys ") + keys +
           (m_chat ? " (without the model's chat template)" : "");
}

} // namespace bdq
