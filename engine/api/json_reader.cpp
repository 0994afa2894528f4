#include "engine/api/json_reader.h"

#include <algorithm>
#include <cmath>

namespace bdq::json {
namespace {

const Json& emptyObject() {
    static const Json kEmpty = Json::object();
    return kEmpty;
}

/// Short text of a value for messages.
std::string describe(const Json& value) {
    if (value.is_object()) return "an object";
    if (value.is_array()) return "an array";
    constexpr std::size_t kShown = 60;
    std::string text = dump(value);
    if (text.size() > kShown) text = text.substr(0, kShown) + "...";
    return text;
}

/// The parser itself does not recurse, but dump() and destructors of callers may: nesting is limited before
/// parsing.
bool nestsTooDeep(std::string_view text) {
    int depth = 0;
    bool inString = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (inString) {
            if (c == '\\')
                ++i;
            else if (c == '"')
                inString = false;
        } else if (c == '"') {
            inString = true;
        } else if (c == '{' || c == '[') {
            if (++depth > kMaxDepth) return true;
        } else if (c == '}' || c == ']') {
            --depth;
        }
    }
    return false;
}

/// An integer within the bounds; values above the range of int64 are never within.
std::optional<std::int64_t> integerWithin(const Json& value, std::int64_t least, std::int64_t most) {
    if (!value.is_number_integer()) return std::nullopt;
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
    if (value.is_number_unsigned() && value.get<std::uint64_t>() > kMost) return std::nullopt;
    const auto number = value.get<std::int64_t>();
    if (number < least || number > most) return std::nullopt;
    return number;
}

} // namespace

Result<Json> parseObject(std::string_view text, const std::string& label, ErrorCode code,
                         std::size_t maxBytes) {
    if (text.size() > maxBytes)
        return fail(code, label + ": found " + std::to_string(text.size()) +
                              " bytes of JSON, expected at most " + std::to_string(maxBytes));
    if (nestsTooDeep(text))
        return fail(code, label + ": JSON nested deeper than " + std::to_string(kMaxDepth) + " levels");
    try {
        Json value = Json::parse(text);
        if (!value.is_object())
            return fail(code, label + ": found " + describe(value) + ", expected a JSON object");
        return value;
    } catch (const Json::exception& error) {
        return fail(code, label + ": not valid JSON: " + error.what());
    }
}

