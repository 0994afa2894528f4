// Results of jobs, as stored in analysis.json, run.json and printed by --json. JSON keys are snake_case and
// stable (README, "Command line").
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/job_spec.h"
#include "engine/api/model_index.h"
#include "engine/api/result.h"
#include "engine/api/site_analysis.h"

namespace bdq {

inline constexpr int kResultSchema = 1;

/// The text behind numbers.
struct TextInfo {
    std::string source;      ///< file name, or "self" for text the model generated
    std::string sha256;      ///< of the tokens used (little-endian int32)
    std::int64_t tokens = 0; ///< tokens used
    int sequences = 0;
    int sequenceLength = 0;
    /// A BOS token stands in front of the text, or of every sequence that the model generated.
    bool bos = false;
    BosMode bosMode = BosMode::Off; ///< what was asked for
    std::string form{};             ///< how a file that is no plain text was taken; empty = as it is
};

/// What computed it, for reproduction.
struct Provenance {
    std::string command;    ///< commandLine(spec)
    std::string version;    ///< of BDQ Studio
    std::string torch;      ///< of libtorch
    std::string device;     ///< "cpu", "cuda:0"
    std::string deviceName; ///< for people
    int threads = 0;
    std::string startedUtc; ///< ISO 8601
    double seconds = 0;
    std::uint64_t peakHostBytes = 0;
    std::uint64_t peakDeviceBytes = 0;
};

/// What the estimated losses of an analysis rest on.
struct LossEstimateInfo {
    int sequences = 0;
    int sequenceLength = 0; ///< tokens of each; the last one predicts nothing
    int labels = 0;         ///< drawn from the model's distribution for every predicted token
    double seconds = 0;
    bool operator==(const LossEstimateInfo&) const = default;
    [[nodiscard]] std::int64_t tokens() const { return std::int64_t{sequences} * sequenceLength; }
};

/// analysis.json.
struct AnalysisResult {
    AnalyzeSpec spec;
    ModelConfig model;
    std::int64_t parameters = 0;
    TextInfo text;
    Provenance provenance;
    std::vector<SiteAnalysis> sites; ///< by layer, then kLinearSites order
    std::string modelFingerprint{};  ///< of the weights; empty = made before results named them
    std::vector<std::string> warnings{};
    std::optional<LossEstimateInfo> lossEstimate{}; ///< absent = no loss was estimated

    [[nodiscard]] const SiteAnalysis* find(SiteKey key) const;
};

/// A quantized model against the full one on the same text: means over all predicted tokens.
struct ModelComparison {
    double klDivergence = 0; ///< KL(full || quantized) of the next-token distributions, nats
    double topAgreement = 0; ///< share of tokens where both models rate the same next token highest, 0..1
    double nllFull = 0;      ///< of the full model, as EvalResult::nll
    double perplexityFull = 0;
};

/// One multiple-choice task. The answer of the model is the choice with the largest sum of
/// log P(" " + choice | context): as it is (accuracy), or divided by the characters of the choice
/// (accuracyNormalized), as lm-evaluation-harness counts them.
struct TaskResult {
    std::string name; ///< file name without its extension
    int items = 0;
    double accuracy = 0; ///< 0..1
    double accuracyNormalized = 0;
    double accuracyError = 0; ///< standard error sqrt(p (1 - p) / (items - 1)); NaN for one item
    double accuracyNormalizedError = 0;
    int truncated = 0; ///< items longer than the model's context, which lost tokens on the left
};

/// Perplexity protocol of design/transforms.md 2.2: mean CE over the L - 1 shifted tokens of each window of
/// L.
struct EvalResult {
    std::string modelPath;
    std::string runDir;
    std::string text; ///< file name; empty when only tasks were measured: then no perplexity is there
    double perplexity = 0;
    double nll = 0; ///< mean negative log-likelihood per predicted token, nats
    int windows = 0;
    int sequenceLength = 0;
    std::int64_t tokens = 0;    ///< tokens of the whole text
    double tokensPerSecond = 0; ///< through a model; with a comparison both models count
    Provenance provenance;
    std::optional<ModelComparison> comparison{}; ///< with a run and a text
    std::vector<TaskResult> tasks{};
    /// Standard error of nll: s / sqrt(windows), s = sample standard deviation of the windows' means. NaN for
    /// one window and for results that did not store it.
    double nllError = std::numeric_limits<double>::quiet_NaN();
    bool bos = false; ///< a BOS token stands in front of the text
    BosMode bosMode = BosMode::Off;
    std::string form{}; ///< as TextInfo::form
    std::vector<std::string> warnings{};

