// Small valid result files of a made-up model, so that the window can be exercised without libtorch. The
// numbers are plausible and always the same; nothing is computed from a model.
#pragma once

#include <vector>

#include "engine/api/results.h"
#include "engine/api/sensitivity.h"

namespace bdq::fake {

inline constexpr int kLayers = 2;

/// Sites of the made-up analysis: 2 layers x qkv, o, gate_up, down, under the transforms of `spec`.
AnalysisResult makeAnalysis(const AnalyzeSpec& spec);
/// Writes spec.outDir/analysis.json and the detail files that it names.
Status writeAnalysis(const AnalysisResult& analysis);

/// Rows of the made-up run: 2 layers x 4 linear sites, and the two cache sites when the plan quantizes KV.
RunResult makeRun(const RunSpec& spec);
/// Writes what a real run leaves before its first layer: with it a run can be resumed.
Status beginRun(const RunSpec& spec);
/// Writes spec.outDir/run.json.
Status writeRun(const RunResult& run);

EvalResult makeEval(const EvalSpec& spec);

/// Rows of the sites of makeAnalysis, under `spec`'s transforms or bdq: less is lost with more bits.
SensitivityResult makeSensitivity(const SensitivitySpec& spec);
/// Writes sensitivity.json into the analysis folder.
Status writeSensitivity(const SensitivitySpec& spec, const SensitivityResult& result);

} // namespace bdq::fake
