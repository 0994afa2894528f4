#include "engine/api/sensitivity.h"

#include <algorithm>

#include "engine/api/json_codec.h"
#include "engine/api/shell_words.h"
#include "engine/api/spec_limits.h"

namespace bdq {
namespace {

using json::Json;
using json::Reader;

constexpr std::int64_t kMaxCount = std::int64_t{1} << 53; // exact in a double
constexpr std::size_t kMaxWeights = 32;
constexpr int kIndent = 1;

/// What parseScheme takes for granted is left out.
std::string operandText(std::string_view letter, const OperandScheme& operand, bool symmetricByDefault) {
    std::string text = std::string(letter) + std::to_string(operand.bits);
    if (!operand.quantizes()) return text;
    if (operand.groupSize > 0) text += "g" + std::to_string(operand.groupSize);
    if (operand.symmetric != symmetricByDefault) text += operand.symmetric ? "sym" : "asym";
    return text;
}

std::string joined(const std::vector<OperandScheme>& weights) {
    std::string text;
    for (const OperandScheme& weight : weights)
        text += (text.empty() ? "" : ",") + weightText(weight).substr(1);
    return text;
}

Status checkWeights(const std::vector<OperandScheme>& weights) {
    if (weights.empty() || weights.size() > kMaxWeights)
        return fail(ErrorCode::InvalidSpec, "sensitivity: bits: found " + std::to_string(weights.size()) +
                                                " bit widths, expected 1 to " + std::to_string(kMaxWeights));
    for (std::size_t i = 0; i < weights.size(); ++i)
        if (std::find(weights.begin(), weights.begin() + static_cast<std::ptrdiff_t>(i), weights[i]) !=
            weights.begin() + static_cast<std::ptrdiff_t>(i))
            return fail(ErrorCode::InvalidSpec, "sensitivity: bits: found " + weightText(weights[i]) +
                                                    " twice, expected different bit widths");
    return {};
}

Status checkNumber(const char* name, int found, int least, int most) {
    if (found >= least && found <= most) return {};
    return fail(ErrorCode::InvalidSpec, "sensitivity: " + std::string(name) + ": found " +
                                            std::to_string(found) + ", expected " + std::to_string(least) +
                                            " to " + std::to_string(most));
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
OperandScheme readOperand(Reader& in, std::string_view key, OperandScheme Scheme::*part,
                          std::string (*textOf)(const OperandScheme&), std::string_view expected) {
    const std::string text = in.text(key);
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
    row.weight = readOperand(in, "weight", &Scheme::weight, weightText, "bits such as W4 or W4g128");
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
    if (weights.size() > kMaxWeights) return refuse(std::to_string(weights.size()) + " bit widths");
    return weights;
}

Status validate(const SensitivitySpec& spec) {
    if (spec.analysisDir.empty())
        return fail(ErrorCode::InvalidSpec, "sensitivity: no analysis, expected the folder of one");
    BDQ_CHECK(checkWeights(spec.weights));
    if (spec.rounding != WeightRounding::Rtn && spec.rounding != WeightRounding::Mse)
        return fail(ErrorCode::InvalidSpec, "sensitivity: weights: found " +
                                                std::string(roundingName(spec.rounding)) +
                                                ", expected rtn or mse");
    BDQ_CHECK(checkNumber("sequences", spec.text.sequences, 1, kMaxSequences));
    BDQ_CHECK(checkNumber("seq_len", spec.text.sequenceLength, kMinSequenceLength, kMaxSequenceLength));
    return checkNumber("threads", spec.device.threads, 0, kMaxThreads);
}

std::string commandLine(const SensitivitySpec& spec) {
    const SensitivitySpec standard;
    std::string text =
        "bdq sensitivity " + shellQuoted((spec.analysisDir.starts_with('-') ? "./" : "") + spec.analysisDir);
    const auto add = [&text](const std::string& name, const std::string& value) {
        text += " --" + name + " " + shellQuoted(value);
    };
    if (!spec.modelPath.empty()) add("model", spec.modelPath);
    if (spec.weights != standard.weights) add("bits", joined(spec.weights));
    if (spec.activation != standard.activation) add("activation", activationText(spec.activation));
    std::string transforms;
    for (const TransformKind kind : spec.transforms)
        transforms += (transforms.empty() ? "" : ",") + std::string(transformInfo(kind).id);
    if (!transforms.empty()) add("transforms", transforms);
    if (!spec.layers.empty()) add("layers", formatLayers(spec.layers));
    if (spec.rounding != standard.rounding) add("weights", std::string(roundingName(spec.rounding)));
    if (!spec.text.source.empty()) add("text", spec.text.source);
    if (spec.text.sequences != standard.text.sequences) add("sequences", std::to_string(spec.text.sequences));
    if (spec.text.sequenceLength != standard.text.sequenceLength)
        add("seq-len", std::to_string(spec.text.sequenceLength));
    if (spec.device.device != standard.device.device) add("device", spec.device.device);
    if (spec.device.threads != standard.device.threads) add("threads", std::to_string(spec.device.threads));
    return text;
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
    result.activation =
        readOperand(in, "activation", &Scheme::activation, activationText, "bits such as A4 or A16");
    result.rounding = in.choice<WeightRounding>("weights", roundingFromName, "rtn or mse");
    result.text = json::readText(in.object("text"));
    result.klTokens = in.integer<std::int64_t>("kl_tokens", 0, kMaxCount);
    for (const Reader& row : in.objects("rows")) {
        result.rows.push_back(readRow(row));
        refuseNegative(in, result.rows.back(), result.rows.size() - 1);
    }
    result.provenance = json::readProvenance(in.object("provenance"));
    BDQ_CHECK(in.status());
    return result;
}

} // namespace bdq
