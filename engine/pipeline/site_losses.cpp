#include "engine/pipeline/site_losses.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "engine/quant/quantized_weight.h"
#include "engine/quant/rounding_losses.h"

namespace bdq {
namespace {

using quant::RoundingLosses;

// Gradient entries that are transformed at once: temporaries of 256 MiB.
constexpr std::int64_t kChunkEntries = std::int64_t{1} << 26;

/// Every tensor [samples, r, n] of rows that fit together.
template <class Visit>
void forRowChunks(std::int64_t rows, std::int64_t n, std::int64_t samples, Visit visit) {
    const std::int64_t step = std::max<std::int64_t>(1, kChunkEntries / (n * samples));
    for (std::int64_t first = 0; first < rows; first += step)
        visit(first, std::min(step, rows - first));
}

NoiseByBits rowOf(const at::Tensor& table, std::int64_t rule) {
    const at::Tensor values = table[rule].contiguous();
    NoiseByBits noise{};
    std::copy_n(values.const_data_ptr<double>(), noise.size(), noise.begin());
    return noise;
}

/// Geometric mean of two sums of squares, as a loss in nats a token.
at::Tensor lossOf(const at::Tensor& one, const at::Tensor& other, const SiteGradients& gradients) {
    const double perToken = 0.5 / static_cast<double>(gradients.predicted * gradients.labels);
    return (one * other).sqrt_().mul_(perToken);
}

void addActivations(const SiteGradients& gradients, const transform::SiteTransform& siteTransform,
                    LossEstimate& loss) {
    const std::int64_t n = gradients.inputs.size(1);
    RoundingLosses sums({{true, false}, {false, false}}, 0.0F, gradients.labels, n,
                        gradients.inputs.device());
    forRowChunks(gradients.inputs.size(0), n, gradients.labels, [&](std::int64_t first, std::int64_t count) {
        // x = x' P^-1, so the gradient by x' is u P^-T: what a weight row gets.
        const at::Tensor part = gradients.inputGradients.narrow(1, first, count).reshape({-1, n});
        sums.add(siteTransform.applyToActivations(gradients.inputs.narrow(0, first, count)).contiguous(),
                 siteTransform.applyToWeight(part).view({gradients.labels, count, n}));
    });
    const at::Tensor table = lossOf(sums.byRow(), sums.independent(), gradients);
    loss.activationSymmetric = rowOf(table, 0);
    loss.activationAsymmetric = rowOf(table, 1);
}

void addWeights(const SiteGradients& gradients, const transform::SiteTransform& siteTransform,
                SiteLosses& losses) {
    const std::int64_t n = gradients.weight.size(1);
    const std::int64_t samples = gradients.weightGradients.size(0);
    RoundingLosses sums({{true, false}, {false, false}, {true, true}, {false, true}},
                        quant::kWeightAbsmaxFloor, samples, n, gradients.weight.device());
    forRowChunks(gradients.weight.size(0), n, samples, [&](std::int64_t first, std::int64_t count) {
        // W = W' P^T, so the gradient by W' is G P: what an activation gets.
        const at::Tensor part = gradients.weightGradients.narrow(1, first, count).reshape({-1, n});
        sums.add(siteTransform.applyToWeight(gradients.weight.narrow(0, first, count)).contiguous(),
                 siteTransform.applyToActivations(part).view({samples, count, n}));
    });
    const at::Tensor table = lossOf(sums.byRow(), sums.byColumn(), gradients);
    losses.loss.weightSymmetric = rowOf(table, 0);
    losses.loss.weightAsymmetric = rowOf(table, 1);
    losses.loss.weightSymmetricSearched = rowOf(table, 2);
    losses.loss.weightAsymmetricSearched = rowOf(table, 3);
    const at::Tensor meanSquare =
        siteTransform.applyToActivations(gradients.inputs).square().mean(0, false, at::kDouble).cpu();
    const at::Tensor noise = at::matmul(sums.squaredErrors(), meanSquare);
    losses.weightNoiseSymmetricSearched = rowOf(noise, 2);
    losses.weightNoiseAsymmetricSearched = rowOf(noise, 3);
}

} // namespace

SiteLosses siteLosses(const SiteGradients& gradients, const transform::SiteTransform& siteTransform) {
    SiteLosses losses;
    addActivations(gradients, siteTransform, losses.loss);
    addWeights(gradients, siteTransform, losses);
    return losses;
}

} // namespace bdq
