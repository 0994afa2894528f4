// How much a model suffers when a single site of it is quantized: sensitivity.json in an analysis folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/job_spec.h"
#include "engine/api/results.h"

namespace bdq {

inline constexpr int kSensitivitySchema = 1;
inline constexpr const char* kSensitivityFileName = "sensitivity.json";
/// In the folder of the analysis: events and log of the measurement.
inline constexpr const char* kSensitivityFolderName = "sensitivity";

/// One site at one bit width under one transform, everything else in full precision.
struct SensitivityRow {
    SiteKey key;
    TransformKind transform = TransformKind::None;
    OperandScheme weight;
    /// ||y - y^||^2 / ||y||^2 of the site's output: measured on the tokens, and predicted by the analysis
    /// from per-channel rounding errors (ranges as `rounding` has them; groups count as whole rows). 0 = no
    /// error, NaN = the analysis has no prediction.
    double outputError = 0;
    double predictedError = 0;
    /// KL(full || this site quantized) of the next-token distributions, nats, mean over all tokens but the
    /// last of every sequence, as `bdq eval` measures it.
    double klDivergence = 0;
};

/// sensitivity.json.
struct SensitivityResult {
    std::string modelPath;
    OperandScheme activation;
    WeightRounding rounding = WeightRounding::Mse;
    TextInfo text;
    std::int64_t klTokens = 0;        ///< tokens behind klDivergence
    std::vector<SensitivityRow> rows; ///< by layer, site, transform, weight
    Provenance provenance;
    std::string modelFingerprint{}; ///< of the weights; empty = made before results named them
    std::vector<std::string> warnings{};

    /// nullptr when it was not measured.
    [[nodiscard]] const SensitivityRow* find(SiteKey key, TransformKind transform,
                                             const OperandScheme& weight) const;
    /// Different weight schemes of the rows, in their order.
    [[nodiscard]] std::vector<OperandScheme> weights() const;
    /// Different transforms of the rows, in their order.
    [[nodiscard]] std::vector<TransformKind> transforms() const;
};

std::string encodeSensitivity(const SensitivityResult& result);
/// Errors: BadFormat naming label, place, what was found and what was expected.
Result<SensitivityResult> decodeSensitivity(std::string_view json, const std::string& label);

/// "W4", "W4g128", "W2sym": the weight part of a scheme, as parseScheme reads it.
std::string weightText(const OperandScheme& weight);
/// "A4", "A16", "A4g64asym".
std::string activationText(const OperandScheme& activation);
/// "2,3,4g128,8" or "W2,W4asym": weight schemes in this order. `name` begins messages. Errors: InvalidSpec.
Result<std::vector<OperandScheme>> parseWeightList(std::string_view text, const std::string& name);

} // namespace bdq
