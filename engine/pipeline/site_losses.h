// From gradients of one site to its estimated losses under one transform.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "engine/api/site_analysis.h"
#include "engine/transform/site_transform.h"

namespace bdq {

/// What a backward pass leaves at a site; fp32 on one device, all in the original space.
struct SiteGradients {
    at::Tensor inputs;          ///< x [sequences * tokens, n]
    at::Tensor inputGradients;  ///< u [labels, sequences * tokens, n]
    at::Tensor weight;          ///< W [out, n]
    at::Tensor weightGradients; ///< G [labels * sequences, out, n], each of one whole sequence
    std::int64_t labels = 0;
    std::int64_t predicted = 0; ///< tokens that predict something, over all sequences
};

/// Loss by bits of both operands, and the sums of squared weight errors under searched ranges, weighted with
/// E[x_i^2] (NoiseByBits of TransformAnalysis).
struct SiteLosses {
    LossEstimate loss;
    NoiseByBits weightNoiseSymmetricSearched{};
    NoiseByBits weightNoiseAsymmetricSearched{};
};

SiteLosses siteLosses(const SiteGradients& gradients, const transform::SiteTransform& siteTransform);

} // namespace bdq
