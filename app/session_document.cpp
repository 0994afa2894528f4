#include "app/session_document.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include "engine/api/atomic_file.h"
#include "engine/api/job_spec.h"

namespace bdq {
namespace {

namespace fs = std::filesystem;

// Weights of 8 bits and more with scales of small groups.
constexpr int kMaxAverageBits = 64;
// Of the codes that the budget can choose.
constexpr int kFewestBits = 2;
constexpr int kMostBits = 8;

QString relativeTo(const std::string& path, const fs::path& folder) {
    if (path.empty()) return {};
    const fs::path relative = fs::path(path).lexically_relative(folder);
    return QString::fromStdString(relative.empty() ? path : relative.string());
}

std::string absoluteFrom(const QString& stored, const fs::path& folder) {
    if (stored.isEmpty()) return {};
    return (folder / stored.toStdString()).lexically_normal().string();
}

QString toQString(std::string_view text) {
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

QJsonArray encodeTransforms(const std::map<SiteKey, TransformKind>& transforms) {
    QJsonArray rows;
    for (const auto& [key, kind] : transforms)
        rows.append(QJsonObject{{"layer", key.layer},
                                {"site", toQString(siteName(key.site))},
                                {"transform", toQString(transformInfo(kind).id)}});
    return rows;
}

tl::unexpected<Error> bad(const std::string& label, const std::string& what) {
    return fail(ErrorCode::BadFormat, label + ": " + what);
}

Result<TransformKind> decodeTransform(const QJsonValue& value, const std::string& label) {
    const std::string id = value.toString().toStdString();
    if (const auto kind = transformFromName(id)) return *kind;
    return bad(label, "unknown transform \"" + id + "\"");
}

Result<SiteKey> decodeKey(const QJsonValue& row, const char* list, const std::string& label) {
    const std::string siteText = row["site"].toString().toStdString();
    const auto site = siteFromName(siteText);
    const int layer = row["layer"].toInt(-1);
    if (site && layer >= 0) return SiteKey{layer, *site};
    return bad(label, "\"" + std::string(list) + "\" has an entry with layer " + std::to_string(layer) +
                          ", site \"" + siteText + "\"; expected a layer from 0 and a site such as \"qkv\"");
}

Result<std::map<SiteKey, TransformKind>> decodeTransforms(const QJsonArray& rows, const std::string& label) {
    std::map<SiteKey, TransformKind> transforms;
    for (const QJsonValue& row : rows) {
        BDQ_TRY(const SiteKey key, decodeKey(row, "transforms", label));
        BDQ_TRY(const TransformKind kind, decodeTransform(row["transform"], label));
        transforms[key] = kind;
    }
    return transforms;
}

QJsonArray encodeBits(const std::vector<int>& widths) {
    QJsonArray out;
    for (const int bits : widths)
        out.append(bits);
    return out;
}

QJsonArray encodeKeys(const std::set<SiteKey>& keys) {
    QJsonArray rows;
    for (const SiteKey& key : keys)
        rows.append(QJsonObject{{"layer", key.layer}, {"site", toQString(siteName(key.site))}});
    return rows;
}

/// Locked rows and the bit widths of the budget; sessions from before version 0.2 have neither.
Status decodeBudgetChoices(const QJsonObject& root, const std::string& label, PlanState& state) {
    for (const QJsonValue& row : root["locked"].toArray()) {
        BDQ_TRY(const SiteKey key, decodeKey(row, "locked", label));
        state.locked.insert(key);
    }
    if (root["candidate_bits"].isUndefined()) return {};
    std::set<int> widths;
    for (const QJsonValue& bits : root["candidate_bits"].toArray())
        widths.insert(bits.toInt());
    if (widths.empty() || *widths.begin() < kFewestBits || *widths.rbegin() > kMostBits)
        return bad(label, "\"candidate_bits\" is not a list of at least one bit width from " +
                              std::to_string(kFewestBits) + " to " + std::to_string(kMostBits));
    state.candidateBits.assign(widths.begin(), widths.end());
    return {};
}

/// Method, preset and rounding.
Status decodeMethod(const QJsonObject& root, const std::string& label, PlanState& state) {
    const std::string method = root["method"].toString().toStdString();
    const std::string preset = root["preset"].toString().toStdString();
    const auto methodValue = methodFromName(method);
    const auto presetValue = presetFromName(preset);
    if (!methodValue || !presetValue)
        return bad(label, "unknown method \"" + method + "\" or preset \"" + preset + "\"");
    state.method = *methodValue;
    state.preset = *presetValue;
    if (root["rounding"].isUndefined() || root["rounding"].isNull()) return {};
    const std::string rounding = root["rounding"].toString().toStdString();
    state.rounding = roundingFromName(rounding);
    if (!state.rounding) return bad(label, "unknown weight rounding \"" + rounding + "\"");
    return {};
}

/// Bits that the plan was chosen for; none when it was not.
Status decodeBudget(const QJsonValue& bits, const std::string& label, PlanState& state) {
    if (bits.isUndefined() || bits.isNull()) return {};
    state.budget = bits.toDouble();
    if (*state.budget > 0 && *state.budget <= kMaxAverageBits) return {};
    return bad(label, "\"average_weight_bits\" is not a number above 0 and at most " +
                          std::to_string(kMaxAverageBits));
}

/// One step per older schema version will stand here, in order (design/style.md 7); version 1 is the first.
Status checkSchema(const QJsonObject& root, const std::string& label) {
    const QJsonValue schema = root["schema"];
    if (!schema.isDouble() || schema.toInt() < 1)
        return bad(label, "\"schema\" is missing or not a version number: not a BDQ Studio session");
    if (schema.toInt() > kSessionSchema)
        return fail(ErrorCode::Unsupported, label + ": session schema " + std::to_string(schema.toInt()) +
                                                " is newer than this program's schema " +
                                                std::to_string(kSessionSchema) +
                                                "; open it with a newer version");
    return {};
}

void decodeModel(const QJsonObject& model, const fs::path& folder, SessionDocument& document) {
    document.modelPath = absoluteFrom(model["path"].toString(), folder);
    // Sizes and times are written as text: a JSON number is exact only up to 2^53.
    document.stamp.sizeBytes = model["size_bytes"].toString().toULongLong();
    document.stamp.modifiedUnixSeconds = model["modified_unix_seconds"].toString().toLongLong();
    document.stamp.fingerprint = model["fingerprint"].toString().toStdString();
}

} // namespace

std::string encodeSession(const SessionDocument& document, const fs::path& folder) {
    const PlanState& state = document.state;
    QJsonArray runs;
    for (const std::string& run : document.runDirs)
        runs.append(relativeTo(run, folder));
    const QJsonValue rounding =
        state.rounding ? QJsonValue(toQString(roundingName(*state.rounding))) : QJsonValue();
    const QJsonObject root{
        {"schema", kSessionSchema},
        {"model", QJsonObject{{"path", relativeTo(document.modelPath, folder)},
                              {"size_bytes", QString::number(document.stamp.sizeBytes)},
                              {"modified_unix_seconds", QString::number(document.stamp.modifiedUnixSeconds)},
                              {"fingerprint", QString::fromStdString(document.stamp.fingerprint)}}},
        {"analysis", relativeTo(document.analysisDir, folder)},
        {"runs", runs},
        {"plan", QJsonDocument::fromJson(QByteArray::fromStdString(encodePlan(state.plan))).object()},
        {"method", toQString(methodInfo(state.method).id)},
        {"preset", toQString(presetName(state.preset))},
        {"rounding", rounding},
        {"average_weight_bits", state.budget ? QJsonValue(*state.budget) : QJsonValue()},
        {"locked", encodeKeys(state.locked)},
        {"candidate_bits", encodeBits(state.candidateBits)},
        {"transforms", encodeTransforms(state.transforms)},
        {"notes", QString::fromStdString(document.notes)},
    };
    return QJsonDocument(root).toJson(QJsonDocument::Indented).toStdString();
}

Result<SessionDocument> decodeSession(std::string_view json, const std::string& label,
                                      const fs::path& folder) {
    QJsonParseError parse{};
    const QJsonDocument text =
        QJsonDocument::fromJson(QByteArray(json.data(), static_cast<qsizetype>(json.size())), &parse);
    if (parse.error != QJsonParseError::NoError)
        return bad(label, "not JSON at byte " + std::to_string(parse.offset) + ": " +
                              parse.errorString().toStdString());
    const QJsonObject root = text.object();
    BDQ_CHECK(checkSchema(root, label));
    if (!root["model"].isObject() || !root["plan"].isObject())
        return bad(label, "\"model\" and \"plan\" must be objects");
    SessionDocument document;
    decodeModel(root["model"].toObject(), folder, document);
    document.analysisDir = absoluteFrom(root["analysis"].toString(), folder);
    for (const QJsonValue& run : root["runs"].toArray())
        document.runDirs.push_back(absoluteFrom(run.toString(), folder));
    const QByteArray planText = QJsonDocument(root["plan"].toObject()).toJson(QJsonDocument::Compact);
    BDQ_TRY(document.state.plan, decodePlan(planText.toStdString(), label));
    BDQ_CHECK(decodeMethod(root, label, document.state));
    BDQ_CHECK(decodeBudget(root["average_weight_bits"], label, document.state));
    BDQ_CHECK(decodeBudgetChoices(root, label, document.state));
    BDQ_TRY(document.state.transforms, decodeTransforms(root["transforms"].toArray(), label));
    document.notes = root["notes"].toString().toStdString();
    return document;
}

Status saveSession(const SessionDocument& document, const fs::path& path) {
    std::error_code ignored;
    const fs::path absolute = fs::absolute(path, ignored);
    return writeFileAtomically(absolute, encodeSession(document, absolute.parent_path()));
}

Result<SessionDocument> loadSession(const fs::path& path) {
    std::error_code ignored;
    const fs::path absolute = fs::absolute(path, ignored);
    BDQ_TRY(const std::string text, readTextFile(absolute, kMaxSessionBytes));
    return decodeSession(text, absolute.string(), absolute.parent_path());
}

} // namespace bdq
