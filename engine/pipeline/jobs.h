// The jobs of the engine, one function each. They report through a JobContext, stop between blocks when it is
// cancelled, and write files only under the job's outDir. No JSON lines, no terminal here: engine/cli does
// that.
#pragma once

#include <memory>
#include <string>
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

/// Speed of the parts on this machine with this model: header parse, forward against a large matmul, fp64
/// Gram, transforms, quantizers. `parts` empty = all. Returns one JSON object as text.
struct BenchSpec {
    std::string modelPath;
    std::vector<std::string> parts;
    DeviceOptions device;
};
Result<std::string> bench(const BenchSpec& spec, JobContext& context);

} // namespace bdq
