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
/// Only those before FlatQuant have a closed form and can be compared without training.
enum class TransformKind {
    None,
    SmoothQuant,
    Awq,
    Hadamard,
    DuQuant,
    Wush,
    CatDiag,
    CatBlock64,
    CatBlock128,
    Bdq,
    FlatQuant,
    SpinQuant,
    OstQuant
};

struct TransformInfo {
    TransformKind kind;
    std::string_view id;          ///< name on the command line and in JSON, e.g. "cat-diag"
    std::string_view title;       ///< name for people, e.g. "CAT diagonal + Hadamard"
    std::string_view explanation; ///< one or two sentences
    std::string_view citation;    ///< method and arXiv id, empty for none
};
std::span<const TransformInfo> transformTable();
/// Those that need no training: what an analysis and the resident worker compute.
std::span<const TransformInfo> closedFormTransforms();
[[nodiscard]] bool isClosedForm(TransformKind kind);
const TransformInfo& transformInfo(TransformKind kind);
std::optional<TransformKind> transformFromName(std::string_view id);

/// Loss on the logits of end-to-end training (design/bdq.md 7): p = quantized model, q = full model.
enum class LogitLoss {
    Kl,           ///< KL(q || p)
    CrossEntropy, ///< of the text's next token
    RcePrinted,   ///< BDQ's recursive cross-entropy as printed, arXiv 2605.18800 Eq. 21, delta = 0.5
    RceSafe,      ///< the same with weight 0.1 on its second term
    KlTop         ///< KL over the full model's 1000 most likely tokens: OSTQuant, arXiv 2501.13987
};
struct LogitLossInfo {
    LogitLoss loss;
    std::string_view id; ///< "kl", "ce", "rce", "rce-safe", "kl-top"
    std::string_view explanation;
};
std::span<const LogitLossInfo> logitLossTable();
std::string_view logitLossName(LogitLoss loss);
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
    int endToEndEpochs = 0;       ///< > 0: as many steps as these passes over the calibration sequences take
                                  ///< (effectiveRecipe() turns them into endToEndSteps)
    double endToEndRate = 1e-3;
    double endToEndClippingRate = 1e-2;
    /// Every weight gets an offset of at most half a step before it is rounded, so that the loss decides
    /// between its two neighbours (as in AdaRound, arXiv 2004.10568, and SignRound, arXiv 2309.05516).
    bool learnRounding = false;
    double roundingRate = 5e-3;         ///< of the offsets, in steps; of block training
    double endToEndRoundingRate = 5e-3; ///< same, of end-to-end training
    bool autocast = false;              ///< matrix products of the training in bfloat16, parameters stay fp32
    LogitLoss loss = LogitLoss::Kl;
    bool operator==(const TrainingRecipe&) const = default;
    [[nodiscard]] bool trainsEndToEnd() const { return endToEndSteps > 0 || endToEndEpochs > 0; }
    [[nodiscard]] bool trains() const { return epochs > 0 || trainsEndToEnd(); }
};

/// What training changes in the site transforms of a method.
enum class LearnedForm {
    None,
    DiagonalAndRotation,   ///< log-diagonal, block-diagonal Cayley rotation behind it, fixed Hadamard
    FreeBlocks,            ///< free block-diagonal matrix, fixed Hadamard
    Kronecker,             ///< per-channel scale, then a Kronecker pair in SVD form
    ResidualRotation,      ///< one orthogonal matrix of the residual stream, one of the values of each layer
    ScaledResidualRotation ///< the same with learned per-channel scales
};

/// How much time a method may spend. Not every method has every preset.
enum class Preset { Fast, Balanced, Best, Paper };
std::string_view presetName(Preset preset); ///< "fast", "balanced", "best", "paper"
std::optional<Preset> presetFromName(std::string_view id);

/// One preset of one method.
struct PresetInfo {
    Preset preset;
    TransformKind start; ///< closed form that sites get; where the preset trains, what training starts from
    WeightRounding rounding; ///< unless the run chooses another
    int sequences;           ///< calibration sequences, unless the run chooses another number
    TrainingRecipe recipe;
    std::string_view explanation;
};

enum class Method {
    Rtn,
    SmoothQuant,
    Awq,
    Gptq,
    QuaRot,
    SpinQuant,
    OstQuant,
    DuQuant,
    FlatQuant,
    Wush,
    CatDiag,
    CatBlock,
    Cat,
    Bdq
};

/// A method is a small preset over shared parts: a site transform, a KV transform and defaults.
struct MethodInfo {
    Method method;
    std::string_view id; ///< name on the command line, e.g. "quarot"
    std::string_view title;
    std::string_view explanation;
    std::string_view citation;
    TransformKind transform; ///< at every linear site; results are filed under it
    bool rotateKv; ///< matrix of size head_dim on q, k after RoPE and on v -> o: a randomised Hadamard, at
                   ///< least at the start
    LearnedForm learned;                 ///< None = no preset trains
    bool learnHeads;                     ///< presets that train learn the matrices of keys and values, too
    std::span<const PresetInfo> presets; ///< the first one is the default; never empty
    std::string_view onlineParts;        ///< what stays online at inference and its cost, in words
    std::string_view deviations;         ///< where ours differs from the paper; empty = nowhere we know of
};
std::span<const MethodInfo> methodTable();
const MethodInfo& methodInfo(Method method);
std::optional<Method> methodFromName(std::string_view id);
std::string methodNames(); ///< "rtn, smoothquant, ..." for messages and help

std::span<const PresetInfo> presetsOf(Method method);
/// Null when the method does not have the preset.
const PresetInfo* findPreset(Method method, Preset preset);
/// The method's default preset when it does not have this one, so that interfaces always have something to
/// show; validate() refuses such a job.
const PresetInfo& presetInfo(Method method, Preset preset);
const TrainingRecipe& trainingRecipe(Method method, Preset preset);
std::string presetNames(Method method); ///< "fast, balanced" for messages and help

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
