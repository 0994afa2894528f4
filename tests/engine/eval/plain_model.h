// The weights of an open model as the plain model of tests/reference.
#pragma once

#include <ATen/ATen.h>

#include "engine/model/weights.h"
#include "tests/engine/model/plain_block.h"
#include "tests/reference/language_model.h"

namespace bdq::testing {

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
