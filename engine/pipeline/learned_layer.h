// What training decided about one layer, in the form that quantization uses.
#pragma once

#include <array>
#include <optional>

#include "engine/model/block.h"
#include "engine/quant/affine.h"
#include "engine/train/trainable_block.h"
#include "engine/transform/site_transform.h"

namespace bdq {

struct LearnedLayer {
    BlockWeights weights; ///< value head folded in, otherwise in the original space
    std::array<transform::SiteTransform, kLinearSites.size()> transforms;
    std::optional<transform::HeadRotation> keyRotation;
    /// R fp32 [hidden, hidden]: rows of o and down are quantized as R^T W; undefined = as W.
    at::Tensor residualRotation;
    /// Factors on the range of every activation and cache quantizer, by Site.
    std::array<quant::RangeFactors, kLinearSites.size() + kCacheSites.size()> activationRanges;
    /// Learned offsets of transformed weights before they are rounded, in steps of the grid, [out, in];
    /// undefined where not learned.
    std::array<at::Tensor, kLinearSites.size()> roundings;
    /// Logits [2, out, 1] of the clipping of weight rows; undefined where not learned.
    std::array<at::Tensor, kLinearSites.size()> weightClips;
};

/// Errors: NonFinite when a learned matrix cannot be inverted, naming the site.
Result<LearnedLayer> bakeLayer(const train::TrainableBlock& block);

} // namespace bdq
