#include "engine/pipeline/learned_layer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

namespace bdq {
namespace {

quant::RangeFactors rangeFactors(const at::Tensor& clipLogits) {
    if (!clipLogits.defined()) return {};
    const at::Tensor factors = at::sigmoid(clipLogits.detach()).to(at::kCPU);
    return {factors[0].item<float>(), factors[1].item<float>()};
}

} // namespace

Result<LearnedLayer> bakeLayer(const train::TrainableBlock& block) {
    const c10::NoGradGuard guard;
    LearnedLayer layer;
    layer.weights = block.foldedWeights();
    if (block.residualRotation().defined())
        layer.residualRotation = block.residualRotation().detach().to(at::kFloat);
    for (std::size_t i = 0; i < kLinearSites.size(); ++i) {
        if (const auto& site = block.site(kLinearSites[i])) {
            auto baked = site->bake();
            if (!baked) return passOn(std::move(baked).error(), std::string(siteName(kLinearSites[i])));
            layer.transforms[i] = std::move(*baked);
        }
        layer.roundings[i] = block.rounding(kLinearSites[i]).defined()
                                 ? block.rounding(kLinearSites[i]).detach()
                                 : at::Tensor();
        layer.weightClips[i] = block.weightClip(kLinearSites[i]).defined()
                                   ? block.weightClip(kLinearSites[i]).detach()
                                   : at::Tensor();
    }
    if (const auto& keys = block.keyHead()) {
        BDQ_TRY(layer.keyRotation, keys->bake());
    }
    for (std::size_t i = 0; i < layer.activationRanges.size(); ++i)
        layer.activationRanges[i] = rangeFactors(block.activationClip(static_cast<Site>(i)));
    return layer;
}

} // namespace bdq
