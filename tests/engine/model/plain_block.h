// The weights of a block as the matrices of the plain loops of tests/reference.
#pragma once

#include <ATen/ATen.h>

#include "engine/model/block.h"
#include "tests/reference/reference_block.h"

namespace bdq::testing {

inline reference::Matrix toMatrix(const at::Tensor& x) {
    const at::Tensor wide = x.to(at::kDouble).contiguous();
    const auto columns = static_cast<std::size_t>(wide.size(-1));
    return {static_cast<std::size_t>(wide.numel()) / columns,
            columns,
            {wide.const_data_ptr<double>(), wide.const_data_ptr<double>() + wide.numel()}};
}

inline reference::BlockMatrices toMatrices(const ModelConfig& config, const BlockWeights& weights) {
    const std::int64_t query = config.heads * config.headDim;
    const std::int64_t cache = config.kvHeads * config.headDim;
    const auto qkv = weights.at(Site::Qkv).split_with_sizes({query, cache, cache});
    const auto gateUp = weights.at(Site::GateUp).chunk(2);
    return {toMatrix(weights.attentionNorm),
            toMatrix(weights.mlpNorm),
            toMatrix(qkv[0]),
            toMatrix(qkv[1]),
            toMatrix(qkv[2]),
            toMatrix(weights.at(Site::O)),
            toMatrix(gateUp[0]),
            toMatrix(gateUp[1]),
            toMatrix(weights.at(Site::Down))};
}

} // namespace bdq::testing
