// The jobs of the engine, one function each. They report through a JobContext, stop between blocks when it is
// cancelled, and write files only under the job's outDir. No JSON lines, no terminal here: engine/cli does
// that.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/job_context.h"
#include "engine/api/job_spec.h"
#include "engine/api/results.h"
#include "engine/model/device_list.h"

namespace bdq {

/// Streams calibration text through the model layer by layer; writes outDir/analysis.json and
/// outDir/sites/*.safetensors. Emits RowEvent "analysis_site" per site. Errors: as the readers',
/// MissingCalibration when the text is too short.
Result<AnalysisResult> analyze(const AnalyzeSpec& spec, JobContext& context);

/// Quantizes layer by layer (simulated arithmetic); writes outDir/spec.json, outDir/layers/*.safetensors
/// after every layer, outDir/run.json at the end. Emits RowEvent "run_site" per site and CheckpointEvent per
/// layer. With spec.resume the finished layers are taken from outDir; a spec or model that differs is refused
/// (InvalidSpec naming the part).
Result<RunResult> run(const RunSpec& spec, JobContext& context);

/// Perplexity and multiple choice of a model, or of a model with a finished run applied, which is compared
/// with the full one on the text.
Result<EvalResult> evaluate(const EvalSpec& spec, JobContext& context);

/// Resident mode: answers measurements of one site from the inputs kept by an analysis.
class SiteInspector {
public:
    static Result<SiteInspector> open(const InspectSpec& spec, JobContext& context);
    SiteInspector(SiteInspector&&) noexcept;
    SiteInspector& operator=(SiteInspector&&) noexcept;
    ~SiteInspector();
    /// Errors: InvalidSpec when the analysis has no such site or transform.
    Result<SiteAnswer> measure(const SiteRequest& request);

private:
    struct Impl;
    explicit SiteInspector(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

/// What the parts "train" and "e2e" of a benchmark train.
struct TrainingBenchOptions {
    Method method = Method::Bdq;
    Preset preset = Preset::Balanced;
    std::optional<Scheme> scheme; ///< empty = W4A4KV4
    TrainingOverrides training;   ///< endToEndSteps: steps of "e2e"; epochs follow from the steps of "train"
    std::string textPath;         ///< empty = a fixed sequence of tokens
    int sequences = 8;
    int sequenceLength = 512;
    int losses = 0; ///< of another training of the block in fp64, which CPU and GPU must share; 0 = none
    std::uint64_t seed = 0;
};

/// Speed of the parts on this machine with this model.
struct BenchSpec {
    std::string modelPath;
    std::vector<std::string> parts; ///< of kBenchParts; empty = all but "e2e"
    TrainingBenchOptions training;
    DeviceOptions device;
};
/// "eval": forward pass against a large matmul. "kernels": statistics, transforms, quantizers. "train": steps
/// of block 0's training. "e2e": steps over the whole model.
inline constexpr std::array<std::string_view, 4> kBenchParts{"eval", "kernels", "train", "e2e"};
/// One JSON object as text. Errors: InvalidSpec naming an unknown part or a preset that does not train what a
/// part needs; those of the training.
Result<std::string> bench(const BenchSpec& spec, JobContext& context);

} // namespace bdq
