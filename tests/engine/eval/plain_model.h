// The weights of an open model as the plain model of tests/reference.
#pragma once

#include <ATen/ATen.h>

#include "engine/model/weights.h"
#include "tests/reference/language_model.h"

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

inline reference::LanguageModel plainModel(const ModelWeights& weights) {
    const ModelConfig& config = weights.config();
    reference::LanguageModel model;
    model.embedding = toMatrix(weights.embedding(at::kCPU).value());
    model.head = toMatrix(weights.head(at::kCPU).value());
    model.norm = toMatrix(weights.finalNorm(at::kCPU).value());
    for (int layer = 0; layer < config.layers; ++layer)
        model.blocks.push_back(toMatrices(config, weights.block(layer, at::kCPU).value()));
    model.shape = {static_cast<std::size_t>(config.heads), static_cast<std::size_t>(config.kvHeads),
                   static_cast<std::size_t>(config.headDim), config.ropeTheta, config.normEpsilon};
    return model;
}

} // namespace bdq::testing
