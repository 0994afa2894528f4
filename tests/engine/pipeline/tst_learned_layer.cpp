// What training saw is what the run writes: a baked layer rounds to the weights of the trainable block.
#include <gtest/gtest.h>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "engine/pipeline/learned_layer.h"
#include "engine/quant/quantized_weight.h"
#include "engine/train/clipped_quantizer.h"
#include "tests/engine/model/random_block.h"

namespace bdq {
namespace {

// A transform and its inverse in fp32 against the baked one from fp64: a few codes on the boundary between
// two grid points may fall to the other side.
constexpr double kOtherCodes = 2e-3;

TEST(LearnedLayer, RoundsAsTrainingDid) {
    const ModelConfig config = testing::smallConfig();
    const BlockWeights weights = testing::randomBlock(config, 1);
    const Scheme scheme = parseScheme("W3A3").value();
    train::BlockStart start;
    start.schemes.fill(scheme);
    start.learnRounding = true;
    for (Site site : kLinearSites)
        start.sites[static_cast<std::size_t>(site)] =
            train::LearnedSite::create(weights.at(site).size(1), {}, {.blockSize = 16}, at::kCPU).value();
    train::TrainableBlock block(config, weights, std::move(start));
    const c10::NoGradGuard guard;
    std::uint64_t seed = 1;
    for (const auto parameters :
         {&train::TrainableBlock::transformParameters, &train::TrainableBlock::clippingParameters,
          &train::TrainableBlock::roundingParameters})
        for (at::Tensor& parameter : (block.*parameters)())
            parameter.add_(testing::randomTensor(parameter.sizes().vec(), ++seed) * 0.2);
    block.limitRounding();
    const LearnedLayer layer = bakeLayer(block).value();
    for (std::size_t i = 0; i < kLinearSites.size(); ++i) {
        auto site = *block.site(kLinearSites[i]);
        site.prepare();
        const at::Tensor plain = site.applyToWeight(weights.linear[i]);
        const at::Tensor trained = train::clippedQuantize(
            plain + train::roundingOffset(block.rounding(kLinearSites[i]), plain, scheme.weight,
                                          block.weightClip(kLinearSites[i])),
            scheme.weight, block.weightClip(kLinearSites[i]), true);
        at::Tensor transformed = layer.transforms[i].applyToWeight(layer.weights.linear[i]);
        transformed = transformed + train::roundingOffset(layer.roundings[i], transformed, scheme.weight,
                                                          layer.weightClips[i]);
        const train::ClippedRanges ranges =
            train::clippedRanges(transformed, scheme.weight, layer.weightClips[i]);
        const at::Tensor written =
            quant::roundWeights(transformed, scheme.weight, ranges.low, ranges.high)->dequantize();
        const at::Tensor step = train::clippedStep(plain, scheme.weight, block.weightClip(kLinearSites[i]));
        EXPECT_LT((trained - written).abs().gt(step * 0.5).to(at::kDouble).mean().item<double>(), kOtherCodes)
            << siteName(kLinearSites[i]);
        const at::Tensor nearest =
            train::clippedQuantize(plain, scheme.weight, block.weightClip(kLinearSites[i]), true);
        EXPECT_GT((trained - nearest).abs().gt(step * 0.5).to(at::kDouble).mean().item<double>(), 0.02)
            << "the offsets decide something";
    }
}

} // namespace
} // namespace bdq