std::string dump(const Json& value, int indent) {
    return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Reader::Reader(const Json& object, ReadState& state, std::string path)
    : m_object(&object), m_state(&state), m_path(std::move(path)) {
    if (!object.is_object()) {
        refuse({}, describe(object), "an object");
        m_object = &emptyObject();
    }
}

Status Reader::status() const {
    if (m_state->error) return tl::unexpected<Error>(*m_state->error);
    return {};
}

std::string Reader::pathOf(std::string_view key) const {
    if (key.empty()) return m_path;
    return m_path.empty() ? std::string(key) : m_path + "." + std::string(key);
}

void Reader::refuse(std::string_view key, std::string_view found, std::string_view expected) {
    if (m_state->error) return;
    const std::string path = pathOf(key);
    m_state->error = Error{m_state->code,
                           m_state->label + (path.empty() ? "" : ": " + path) + ": found " +
                               std::string(found) + ", expected " + std::string(expected),
                           {}};
}

bool Reader::has(std::string_view key) const {
    const auto found = m_object->find(std::string(key));
    return found != m_object->end() && !found->is_null();
}

const Json* Reader::find(std::string_view key, bool required, std::string_view expected) {
    if (m_state->error) return nullptr;
    const auto found = m_object->find(std::string(key));
    if (found != m_object->end()) return &*found;
    if (required) refuse(key, "nothing", expected);
    return nullptr;
}

std::string Reader::text(std::string_view key, const std::optional<std::string>& fallback) {
    const Json* value = find(key, !fallback, "a string");
    if (value && value->is_string()) return value->get<std::string>();
    if (value) refuse(key, describe(*value), "a string");
    return fallback.value_or(std::string());
}

double Reader::number(std::string_view key, std::optional<double> fallback) {
    const Json* value = find(key, !fallback, "a number or null");
    if (value && value->is_null()) return std::numeric_limits<double>::quiet_NaN();
    if (value && value->is_number()) return value->get<double>();
    if (value) refuse(key, describe(*value), "a number or null");
    return fallback.value_or(0.0);
}

bool Reader::flag(std::string_view key, std::optional<bool> fallback) {
    const Json* value = find(key, !fallback, "true or false");
    if (value && value->is_boolean()) return value->get<bool>();
    if (value) refuse(key, describe(*value), "true or false");
    return fallback.value_or(false);
}

std::uint64_t Reader::unsignedNumber(std::string_view key, std::optional<std::uint64_t> fallback) {
    constexpr std::string_view kExpected = "an integer of at least 0";
    const Json* value = find(key, !fallback, kExpected);
    if (value && value->is_number_unsigned()) return value->get<std::uint64_t>();
    if (value) refuse(key, describe(*value), kExpected);
    return fallback.value_or(0);
}

std::int64_t Reader::readInteger(std::string_view key, std::int64_t least, std::int64_t most,
                                 std::optional<std::int64_t> fallback) {
    const std::string expected = "an integer from " + std::to_string(least) + " to " + std::to_string(most);
    const Json* value = find(key, !fallback, expected);
    if (!value) return fallback.value_or(least);
    if (const std::optional<std::int64_t> number = integerWithin(*value, least, most)) return *number;
    refuse(key, describe(*value), expected);
    return fallback.value_or(least);
}

Reader Reader::object(std::string_view key) {
    const Json* value = find(key, true, "an object");
    return {value ? *value : emptyObject(), *m_state, pathOf(key)};
}

const Json* Reader::findArray(std::string_view key) {
    const Json* value = find(key, true, "an array");
    if (value && !value->is_array()) {
        refuse(key, describe(*value), "an array");
        return nullptr;
    }
    return value;
}

std::vector<Reader> Reader::objects(std::string_view key) {
    std::vector<Reader> result;
    const Json* array = findArray(key);
    if (!array) return result;
    result.reserve(array->size());
    for (std::size_t i = 0; i < array->size() && ok(); ++i)
        result.emplace_back((*array)[i], *m_state, pathOf(key) + "[" + std::to_string(i) + "]");
    return result;
}

std::vector<std::pair<std::string, Reader>> Reader::objectMap(std::string_view key) {
    std::vector<std::pair<std::string, Reader>> result;
    const Reader map = object(key);
    for (const auto& [name, value] : map.m_object->items())
        result.emplace_back(name, Reader(value, *m_state, map.pathOf(name)));
    return result;
}

std::vector<std::pair<std::string, double>> Reader::numberMap(std::string_view key) {
    std::vector<std::pair<std::string, double>> result;
    Reader map = object(key);
    for (const auto& member : map.m_object->items())
        result.emplace_back(member.key(), map.number(member.key()));
    return result;
}

std::vector<std::string> Reader::texts(std::string_view key) {
    std::vector<std::string> result;
    const Json* array = findArray(key);
    if (!array) return result;
    for (const Json& value : *array) {
        if (!value.is_string()) {
            refuse(key, describe(value), "an array of strings");
            break;
        }
        result.push_back(value.get<std::string>());
    }
    return result;
}

std::vector<double> Reader::numbers(std::string_view key, std::size_t count) {
    std::vector<double> result(count, std::numeric_limits<double>::quiet_NaN());
    const Json* array = findArray(key);
    if (!array) return result;
    if (array->size() != count)
        refuse(key, std::to_string(array->size()) + " values", std::to_string(count) + " numbers");
    for (std::size_t i = 0; i < count && ok(); ++i) {
        const Json& value = (*array)[i];
        if (value.is_number())
            result[i] = value.get<double>();
        else if (!value.is_null())
            refuse(key, describe(value), "numbers or null");
    }
    return result;
}

std::vector<int> Reader::integers(std::string_view key, std::int64_t least, std::int64_t most) {
    std::vector<int> result;
    const Json* array = findArray(key);
    if (!array) return result;
    for (const Json& value : *array) {
        const std::optional<std::int64_t> number = integerWithin(value, least, most);
        if (!number) {
            refuse(key, describe(value),
                   "integers from " + std::to_string(least) + " to " + std::to_string(most));
            break;
        }
        result.push_back(static_cast<int>(*number));
    }
    return result;
}

void Reader::allowOnly(std::initializer_list<std::string_view> keys) {
    for (const auto& member : m_object->items()) {
        if (std::find(keys.begin(), keys.end(), member.key()) != keys.end()) continue;
        std::string allowed = "one of";
        for (std::string_view key : keys)
            allowed += " " + std::string(key);
        refuse({}, "unknown member \"" + member.key() + "\"", allowed);
        return;
    }
}

void Reader::checkSchema(int newest) {
    const int found = integer<int>("schema", 1, std::numeric_limits<int>::max());
    if (ok() && found > newest)
        refuse("schema", std::to_string(found),
               std::to_string(newest) + " or older (made by a newer version?)");
}

} // namespace bdq::json
