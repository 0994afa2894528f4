// The table of bdq bench quality as it lies in its folder: quality.json, and quality.md made from it.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "engine/api/result.h"

namespace bdq {

/// {"schema", "job", "status", "settings", "full", "rows"}. A row has at least "name", "fingerprint",
/// "status"
/// ("finished" or "failed"), "method", "preset", "scheme" and "seed".
class QualityTable {
public:
    using Json = nlohmann::ordered_json;

    /// The table in `folder`, or an empty one. `settings` is what all rows share; its key "model", a path,
    /// may differ. Errors: BadFormat naming file and key; InvalidSpec naming the setting that differs, found
    /// and expected.
    static Result<QualityTable> open(const std::filesystem::path& folder, Json settings);

    /// Null when the table has no such row.
    [[nodiscard]] const Json* find(const std::string& name) const;
    /// Replaces the row of the same name, or adds it at the end.
    void put(Json row);
    [[nodiscard]] bool hasFull() const { return m_document["full"].is_object(); }
    [[nodiscard]] const Json& full() const { return m_document["full"]; }
    void setFull(Json full) { m_document["full"] = std::move(full); }
    /// "incomplete", "finished" or "failed".
    void setStatus(const std::string& status) { m_document["status"] = status; }

    [[nodiscard]] std::string json() const;
    [[nodiscard]] std::string markdown() const;
    /// Writes both files. Errors: Io, DiskFull.
    [[nodiscard]] Status save() const;

private:
    QualityTable(std::filesystem::path folder, Json document)
        : m_folder(std::move(folder)), m_document(std::move(document)) {}

    std::filesystem::path m_folder;
    Json m_document;
};

/// quality.md of a document; keys that are missing show as "-".
std::string qualityMarkdown(const nlohmann::ordered_json& document);

} // namespace bdq
