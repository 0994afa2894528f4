// Texts in JSON records, as data sets for training and chat have them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/api/result.h"

namespace bdq {

/// Collects the texts of records, joined by a blank line.
class TextRecords {
public:
    /// Errors: BadFormat when the record holds no text that we know; `label` names it.
    Status add(const nlohmann::json& record, const std::string& label);

    /// "60 texts of JSON lines, keys text, messages (without the model's chat template)". `kind` = "JSON
    /// lines".
    [[nodiscard]] std::string form(const std::string& kind) const;
    [[nodiscard]] std::string& text() { return m_text; }
    [[nodiscard]] int count() const { return m_count; } ///< texts that are not empty

private:
    std::string m_text;
    int m_count = 0;
    bool m_chat = false;
    std::vector<std::string> m_keys; ///< in the order of their first use
};

} // namespace bdq
