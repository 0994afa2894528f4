#include "engine/eval/model_ends.h"

#include <ATen/ATen.h>

#include "engine/model/block.h"

namespace bdq {

Result<ModelEnds> ModelEnds::load(const ModelWeights& weights, const ComputeDevice& device) {
    ModelEnds ends;
    BDQ_TRY(ends.embedding, weights.embedding(device.device));
    if (weights.config().tiedEmbedding) {
        ends.head = ends.embedding;
    } else {
        BDQ_TRY(ends.head, weights.head(device.device));
    }
    BDQ_TRY(ends.norm, weights.finalNorm(device.device));
    ends.normEpsilon = weights.config().normEpsilon;
    return ends;
}

at::Tensor ModelEnds::finalNorm(const at::Tensor& hidden) const {
    return rmsNorm(hidden, norm, normEpsilon);
}

double residentHiddenBytes(const ComputeDevice& device) {
    constexpr double kCpuBytes = 1e9;
    constexpr double kDeviceBytes = 8e9;
    return device.isCuda() ? kDeviceBytes : kCpuBytes;
}

} // namespace bdq
