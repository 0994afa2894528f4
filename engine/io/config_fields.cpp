#include "engine/io/config_fields.h"

#include <limits>
#include <optional>

#include "engine/io/json_guard.h"

namespace bdq::io {
namespace {

using nlohmann::json;

std::optional<std::int64_t> asCount(const json& value) {
    if (value.is_array() && !value.empty()) {
        for (const json& other : value)
            if (other != value.front()) return std::nullopt;
        return value.front().is_array() ? std::nullopt : asCount(value.front());
    }
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() == 0 ||
        value.get<std::uint64_t>() > std::numeric_limits<std::int32_t>::max())
        return std::nullopt;
    return value.get<std::int64_t>();
}

} // namespace

const json* ConfigFields::find(const char* key) const {
    const json* value = member(m_object, key);
    return value == nullptr || value->is_null() ? nullptr : value;
}

std::int64_t ConfigFields::count(std::initializer_list<const char*> keys, std::int64_t fallback) const {
    for (const char* key : keys) {
        const json* value = find(key);
        if (value == nullptr) continue;
        if (const auto number = asCount(*value)) return *number;
        m_reading.refuse(ErrorCode::BadFormat,
                         m_label + ": '" + key + "' is not a positive integer below 2^31");
        return 0;
    }
    if (fallback != kRequired) return fallback;
    m_reading.refuse(ErrorCode::BadFormat, m_label + ": key '" + *keys.begin() + "' is missing");
    return 0;
}

double ConfigFields::positive(const char* key, double fallback) const {
    const json* value = find(key);
    if (value == nullptr) return fallback;
    if (value->is_number() && value->get<double>() > 0 && value->get<double>() < 1e30)
        return value->get<double>();
    m_reading.refuse(ErrorCode::BadFormat, m_label + ": '" + key + "' is not a positive number");
    return fallback;
}

double ConfigFields::requiredPositive(const char* key, const ConfigFields* elsewhere) const {
    if (find(key) == nullptr && elsewhere != nullptr && elsewhere->find(key) != nullptr)
        return elsewhere->positive(key, 1);
    if (find(key) == nullptr)
        m_reading.refuse(ErrorCode::BadFormat, m_label + ": key '" + key + "' is missing");
    return positive(key, 1);
}

std::string ConfigFields::text(const char* key, std::string fallback) const {
    const json* value = find(key);
    if (value == nullptr) return fallback;
    if (value->is_string()) return value->get<std::string>();
    m_reading.refuse(ErrorCode::BadFormat, m_label + ": '" + key + "' is not a string");
    return fallback;
}

bool ConfigFields::flag(const char* key, bool fallback) const {
    const json* value = find(key);
    if (value == nullptr) return fallback;
    if (value->is_boolean()) return value->get<bool>();
    m_reading.refuse(ErrorCode::BadFormat, m_label + ": '" + key + "' is not true or false");
    return fallback;
}

} // namespace bdq::io
