#include "engine/api/sensitivity.h"

#include <algorithm>

#include "engine/api/json_codec.h"
#include "engine/api/spec_limits.h"

namespace bdq {
namespace {

using json::Json;
using json::Reader;

constexpr std::int64_t kMaxCount = std::int64_t{1} << 53; // exact in a double
constexpr int kIndent = 1;

/// What parseScheme takes for granted is left out.
std::string operandText(std::string_view letter, const OperandScheme& operand, bool symmetricByDefault) {
    std::string text = std::string(letter) + std::to_string(operand.bits);
    if (!operand.quantizes()) return text;
    if (operand.groupSize > 0) text += "g" + std::to_string(operand.groupSize);
    if (operand.symmetric != symmetricByDefault) text += operand.symmetric ? "sym" : "asym";
    return text;
}

Json rowToJson(const SensitivityRow& row) {
    Json out = json::keyToJson(row.key);
    out["transform"] = transformInfo(row.transform).id;
    out["weight"] = weightText(row.weight);
    out["output_error"] = row.outputError;
    out["output_error_predicted"] = row.predictedError;
    out["kl"] = row.klDivergence;
    return out;
}

/// One operand of a scheme that must name nothing else.
OperandScheme operandFromText(Reader& in, std::string_view key, const std::string& text,
                              OperandScheme Scheme::*part, std::string (*textOf)(const OperandScheme&),
                              std::string_view expected) {
    if (!in.ok()) return {};
    const Result<Scheme> scheme = parseScheme(text);
    if (scheme && textOf((*scheme).*part) == text) return (*scheme).*part;
    in.refuse(key, "\"" + text.substr(0, 100) + "\"", expected);
    return {};
}

SensitivityRow readRow(Reader in) {
    in.allowOnly({"layer", "site", "transform", "weight", "output_error", "output_error_predicted", "kl"});
    SensitivityRow row;
    row.key = json::readKey(in);
    row.transform = json::readTransform(in, "transform");
    row.weight = json::weightFromText(in, "weight", in.text("weight"));
    row.outputError = in.number("output_error");
    row.predictedError = in.number("output_error_predicted");
    row.klDivergence = in.number("kl");
    return row;
}

/// Errors and divergences are energies and information: below 0 something else is in the file.
void refuseNegative(Reader& in, const SensitivityRow& row, std::size_t index) {
    if (row.outputError < 0 || row.predictedError < 0 || row.klDivergence < 0)
        in.refuse("rows", "a negative number in row " + std::to_string(index), "numbers from 0");
}

template <class Value, class Member>
std::vector<Value> distinct(const std::vector<SensitivityRow>& rows, Member member) {
    std::vector<Value> values;
    for (const SensitivityRow& row : rows)
        if (std::ranges::find(values, row.*member) == values.end()) values.push_back(row.*member);
    return values;
}

} // namespace

OperandScheme json::weightFromText(Reader& reader, std::string_view key, const std::string& text) {
    return operandFromText(reader, key, text, &Scheme::weight, weightText, "bits such as W4 or W4g128");
}

OperandScheme json::activationFromText(Reader& reader, std::string_view key, const std::string& text) {
    return operandFromText(reader, key, text, &Scheme::activation, activationText, "bits such as A4 or A16");
}

std::string weightText(const OperandScheme& weight) {
    return operandText("W", weight, weight.bits != 2);
}

std::string activationText(const OperandScheme& activation) {
    return operandText("A", activation, true);
}

Result<std::vector<OperandScheme>> parseWeightList(std::string_view text, const std::string& name) {
    std::vector<OperandScheme> weights;
    const auto refuse = [&](std::string_view part) {
        return fail(ErrorCode::InvalidSpec, name + ": found \"" + std::string(part.substr(0, 100)) +
                                                "\", expected bit widths of weights such as 2,3,4g128,8 "
                                                "(2 to 8, or 16 for none)");
    };
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        const std::string part(text.substr(begin, end - begin));
        const bool lettered = part.starts_with('W') || part.starts_with('w');
        const Result<Scheme> scheme = parseScheme((lettered ? "" : "W") + part);
        if (!scheme || scheme->activation.quantizes() || scheme->kv.quantizes()) return refuse(part);
        if (std::ranges::find(weights, scheme->weight) == weights.end()) weights.push_back(scheme->weight);
        begin = end + 1;
    }
    if (weights.size() > kMaxWeightSchemes) return refuse(std::to_string(weights.size()) + " bit widths");
    return weights;
}

const SensitivityRow* SensitivityResult::find(SiteKey key, TransformKind transform,
                                              const OperandScheme& weight) const {
    for (const SensitivityRow& row : rows)
        if (row.key == key && row.transform == transform && row.weight == weight) return &row;
    return nullptr;
}

std::vector<OperandScheme> SensitivityResult::weights() const {
    return distinct<OperandScheme>(rows, &SensitivityRow::weight);
}

std::vector<TransformKind> SensitivityResult::transforms() const {
    return distinct<TransformKind>(rows, &SensitivityRow::transform);
}

std::string encodeSensitivity(const SensitivityResult& result) {
    Json out{{"schema", kSensitivitySchema},
             {"model", result.modelPath},
             {"activation", activationText(result.activation)},
             {"weights", roundingName(result.rounding)},
             {"text", json::textToJson(result.text)},
             {"kl_tokens", result.klTokens}};
    json::putOrigin(out, result.modelFingerprint, result.warnings);
    Json rows = Json::array();
    for (const SensitivityRow& row : result.rows)
        rows.push_back(rowToJson(row));
    out["rows"] = std::move(rows);
    out["provenance"] = json::provenanceToJson(result.provenance);
    return json::dump(out, kIndent);
}

Result<SensitivityResult> decodeSensitivity(std::string_view text, const std::string& label) {
    BDQ_TRY(const Json document, json::parseObject(text, label, ErrorCode::BadFormat));
    json::ReadState state{label, ErrorCode::BadFormat, {}};
    Reader in(document, state);
    in.checkSchema(kSensitivitySchema);
    SensitivityResult result;
    result.modelPath = in.text("model");
    result.activation = json::activationFromText(in, "activation", in.text("activation"));
    result.rounding = in.choice<WeightRounding>("weights", roundingFromName, "rtn or mse");
    result.text = json::readText(in.object("text"));
    result.klTokens = in.integer<std::int64_t>("kl_tokens", 0, kMaxCount);
    result.modelFingerprint = in.text("model_fingerprint", std::string());
    result.warnings = json::readWarnings(in);
    for (const Reader& row : in.objects("rows")) {
        result.rows.push_back(readRow(row));
        refuseNegative(in, result.rows.back(), result.rows.size() - 1);
    }
    result.provenance = json::readProvenance(in.object("provenance"));
    BDQ_CHECK(in.status());
    return result;
}

} // namespace bdq
