// Quantizes one layer: moments, transform, rounding, and what it cost.
#pragma once

#include <functional>
#include <vector>

#include "engine/api/job_context.h"
#include "engine/api/results.h"
#include "engine/pipeline/block_capture.h"
#include "engine/pipeline/layer_checkpoint.h"
#include "engine/pipeline/learned_layer.h"
#include "engine/pipeline/site_analyzer.h"
#include "engine/pipeline/two_pass_inputs.h"

namespace bdq {

/// What a layer is quantized with.
struct LayerQuantizerOptions {
    Plan plan;
    const MethodInfo* method = nullptr;
    TransformKind start = TransformKind::None; ///< closed form of every site; training begins with it
    WeightRounding rounding = WeightRounding::Mse;
    std::uint64_t seed = 0;
};

/// Everything that comes out of one layer.
struct LayerOutcome {
    LayerCheckpoint checkpoint;      ///< block on the compute device
    std::vector<SiteAnalysis> sites; ///< before and after, analysis format
    std::vector<SiteDetail> details; ///< belonging to `sites`
    HiddenStates output;             ///< full-precision hidden states after the layer
};

class LayerQuantizer {
public:
    /// `advance(share)` is called with shares that add up to 1 over the layer.
    LayerQuantizer(const ModelConfig& config, const Rope& rope, const LayerQuantizerOptions& options,
                   const ComputeDevice& device, JobContext& context, std::function<void(double)> advance)
        : m_config(config), m_rope(rope), m_options(options), m_device(device), m_context(context),
          m_advance(std::move(advance)) {}

    /// `full`: hidden states of the full model before the layer; `quantized`: those of the quantized layers
    /// before it, from which GPTQ takes its second moments (ignored by other roundings). Errors:
    /// buildTransform's, gptq's, NonFinite, Cancelled; context names layer and site.
    /// With `learned` the layer gets its transforms, ranges and weights instead of the method's closed forms.
    Result<LayerOutcome> run(int layer, BlockWeights weights, const HiddenStates& full,
                             const HiddenStates& quantized, const LearnedLayer* learned = nullptr);

    /// Full-precision hidden states after a layer that an earlier process quantized: computed with the same
    /// rotated weights as run() uses, so that a resumed run goes on from the same bits.
    Result<HiddenStates> skip(int layer, BlockWeights weights, const HiddenStates& full,
                              const LearnedLayer* learned = nullptr);

private:
    struct Moments {
        std::vector<InputStatistics> statistics;
        at::Tensor keys;   ///< of the first sequence, [1, kvHeads, tokens, headDim]
        at::Tensor values; ///< same
    };
    Status startBlock(int layer, const LearnedLayer* learned, BlockWeights& weights,
                      QuantizedBlock& block) const;
    [[nodiscard]] transform::MomentNeeds momentNeeds(const LearnedLayer* learned) const;
    Result<Moments> firstPass(TwoPassInputs& inputs, const LearnedLayer* learned, LayerOutcome& outcome);
    Status buildTransforms(int layer, const LearnedLayer* learned, const BlockWeights& weights,
                           const Moments& moments, QuantizedBlock& block,
                           std::vector<SiteAnalyzer>& analyzers) const;
    /// E[x^T x] of what the rounded weights are multiplied with, for the roundings that use it.
    Result<std::vector<at::Tensor>> hessians(const BlockWeights& weights, const QuantizedBlock& block,
                                             const Moments& moments, const HiddenStates& quantized);
    static std::vector<at::Tensor> transformedMoments(const QuantizedBlock& block, const Moments& moments);
    Status roundSite(SiteKey key, const at::Tensor& weight, const at::Tensor& hessian,
                     const LearnedLayer* learned, QuantizedSite& site) const;
    Status secondPass(TwoPassInputs& inputs, std::vector<SiteAnalyzer>& analyzers) const;
    Status describeSite(SiteKey key, const at::Tensor& weight, SiteAnalyzer& analyzer,
                        LayerOutcome& outcome) const;
    void describeCache(int layer, const Moments& moments, LayerCheckpoint& checkpoint) const;
    [[nodiscard]] RunSiteResult cacheRow(SiteKey key, const at::Tensor& cached,
                                         const QuantizedBlock& block) const;

    const ModelConfig& m_config;
    const Rope& m_rope;
    const LayerQuantizerOptions& m_options;
    ComputeDevice m_device;
    JobContext& m_context;
    std::function<void(double)> m_advance;
};

} // namespace bdq
