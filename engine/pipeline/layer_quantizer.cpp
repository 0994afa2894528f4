#include "engine/pipeline/layer_quantizer.h"

#include <limits>

#include <ATen/ATen.h>

#include "engine/pipeline/cache_rotation.h"
#include "engine/pipeline/job_support.h"
#include "engine/pipeline/site_measurement.h"
#include "engine/quant/affine.h"
#include "engine/quant/gptq.h"
#include "engine/quant/output_mse.h"
#include "engine/train/clipped_quantizer.h"
#include "engine/transform/build_transform.h"

namespace bdq {
namespace {

constexpr std::int64_t kSampleTokens = 2048;

/// Second moments of the quantized operands, while unquantized weights run.
class HessianHooks final : public QuantizedHooks {
public:
    HessianHooks(const QuantizedBlock& block, std::vector<SecondMoment>& moments)
        : QuantizedHooks(block), m_moments(moments) {}
    at::Tensor siteInput(Site site, at::Tensor x) override {
        at::Tensor operand = QuantizedHooks::siteInput(site, std::move(x));
        m_moments[static_cast<std::size_t>(site)].add(operand.flatten(0, -2));
        return operand;
    }

private:
    std::vector<SecondMoment>& m_moments;
};

} // namespace

Status LayerQuantizer::startBlock(int layer, const LearnedLayer* learned, BlockWeights& weights,
                                  QuantizedBlock& block) const {
    block.keys = m_options.plan.at({layer, Site::KCache}).kv;
    block.values = m_options.plan.at({layer, Site::VCache}).kv;
    if (learned != nullptr) {
        weights = learned->weights;
        if (learned->keyRotation) block.keyRotation = learned->keyRotation->to(m_device.device);
        block.keyClip = learned->activationRanges[static_cast<std::size_t>(Site::KCache)];
        block.valueClip = learned->activationRanges[static_cast<std::size_t>(Site::VCache)];
        for (const Site site : {Site::O, Site::Down})
            if (m_options.plan.at({layer, site}).weight.quantizes())
                block.at(site).outputRotation = learned->residualRotation;
        return {};
    }
    BDQ_TRY(CacheRotation rotation, rotateCache(m_config, *m_options.method, m_options.plan, m_options.seed,
                                                layer, m_device, weights));
    block.keyRotation = std::move(rotation.keys);
    return {};
}

transform::MomentNeeds LayerQuantizer::momentNeeds(const LearnedLayer* learned) const {
    transform::MomentNeeds needs;
    if (learned == nullptr) needs = transform::momentNeeds(m_options.method->transform);
    if (m_options.rounding == WeightRounding::OutputMse) needs.secondMoment = true;
    return needs;
}

Result<LayerQuantizer::Moments> LayerQuantizer::firstPass(TwoPassInputs& inputs, const LearnedLayer* learned,
                                                          LayerOutcome& outcome) {
    const InputStatistics empty(momentNeeds(learned));
    Moments moments{std::vector<InputStatistics>(kLinearSites.size(), empty), {}, {}};
    for (std::size_t batch = 0; batch < inputs.batches(); ++batch) {
        BDQ_CHECK(m_context.checkCancelled());
        const TwoPassInputs::FirstPass pass = inputs.first(batch);
        outcome.output.push_back(pass.output);
        for (std::size_t site = 0; site < kLinearSites.size(); ++site)
            moments.statistics[site].add(pass.capture.inputs()[site]);
        if (batch == 0) {
            moments.keys = pass.capture.keys().narrow(0, 0, 1); // the same tokens on every device
            moments.values = pass.capture.values().narrow(0, 0, 1);
        }
        m_advance(0.25 / static_cast<double>(inputs.batches()));
    }
    return moments;
}

Status LayerQuantizer::buildTransforms(int layer, const LearnedLayer* learned, const BlockWeights& weights,
                                       const Moments& moments, QuantizedBlock& block,
                                       std::vector<SiteAnalyzer>& analyzers) const {
    SiteAnalyzerOptions options;
    options.transforms = {TransformKind::None};
    if (m_options.method->transform != TransformKind::None)
        options.transforms.push_back(m_options.method->transform);
    options.seed = m_options.seed;
    options.sampleTokens = kSampleTokens;
    for (Site site : kLinearSites) {
        const SiteKey key{layer, site};
        const auto index = static_cast<std::size_t>(site);
        if (learned != nullptr) options.given = {{m_options.method->transform, learned->transforms[index]}};
        const Scheme& scheme = m_options.plan.at(key);
        options.weights = scheme.weight;
        auto analyzer = SiteAnalyzer::create(key, moments.statistics[static_cast<std::size_t>(site)],
                                             weights.at(site), options);
        if (!analyzer) return passOn(std::move(analyzer).error(), siteLabel(key));
        QuantizedSite& quantized = block.at(site);
        quantized.activation = scheme.activation;
        quantized.bias = weights.biasAt(site);
        if (learned != nullptr) quantized.clip = learned->activationRanges[index];
        // A site that is not quantized keeps its plain form: nothing would be gained, and it costs at
        // inference.
        if (scheme.activation.quantizes() || scheme.weight.quantizes())
            quantized.siteTransform = analyzer->siteTransform(m_options.method->transform);
        analyzers.push_back(std::move(*analyzer));
    }
    return {};
}

Result<std::vector<at::Tensor>> LayerQuantizer::hessians(const BlockWeights& weights,
                                                         const QuantizedBlock& block, const Moments& moments,
                                                         const HiddenStates& quantized) {
    if (m_options.rounding != WeightRounding::Gptq) {
        m_advance(0.25);
        return m_options.rounding == WeightRounding::OutputMse ? transformedMoments(block, moments)
                                                               : std::vector<at::Tensor>(kLinearSites.size());
    }
    BlockWeights transformed = weights;
    for (Site site : kLinearSites)
        transformed.at(site) = block.at(site).siteTransform.applyToWeight(weights.at(site));
    std::vector<SecondMoment> operands(kLinearSites.size());
    for (const at::Tensor& x : quantized) {
        BDQ_CHECK(m_context.checkCancelled());
        HessianHooks hooks(block, operands);
        forwardBlock(m_config, transformed, m_rope, x, hooks);
        m_advance(0.25 / static_cast<double>(quantized.size()));
    }
    std::vector<at::Tensor> result;
    for (const SecondMoment& moment : operands)
        result.push_back(moment.mean());
    return result;
}

// P^T S P of full-precision inputs, as AWQ's released code collects them.
std::vector<at::Tensor> LayerQuantizer::transformedMoments(const QuantizedBlock& block,
                                                           const Moments& moments) {
    std::vector<at::Tensor> result;
    for (Site site : kLinearSites) {
        const transform::SiteTransform& form = block.at(site).siteTransform;
        const at::Tensor raw = moments.statistics[static_cast<std::size_t>(site)].secondMoment();
        result.push_back(form.applyToActivations(form.applyToActivations(raw).t().contiguous()));
    }
    return result;
}

Status LayerQuantizer::roundSite(SiteKey key, const at::Tensor& weight, const at::Tensor& hessian,
                                 const LearnedLayer* learned, QuantizedSite& site) const {
    const Scheme& scheme = m_options.plan.at(key);
    at::Tensor transformed = site.siteTransform.applyToWeight(weight);
    if (!scheme.weight.quantizes()) {
        site.fullWeight = transformed;
        return {};
    }
    if (site.outputRotation.defined()) transformed = at::matmul(site.outputRotation.t(), transformed);
    const auto index = static_cast<std::size_t>(key.site);
    if (learned != nullptr && learned->roundings[index].defined())
        transformed = transformed + train::roundingOffset(learned->roundings[index], transformed,
                                                          scheme.weight, learned->weightClips[index]);
    if (m_options.rounding == WeightRounding::Gptq) {
        BDQ_TRY(quant::GptqResult result, quant::gptq(transformed, hessian, scheme.weight));
        for (const std::string& note : result.notes)
            m_context.warning(siteLabel(key) + ": " + note);
        site.weight = std::move(result.weight);
    } else if (learned != nullptr && learned->weightClips[index].defined()) {
        const train::ClippedRanges ranges =
            train::clippedRanges(transformed, scheme.weight, learned->weightClips[index]);
        BDQ_TRY(site.weight, quant::roundWeights(transformed, scheme.weight, ranges.low, ranges.high));
    } else if (m_options.rounding == WeightRounding::OutputMse) {
        BDQ_TRY(site.weight, quant::roundToOutput(transformed, hessian, scheme.weight));
    } else {
        BDQ_TRY(site.weight, quant::roundWeights(transformed, scheme.weight, m_options.rounding));
    }
    return site.weight->validate();
}

RunSiteResult LayerQuantizer::cacheRow(SiteKey key, const at::Tensor& cached,
                                       const QuantizedBlock& block) const {
    // v arrives rotated already (folded into its weight); k is rotated after RoPE.
    const bool isKey = key.site == Site::KCache;
    const OperandScheme& scheme = isKey ? block.keys : block.values;
    const at::Tensor operand = isKey && block.keyRotation ? block.keyRotation->applyToKeys(cached) : cached;
    const at::Tensor rounded = quant::fakeQuantize(operand, scheme, isKey ? block.keyClip : block.valueClip);
    const at::Tensor difference = rounded - operand;
    const OutputError error{operand.square().sum(at::kDouble).item<double>(),
                            difference.square().sum(at::kDouble).item<double>(),
                            static_cast<double>(operand.numel())};
    RunSiteResult row;
    row.key = key;
    row.scheme = formatScheme({{}, {}, scheme});
    row.sqnrDb = error.sqnrDb();
    row.mse = error.mse();
    row.flatnessBefore = normalizedFlatness(cached.flatten(0, -2));
    row.flatnessAfter = normalizedFlatness(operand.flatten(0, -2));
    row.weightFlatnessBefore = row.weightFlatnessAfter =
        std::numeric_limits<double>::quiet_NaN(); // no weights
    return row;
}

Status LayerQuantizer::secondPass(TwoPassInputs& inputs, std::vector<SiteAnalyzer>& analyzers) const {
    for (std::size_t batch = 0; batch < inputs.batches(); ++batch) {
        BDQ_CHECK(m_context.checkCancelled());
        const SiteInputs again = inputs.second(batch);
        for (std::size_t site = 0; site < analyzers.size(); ++site)
            analyzers[site].add(again[site]);
    }
    return {};
}

Status LayerQuantizer::describeSite(SiteKey key, const at::Tensor& weight, SiteAnalyzer& analyzer,
                                    LayerOutcome& outcome) const {
    BDQ_TRY(SiteAnalysis analysis, analyzer.finish());
    const at::Tensor sample = analyzer.sample();
    at::Tensor outputs = at::linear(sample, weight);
    const QuantizedSite& quantized = outcome.checkpoint.block.at(key.site);
    // Errors are as long in the space of the codes as in that of the outputs.
    if (quantized.outputRotation.defined()) outputs = at::matmul(outputs, quantized.outputRotation);
    const at::Tensor operand = quantized.siteTransform.applyToActivations(sample);
    const OutputError error =
        quantized.weight
            ? quantizedOutputError(outputs, operand, *quantized.weight, quantized.activation, quantized.clip)
            : outputErrorWithFullWeight(outputs, operand, quantized.fullWeight, quantized.activation,
                                        quantized.clip);
    const TransformAnalysis& before = analysis.transforms.at(TransformKind::None);
    TransformAnalysis& after = analysis.transforms.at(m_options.method->transform);
    RunSiteResult row;
    row.key = key;
    row.scheme = formatScheme(m_options.plan.at(key));
    row.sqnrDb = error.sqnrDb();
    row.mse = error.mse();
    row.flatnessBefore = before.activation.entropyNormalized;
    row.weightFlatnessBefore = before.weight.entropyNormalized;
    row.flatnessAfter = after.activation.entropyNormalized;
    row.weightFlatnessAfter = after.weight.entropyNormalized;
    after.sqnrDbMeasured[row.scheme] = row.sqnrDb;
    outcome.checkpoint.rows.push_back(row);
    outcome.sites.push_back(std::move(analysis));
    outcome.details.push_back(analyzer.detail());
    return {};
}

void LayerQuantizer::describeCache(int layer, const Moments& moments, LayerCheckpoint& checkpoint) const {
    const QuantizedBlock& block = checkpoint.block;
    if (block.keys.quantizes())
        checkpoint.rows.push_back(cacheRow({layer, Site::KCache}, moments.keys, block));
    if (block.values.quantizes())
        checkpoint.rows.push_back(cacheRow({layer, Site::VCache}, moments.values, block));
}

Result<HiddenStates> LayerQuantizer::skip(int layer, BlockWeights weights, const HiddenStates& full,
                                          const LearnedLayer* learned) {
    if (learned != nullptr)
        weights = learned->weights;
    else
        BDQ_CHECK(rotateCache(m_config, *m_options.method, m_options.plan, m_options.seed, layer, m_device,
                              weights));
    HiddenStates output;
    for (const at::Tensor& x : full) {
        BDQ_CHECK(m_context.checkCancelled());
        BlockHooks none;
        output.push_back(forwardBlock(m_config, weights, m_rope, x, none));
    }
    return output;
}

Result<LayerOutcome> LayerQuantizer::run(int layer, BlockWeights weights, const HiddenStates& full,
                                         const HiddenStates& quantized, const LearnedLayer* learned) {
    LayerOutcome outcome;
    QuantizedBlock& block = outcome.checkpoint.block;
    BDQ_CHECK(startBlock(layer, learned, weights, block));
    TwoPassInputs inputs(m_config, weights, m_rope, full);
    BDQ_TRY(const Moments moments, firstPass(inputs, learned, outcome));
    std::vector<SiteAnalyzer> analyzers;
    BDQ_CHECK(buildTransforms(layer, learned, weights, moments, block, analyzers));
    BDQ_TRY(const std::vector<at::Tensor> secondMoments, hessians(weights, block, moments, quantized));
    for (Site site : kLinearSites) {
        BDQ_CHECK(m_context.checkCancelled());
        const auto status = roundSite({layer, site}, weights.at(site),
                                      secondMoments[static_cast<std::size_t>(site)], learned, block.at(site));
        if (!status) return passOn(status.error(), siteLabel({layer, site}));
        m_advance(0.05);
    }
    BDQ_CHECK(secondPass(inputs, analyzers));
    for (Site site : kLinearSites) {
        const auto described =
            describeSite({layer, site}, weights.at(site), analyzers[static_cast<std::size_t>(site)], outcome);
        if (!described) return passOn(described.error(), siteLabel({layer, site}));
    }
    describeCache(layer, moments, outcome.checkpoint);
    m_advance(0.15);
    return outcome;
}

} // namespace bdq
