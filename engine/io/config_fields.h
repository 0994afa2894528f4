// Typed look-ups in config.json that note what is wrong and go on.
#pragma once

#include <initializer_list>
#include <string>

#include <nlohmann/json.hpp>

#include "engine/io/model_config.h"

namespace bdq::io {

/// One object of config.json; null counts as absent. A value that is not as it should be counts as absent,
/// and the first of them is why the model cannot be computed.
class ConfigFields {
public:
    static constexpr std::int64_t kRequired = -1;

    ConfigFields(const nlohmann::json& object, std::string label, ConfigReading& reading)
        : m_object(object), m_label(std::move(label)), m_reading(reading) {}

    [[nodiscard]] const nlohmann::json* find(const char* key) const;
    /// Positive integer below 2^31 under the first of these keys that is there, also a list of equal ones.
    /// Else `fallback`; with kRequired a refusal and 0.
    [[nodiscard]] std::int64_t count(std::initializer_list<const char*> keys, std::int64_t fallback) const;
    [[nodiscard]] double positive(const char* key, double fallback) const;
    /// From this object or the other; a refusal and 1 when neither has the key.
    [[nodiscard]] double requiredPositive(const char* key, const ConfigFields* elsewhere = nullptr) const;
    [[nodiscard]] std::string text(const char* key, std::string fallback) const;
    [[nodiscard]] bool flag(const char* key, bool fallback) const;

private:
    const nlohmann::json& m_object;
    std::string m_label;
    ConfigReading& m_reading;
};

} // namespace bdq::io
