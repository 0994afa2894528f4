// What to do: the exact description of a job, as the command line and the window build it and as run folders
// keep it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "engine/api/bos_mode.h"
#include "engine/api/method.h"
#include "engine/api/quant_scheme.h"
#include "engine/api/result.h"

namespace bdq {

/// Where and how wide to compute.
struct DeviceOptions {
    std::string device = "auto"; ///< "auto" (CUDA when there is one), "cpu", "cuda" or "cuda:N"
    int threads = 0;             ///< CPU threads; 0 = all cores we may use
};

/// Tokens that transforms and statistics are computed from.
struct CalibrationOptions {
    std::string source = "self"; ///< text file, or "self": the model generates its own text (data-free)
    int sequences = 32;          ///< >= 1
    int sequenceLength = 2048;   ///< tokens, >= 16
    BosMode bos = BosMode::Auto; ///< of a text file, in front of the text as a whole
};

/// Text that perplexity is measured on.
struct EvaluationOptions {
    std::string textPath;
    int sequenceLength = 2048;
    int maxWindows = 0;          ///< 0 = all
    BosMode bos = BosMode::Auto; ///< in front of the text as a whole, and of every item of a task
};

struct AnalyzeSpec {
    std::string modelPath;
    std::string outDir;
    CalibrationOptions calibration;
    std::vector<int> layers; ///< empty = all
    std::vector<TransformKind> transforms{TransformKind::None,       TransformKind::SmoothQuant,
                                          TransformKind::Hadamard,   TransformKind::CatDiag,
                                          TransformKind::CatBlock64, TransformKind::CatBlock128,
                                          TransformKind::Bdq};
    std::vector<std::string> schemes{"W4A4", "W8A8"}; ///< measured and predicted
    bool estimateLosses = true; ///< one backward pass: what the whole model loses by every site
    std::uint64_t seed = 0;
    DeviceOptions device;
};

/// Changes of a preset's training recipe; empty = as the preset has it. Only for presets that train.
struct TrainingOverrides {
    std::optional<int> epochs;        ///< passes a block; of the whole model where only that is trained
    std::optional<int> endToEndSteps; ///< steps over the whole model after the blocks
    std::optional<LogitLoss> loss;    ///< of the steps over the whole model
    std::optional<double> rate;       ///< of transforms, > 0; the recipe's other rates keep their ratio to it
    std::optional<int> batch;         ///< sequences a step
    std::optional<bool> learnRounding;
    std::optional<bool> quantizedInputs; ///< blocks learn from the quantized blocks before them
    std::optional<bool> autocast;        ///< bfloat16 matrix products
    bool operator==(const TrainingOverrides&) const = default;
    [[nodiscard]] bool any() const { return *this != TrainingOverrides{}; }
};

struct RunSpec {
    std::string modelPath;
    std::string outDir;
    Plan plan;
    Method method = Method::Bdq;
    Preset preset = Preset::Fast;
    std::optional<WeightRounding> rounding; ///< empty = the preset's
    TrainingOverrides training;
    CalibrationOptions calibration;
    std::vector<int> layers; ///< only these are quantized; empty = all
    /// Perplexity before and after. Both texts are read with the same BosMode.
    std::optional<EvaluationOptions> evaluation;
    std::uint64_t seed = 0;
    bool resume = false; ///< continue an interrupted run in outDir; not part of the fingerprint
    DeviceOptions device;
};

/// The preset's recipe with the spec's changes, passes over the whole model counted in steps, and batches of
/// at most the calibration sequences.
TrainingRecipe effectiveRecipe(const RunSpec& spec);
/// The rounding that the spec or its preset chooses.
WeightRounding effectiveRounding(const RunSpec& spec);

struct EvalSpec {
    std::string modelPath;
    std::string runDir;           ///< empty = the model as it is
    EvaluationOptions evaluation; ///< textPath may be empty when there are tasks
    DeviceOptions device;
    std::vector<std::string> tasks{}; ///< multiple-choice files (JSON lines: context, choices, label)
    int taskLimit = 0;                ///< only the first items of each task; 0 = all
};

enum class ReportFormat { Html, Markdown, Csv, Json };
std::string_view reportFormatName(ReportFormat format);
std::optional<ReportFormat> reportFormatFromName(std::string_view name);

/// Parts of a report that may be left out; notes and exceptions always stay.
enum class ReportSection {
    Transforms, ///< of an analysis: transforms compared
    Layers,     ///< plots across the layers
    Worst,      ///< histograms and channels of the worst sites
    Prediction, ///< of an analysis: predicted against measured SQNR
    Table,      ///< every layer and site
    Settings,
    Sources, ///< model and text
    Definitions,
    Reproduction
};
struct ReportSectionInfo {
    ReportSection section;
    std::string_view id;    ///< stable
    std::string_view title; ///< the heading in the report
    bool ofRun;             ///< is part of a run's report
    bool ofAnalysis;        ///< is part of an analysis' report
};
/// In the order of a report.
std::span<const ReportSectionInfo> reportSectionTable();
std::optional<ReportSection> reportSectionFromName(std::string_view id);
std::string_view reportSectionName(ReportSection section);

/// Report of an analysis folder or a run folder.
struct ReportSpec {
    std::string dir;
    ReportFormat format = ReportFormat::Html;
    std::string outFile;                   ///< "-" = standard output, on the command line only
    std::vector<ReportSection> leaveOut{}; ///< in HTML and Markdown
};

/// Resident mode: keeps the model open and answers SiteRequests.
struct InspectSpec {
    std::string modelPath;
    std::string analysisDir;
    DeviceOptions device;
};

/// Measures what the model loses when one site alone is quantized; sensitivity.json in the folder of an
/// analysis.
struct SensitivitySpec {
    std::string analysisDir;
    std::string modelPath; ///< empty = the model of the analysis
    /// Of the site's weights; 16 bits = untouched. Default: 2 (asymmetric), 3, 4 and 8 bits.
    std::vector<OperandScheme> weights{{2, false, 0}, {3, true, 0}, {4, true, 0}, {8, true, 0}};
    OperandScheme activation;                      ///< of the site's input; 16 bits = untouched
    std::vector<TransformKind> transforms;         ///< of the analysis; empty = its last
    std::vector<int> layers;                       ///< empty = all analysed
    WeightRounding rounding = WeightRounding::Mse; ///< Rtn or Mse
    /// Tokens the model is compared on; an empty source = that of the analysis.
    CalibrationOptions text{{}, 2, 512};
    DeviceOptions device;
    std::optional<BosMode> bos{}; ///< empty = as the analysis read its text; counts instead of text.bos
};

using JobSpec = std::variant<AnalyzeSpec, RunSpec, EvalSpec, ReportSpec, InspectSpec, SensitivitySpec>;

/// Checks everything that can be known without opening a file. Errors: InvalidSpec naming field, value and
/// rule.
Status validate(const JobSpec& spec);

/// JSON text of a spec: {"schema": 1, "job": "run", ...}; keys are the long option names with underscores. A
/// spec without "bos" is from a version that put nothing in front of a text, and reads as BosMode::Off.
std::string encodeSpec(const JobSpec& spec);
Result<JobSpec> decodeSpec(std::string_view json);

/// "analyze", "run", "eval", "report", "inspect", "sensitivity".
std::string_view jobName(const JobSpec& spec);

/// The `bdq ...` command line that does the same (POSIX-quoted).
std::string commandLine(const JobSpec& spec);

/// "0-3,7" -> {0,1,2,3,7}; sorted, unique. Errors: InvalidSpec. Every layer must be < layerCount (0 = not
/// checked).
Result<std::vector<int>> parseLayers(std::string_view text, int layerCount = 0);
std::string formatLayers(const std::vector<int>& layers);

/// A plan file: {"schema": 1, "scheme": "W4A4KV4", "overrides": [{"layer", "site", "scheme"}]}. The spec.json
/// of a run folder reads as its plan, too. Errors: BadFormat.
Result<Plan> decodePlan(std::string_view json, const std::string& label);
std::string encodePlan(const Plan& plan);

/// Resident mode: measure one site again under other settings.
struct SiteRequest {
    std::int64_t id = 0; ///< chosen by the asker, echoed in the answer
    SiteKey key;
    TransformKind transform = TransformKind::None;
    Scheme scheme;
    WeightRounding rounding =
        WeightRounding::Rtn; ///< Gptq is answered with Mse: the kept tokens are too few to fit it
};
struct SiteAnswer {
    std::int64_t id = 0;
    SiteKey key;
    TransformKind transform = TransformKind::None;
    std::string scheme;
    double sqnrDb = 0;
    std::int64_t tokens = 0; ///< kept tokens it was measured on
    double seconds = 0;
};

} // namespace bdq
