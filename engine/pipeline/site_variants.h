// A block with one of its sites quantized in several ways, the others in full precision.
#pragma once

#include <filesystem>
#include <vector>

#include "engine/api/sensitivity.h"
#include "engine/model/block.h"
#include "engine/model/device.h"
#include "engine/transform/site_transform.h"

namespace bdq {

/// One way of quantizing a site.
struct SiteVariant {
    SiteKey key;
    transform::SiteTransform siteTransform; ///< on the device
    at::Tensor weight;                      ///< rounded and back in fp32, [out, n], transformed space
    OperandScheme activation;
    SensitivityRow row; ///< everything but the divergence
};

/// The transforms of a site that an analysis stored. Errors: the reader's, InvalidSpec when one is missing.
Result<std::vector<transform::SiteTransform>> storedTransforms(const std::filesystem::path& analysisDir,
                                                               const SiteAnalysis& site,
                                                               const std::vector<TransformKind>& kinds,
                                                               const ComputeDevice& device);

/// Rounds `weight` (fp32 [out, n], the site's own) under `siteTransform` and measures the error of its output
/// on `inputs` fp32 [tokens, n]. Errors: roundWeights', NonFinite when the output is not finite.
Result<SiteVariant> makeVariant(const SiteAnalysis& site, TransformKind kind,
                                const transform::SiteTransform& siteTransform, const at::Tensor& weight,
                                const at::Tensor& inputs, const OperandScheme& weightScheme,
                                const SensitivitySpec& spec);

/// Runs `x` through the block with this one site quantized.
at::Tensor forwardVariant(const ModelConfig& config, const BlockWeights& weights, const Rope& rope,
                          const at::Tensor& x, const SiteVariant& variant);

} // namespace bdq
