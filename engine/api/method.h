// Transforms and quantization methods as data: the one table from which the command line, the window and the
// reports take names, explanations and defaults.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/api/quant_scheme.h"

namespace bdq {

/// Input-side transforms of a site, x -> x P, W -> W P^-T.
enum class TransformKind { None, SmoothQuant, Hadamard, CatDiag, CatBlock64, CatBlock128, Bdq };

struct TransformInfo {
    TransformKind kind;
    std::string_view id;          ///< name on the command line and in JSON, e.g. "cat-diag"
    std::string_view title;       ///< name for people, e.g. "CAT diagonal + Hadamard"
    std::string_view explanation; ///< one or two sentences
    std::string_view citation;    ///< method and arXiv id, empty for none
};
std::span<const TransformInfo> transformTable();
const TransformInfo& transformInfo(TransformKind kind);
std::optional<TransformKind> transformFromName(std::string_view id);

/// Loss on the logits of end-to-end training (design/bdq.md 7): p = quantized model, q = full model.
enum class LogitLoss {
    Kl,           ///< KL(q || p)
    CrossEntropy, ///< of the text's next token
    RcePrinted,   ///< BDQ's recursive cross-entropy as printed, arXiv 2605.18800 Eq. 21, delta = 0.5
    RceSafe       ///< the same with weight 0.1 on its second term
};
std::string_view logitLossName(LogitLoss loss); ///< "kl", "ce", "rce", "rce-safe"
std::optional<LogitLoss> logitLossFromName(std::string_view id);

/// How the learned parts of a method are trained. Rates are those of AdamW; "clipping" are LWC and LAC.
struct TrainingRecipe {
    int epochs = 0;     ///< over the calibration sequences, per block; 0 = no block training
    int batch = 4;      ///< sequences a step
    double rate = 5e-3; ///< of transforms
    double clippingRate = 5e-2;
    double weightDecay = 0;
    bool learnClipping = true;
    bool quantizedInputs = false; ///< block inputs come from the quantized blocks before, else full precision
    int endToEndSteps = 0;        ///< steps over the whole model after the blocks
    double endToEndRate = 1e-3;
    double endToEndClippingRate = 1e-2;
    LogitLoss loss = LogitLoss::Kl;
    bool operator==(const TrainingRecipe&) const = default;
    [[nodiscard]] bool trains() const { return epochs > 0 || endToEndSteps > 0; }
};

enum class Method { Rtn, SmoothQuant, QuaRot, CatDiag, CatBlock, Bdq };
enum class Preset { Fast };

/// A method is a small preset over shared parts: a site transform, a KV transform and defaults.
struct MethodInfo {
    Method method;
    std::string_view id; ///< name on the command line, e.g. "quarot"
    std::string_view title;
    std::string_view explanation;
    std::string_view citation;
    TransformKind transform; ///< at every linear site
    bool rotateKv;           ///< randomised Hadamard of size head_dim on q, k after RoPE and on v -> o
    WeightRounding defaultRounding;
    std::string_view onlineParts; ///< what stays online at inference and its cost, in words
};
std::span<const MethodInfo> methodTable();
const MethodInfo& methodInfo(Method method);
std::optional<Method> methodFromName(std::string_view id);

std::string_view presetName(Preset preset);
std::optional<Preset> presetFromName(std::string_view id);

/// A metric that user interfaces show, with the definition for tooltips and reports.
struct MetricInfo {
    std::string_view id; ///< JSON key, e.g. "flatness_activation"
    std::string_view title;
    std::string_view unit;       ///< empty for pure numbers
    std::string_view definition; ///< formula and source
    bool lowerIsBetter;
};
std::span<const MetricInfo> metricTable();
const MetricInfo* metricInfo(std::string_view id);

} // namespace bdq
