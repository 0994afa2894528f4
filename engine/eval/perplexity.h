// Perplexity protocol of FlatQuant, QuaRot, SpinQuant and GPTQ (design/transforms.md 2.2): the text is
// tokenised once and cut into windows; per window the mean cross-entropy over its L - 1 shifted tokens; mean
// over windows; exp. On the same tokens: how far the model is from a second one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "engine/api/job_context.h"
#include "engine/api/results.h"
#include "engine/model/layer_source.h"

namespace bdq {

struct PerplexityOptions {
    int windowLength = 2048; ///< >= 2
    int maxWindows = 0;      ///< 0 = all
};

struct PerplexityResult {
    double nll = 0; ///< mean over windows of the mean cross-entropy, nats
    /// Standard error of nll: windows are taken as independent draws of the text, s / sqrt(windows) with the
    /// sample standard deviation s of their means. NaN for one window.
    double nllError = 0;
    double perplexity = 0;
    int windows = 0;
    std::optional<ModelComparison> comparison; ///< with a full model to compare with
    double seconds = 0;
    double flops = 0; ///< of `layers`: matrix products only, causal half of the attention
};

/// What is measured: a model's layers, and the full model's when the two are to be compared.
struct MeasuredLayers {
    MeasuredLayers(LayerSource& measured, LayerSource* fullModel = nullptr) // NOLINT: a source is enough
        : layers(measured), full(fullModel) {}
    LayerSource& layers;
    LayerSource* full;
};

/// s / sqrt(n) of n >= 2 values with the sample standard deviation s; NaN for fewer.
double standardError(std::span<const double> values);

/// Windows that a text of so many tokens has under these options.
int windowCount(std::size_t tokens, const PerplexityOptions& options);

/// Runs all windows layer by layer: every source is asked for one layer at a time, the full model's first.
/// `progress(done, total)` counts (layer, window) pairs of all models. Errors: MissingCalibration when there
/// is no whole window, NonFinite naming the window, Cancelled.
Result<PerplexityResult> perplexity(const ModelWeights& weights, const MeasuredLayers& measured,
                                    std::span<const std::int32_t> tokens, const PerplexityOptions& options,
                                    const ComputeDevice& device, const JobContext& context,
                                    const std::function<void(double, double)>& progress);

} // namespace bdq
