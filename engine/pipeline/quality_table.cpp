#include "engine/pipeline/quality_table.h"

#include "engine/api/atomic_file.h"
#include "engine/api/results.h"

namespace bdq {
namespace {

using Json = QualityTable::Json;

constexpr std::size_t kMaxTableBytes = std::size_t{64} << 20;
constexpr const char* kJsonFile = "quality.json";
constexpr const char* kMarkdownFile = "quality.md";

std::string dump(const Json& value, int indent = -1) {
    return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

tl::unexpected<Error> badTable(const std::filesystem::path& file, const std::string& what) {
    return fail(ErrorCode::BadFormat, file.string() + ": " + what);
}

Status checkRow(const std::filesystem::path& file, const Json& row, std::size_t number) {
    const std::string where = "rows[" + std::to_string(number) + "]";
    if (!row.is_object()) return badTable(file, where + ": found no object, expected one");
    for (const char* key : {"name", "fingerprint", "status", "method", "preset", "scheme"})
        if (!row.contains(key) || !row[key].is_string())
            return badTable(file, where + "." + key + ": found no text, expected one");
    if (!row.contains("seed") || !row["seed"].is_number_unsigned())
        return badTable(file, where + ".seed: found no whole number, expected one");
    return {};
}

Result<Json> readDocument(const std::filesystem::path& file) {
    BDQ_TRY(const std::string text, readTextFile(file, kMaxTableBytes));
    Json document = Json::parse(text, nullptr, false);
    if (!document.is_object())
        return badTable(file, "found no JSON object, expected the table of a benchmark");
    if (!document.contains("schema") || document["schema"] != kResultSchema)
        return badTable(file, "schema: expected " + std::to_string(kResultSchema));
    for (const char* key : {"settings", "rows", "full", "status"})
        if (!document.contains(key)) return badTable(file, std::string(key) + ": missing");
    if (!document["settings"].is_object()) return badTable(file, "settings: found no object, expected one");
    if (!document["full"].is_object() && !document["full"].is_null())
        return badTable(file, "full: found no object, expected one or null");
    if (!document["rows"].is_array()) return badTable(file, "rows: found no array, expected one");
    for (std::size_t i = 0; i < document["rows"].size(); ++i)
        BDQ_CHECK(checkRow(file, document["rows"][i], i));
    return document;
}

Status compareSettings(const std::filesystem::path& file, const Json& found, const Json& expected) {
    for (const auto& [key, value] : expected.items()) {
        if (key == "model") continue;
        // Tables from before there was a choice put nothing in front of a text.
        const Json absent = key == "bos" ? Json(bosModeName(BosMode::Off)) : Json();
        const Json old = found.contains(key) ? found[key] : absent;
        if (old != value)
            return fail(ErrorCode::InvalidSpec, file.string() + ": the table was measured with " + key + " " +
                                                    dump(old) + ", this job has " + dump(value) +
                                                    "; expected the same, or another folder");
    }
    return {};
}

} // namespace

Result<QualityTable> QualityTable::open(const std::filesystem::path& folder, Json settings) {
    const std::filesystem::path file = folder / kJsonFile;
    if (std::filesystem::exists(file)) {
        BDQ_TRY(Json document, readDocument(file));
        BDQ_CHECK(compareSettings(file, document["settings"], settings));
        document["settings"] = std::move(settings);
        return QualityTable(folder, std::move(document));
    }
    Json document{{"schema", kResultSchema}, {"job", "bench quality"}, {"status", "incomplete"}};
    document["settings"] = std::move(settings);
    document["full"] = nullptr;
    document["rows"] = Json::array();
    return QualityTable(folder, std::move(document));
}

const Json* QualityTable::find(const std::string& name) const {
    for (const Json& row : m_document["rows"])
        if (row["name"] == name) return &row;
    return nullptr;
}

void QualityTable::put(Json row) {
    for (Json& old : m_document["rows"])
        if (old["name"] == row["name"]) {
            old = std::move(row);
            return;
        }
    m_document["rows"].push_back(std::move(row));
}

std::string QualityTable::json() const {
    return dump(m_document, 2);
}

std::string QualityTable::markdown() const {
    return qualityMarkdown(m_document);
}

Status QualityTable::save() const {
    BDQ_CHECK(writeFileAtomically(m_folder / kJsonFile, json() + "\n"));
    return writeFileAtomically(m_folder / kMarkdownFile, markdown());
}

} // namespace bdq
