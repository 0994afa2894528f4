#include "engine/pipeline/cache_rotation.h"

#include <ATen/ATen.h>

#include "engine/pipeline/site_analyzer.h"

namespace bdq {

Result<CacheRotation> rotateCache(const ModelConfig& config, const MethodInfo& method, const Plan& plan,
                                  std::uint64_t jobSeed, int layer, const ComputeDevice& device,
                                  BlockWeights& weights) {
    CacheRotation rotation;
    const bool quantized =
        plan.at({layer, Site::KCache}).kv.quantizes() || plan.at({layer, Site::VCache}).kv.quantizes();
    if (!method.rotateKv || !quantized) return rotation;
    rotation.seed = siteSeed(jobSeed, {layer, Site::KCache});
    BDQ_TRY(const transform::HeadRotation keys,
            transform::HeadRotation::create(config.headDim, rotation.seed));
    rotation.keys = keys.to(device.device);
    BDQ_TRY(const transform::HeadRotation values,
            transform::HeadRotation::create(config.headDim, siteSeed(jobSeed, {layer, Site::VCache})));

    at::Tensor& qkv = weights.at(Site::Qkv);
    const std::int64_t cacheRows = config.kvHeads * config.headDim;
    const std::int64_t valueRow = qkv.size(0) - cacheRows;
    at::Tensor& bias = weights.biasAt(Site::Qkv);
    const at::Tensor valueBias = bias.defined() ? bias.narrow(0, valueRow, cacheRows) : at::Tensor();
    BDQ_TRY(const transform::FoldedValues folded,
            transform::foldValueRotation(qkv.narrow(0, valueRow, cacheRows), weights.at(Site::O), valueBias,
                                         values.to(device.device), config.heads, config.kvHeads));
    qkv.narrow(0, valueRow, cacheRows).copy_(folded.valueWeight);
    weights.at(Site::O) = folded.outputWeight;
    if (bias.defined()) bias = at::cat({bias.narrow(0, 0, valueRow), folded.valueBias});
    return rotation;
}

} // namespace bdq
