#include "engine/pipeline/site_variants.h"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>

#include "engine/analysis/sqnr_model.h"
#include "engine/io/tensor_file.h"
#include "engine/pipeline/job_support.h"
#include "engine/pipeline/site_measurement.h"
#include "engine/quant/affine.h"
#include "engine/quant/quantized_weight.h"

namespace bdq {
namespace {

class OneSiteHooks final : public BlockHooks {
public:
    explicit OneSiteHooks(const SiteVariant& variant) : m_variant(variant) {}
    at::Tensor siteInput(Site site, at::Tensor x) override {
        if (site != m_variant.key.site) return x;
        return quant::fakeQuantize(m_variant.siteTransform.applyToActivations(x), m_variant.activation);
    }

private:
    const SiteVariant& m_variant;
};

} // namespace

Result<std::vector<transform::SiteTransform>> storedTransforms(const std::filesystem::path& analysisDir,
                                                               const SiteAnalysis& site,
                                                               const std::vector<TransformKind>& kinds,
                                                               const ComputeDevice& device) {
    const std::filesystem::path path = analysisDir / site.detailFile;
    BDQ_TRY(const SiteDetail detail, io::readSiteDetail(path));
    std::vector<transform::SiteTransform> transforms;
    for (const TransformKind kind : kinds) {
        const auto found = detail.transforms.find(kind);
        if (found == detail.transforms.end())
            return fail(ErrorCode::InvalidSpec, path.string() + ": " + siteLabel(site.key) +
                                                    " has no transform " +
                                                    std::string(transformInfo(kind).id));
        BDQ_TRY(const transform::SiteTransform built,
                transform::SiteTransform::fromDetail(found->second, site.inFeatures, detail.hadamardSeed));
        transforms.push_back(built.to(device.device));
    }
    return transforms;
}

Result<SiteVariant> makeVariant(const SiteAnalysis& site, TransformKind kind,
                                const transform::SiteTransform& siteTransform, const at::Tensor& weight,
                                const at::Tensor& inputs, const OperandScheme& weightScheme,
                                const SensitivitySpec& spec) {
    SiteVariant variant{site.key, siteTransform, siteTransform.applyToWeight(weight), spec.activation, {}};
    const at::Tensor outputs = at::linear(inputs, weight);
    const at::Tensor operand = siteTransform.applyToActivations(inputs);
    OutputError error;
    if (weightScheme.quantizes()) {
        BDQ_TRY(const quant::QuantizedWeight rounded,
                quant::roundWeights(variant.weight, weightScheme, spec.rounding));
        error = quantizedOutputError(outputs, operand, rounded, spec.activation);
        variant.weight = rounded.dequantize();
    } else if (spec.activation.quantizes()) {
        error = outputErrorWithFullWeight(outputs, operand, variant.weight, spec.activation);
    } else {
        error.signal = 1; // nothing is rounded
    }
    if (!std::isfinite(error.signal) || !std::isfinite(error.noise))
        return fail(ErrorCode::NonFinite, siteLabel(site.key) + ": the output has the energy " +
                                              std::to_string(error.signal) + " and the error " +
                                              std::to_string(error.noise) + ", expected finite numbers");
    variant.row.key = site.key;
    variant.row.transform = kind;
    variant.row.weight = weightScheme;
    // An output of zeros has no relative error.
    variant.row.outputError =
        error.signal > 0 ? error.noise / error.signal : std::numeric_limits<double>::quiet_NaN();
    variant.row.predictedError =
        analysis::fromDb(-predictedSqnrDb(site, kind, {weightScheme, spec.activation, {}}, spec.rounding));
    return variant;
}

at::Tensor forwardVariant(const ModelConfig& config, const BlockWeights& weights, const Rope& rope,
                          const at::Tensor& x, const SiteVariant& variant) {
    BlockWeights changed = weights;
    changed.at(variant.key.site) = variant.weight;
    OneSiteHooks hooks(variant);
    return forwardBlock(config, changed, rope, x, hooks);
}

} // namespace bdq