    /// Tokens that the perplexity was measured on.
    [[nodiscard]] std::int64_t measuredTokens() const {
        return static_cast<std::int64_t>(windows) * sequenceLength;
    }
    /// Standard error of the perplexity to first order: d exp(nll) = exp(nll) d nll.
    [[nodiscard]] double perplexityError() const { return perplexity * nllError; }
};

/// One row of run.json's per_layer.
struct RunSiteResult {
    SiteKey key;
    std::string scheme;
    double sqnrDb = 0; ///< of the site's linear output on calibration tokens (K, V: of the cached tensor)
    double mse = 0;    ///< mean squared error of the same
    double flatnessBefore = 0; ///< Flatness::entropyNormalized of the activation
    double flatnessAfter = 0;
    double weightFlatnessBefore = 0; ///< NaN for the cache sites, which have no weights
    double weightFlatnessAfter = 0;
};

/// run.json.
struct RunResult {
    std::string status; ///< "finished", "cancelled", "failed"
    RunSpec spec;
    ModelConfig model;
    std::int64_t parameters = 0;
    TextInfo text;
    std::optional<EvalResult> full;      ///< perplexity of the model as it is
    std::optional<EvalResult> quantized; ///< perplexity of the result
    /// Over all linear weights of the model, those that were not quantized at 16 bits; scales and zero points
    /// counted.
    double averageWeightBits = 16;
    /// Over the linear weights of the quantized layers alone; NaN in results that did not store it.
    double quantizedLayerBits = std::numeric_limits<double>::quiet_NaN();
    bool simulated = true; ///< arithmetic simulated in floating point; no deployable checkpoint
    std::vector<RunSiteResult> perLayer;
    Provenance provenance;
    std::string modelFingerprint{}; ///< of the weights; empty = made before results named them
    std::vector<std::string> warnings{};

    /// Layers that the run quantizes.
    [[nodiscard]] int quantizedLayers() const {
        return spec.layers.empty() ? model.layers : static_cast<int>(spec.layers.size());
    }
};

/// "BOS in front", "BOS in front of every sequence" (generated text) or "no BOS".
std::string bosText(const TextInfo& text);
std::string bosText(const EvalResult& result);
/// "4.19 bit", and what it is in the quantized layers where they are not all: "13.60 bit (4.19 in the 6
/// quantized layers of 30)".
std::string averageBitsText(const RunResult& result);

std::string encodeModelInfo(const ModelIndex& index); ///< `bdq info --json`
std::string encodeAnalysis(const AnalysisResult& result);
Result<AnalysisResult> decodeAnalysis(std::string_view json, const std::string& label);
std::string encodeEval(const EvalResult& result);
Result<EvalResult> decodeEval(std::string_view json, const std::string& label);
std::string encodeRun(const RunResult& result);
Result<RunResult> decodeRun(std::string_view json, const std::string& label);
/// Rows as they travel in RowEvent.
std::string encodeSiteRow(const SiteAnalysis& site);
Result<SiteAnalysis> decodeSiteRow(std::string_view json, const std::string& label);
std::string encodeRunRow(const RunSiteResult& row);
Result<RunSiteResult> decodeRunRow(std::string_view json, const std::string& label);

} // namespace bdq
