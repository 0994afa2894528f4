// How long measuring the losses of single sites takes, before it starts.
#pragma once

#include "engine/api/job_spec.h"
#include "engine/api/results.h"

namespace bdq {

/// Passes of all tokens through one layer that the measurement makes: every combination of site, transform
/// and weights goes from its layer through the rest of the model. 0 when the analysis has none of the layers.
double lossPasses(const SensitivitySpec& spec, const AnalysisResult& analysis);

/// Seconds, from `secondsPerToken` of a pass as an earlier measurement took them on this machine; without one
/// (0) from the time that the analysis took. < 0 = unknown.
double lossSeconds(const SensitivitySpec& spec, const AnalysisResult& analysis, double secondsPerToken);

/// What a finished measurement with `passes` took for a token in a pass.
double secondsPerLossToken(const SensitivitySpec& spec, double passes, double seconds);

} // namespace bdq
