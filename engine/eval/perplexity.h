// Perplexity protocol of FlatQuant, QuaRot, SpinQuant and GPTQ (design/transforms.md 2.2): the text is
// tokenised once and cut into windows; per window the mean cross-entropy over its L - 1 shifted tokens; mean
// over windows; exp.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "engine/api/job_context.h"
#include "engine/model/layer_source.h"

namespace bdq {

struct PerplexityOptions {
    int windowLength = 2048; ///< >= 2
    int maxWindows = 0;      ///< 0 = all
};

struct PerplexityResult {
    double nll = 0; ///< mean over windows of the mean cross-entropy, nats
    double perplexity = 0;
    int windows = 0;
    double seconds = 0;
    double flops = 0; ///< matrix products only, causal half of the attention
};

/// Runs all windows layer by layer: `layers` is asked for one layer at a time. `progress(done, total)` counts
/// (layer, window) pairs. Errors: MissingCalibration when there is no whole window, NonFinite naming the
/// window, Cancelled.
Result<PerplexityResult> perplexity(const ModelWeights& weights, LayerSource& layers,
                                    std::span<const std::int32_t> tokens, const PerplexityOptions& options,
                                    const ComputeDevice& device, const JobContext& context,
                                    const std::function<void(double, double)>& progress);

} // namespace bdq
