// A small random block for tests.
#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "engine/model/block.h"

namespace bdq::testing {

inline ModelConfig smallConfig() {
    ModelConfig config;
    config.architecture = "llama";
    config.layers = 1;
    config.hiddenSize = 48;
    config.intermediateSize = 96;
    config.heads = 6;
    config.kvHeads = 2;
    config.headDim = 8;
    config.vocabSize = 100;
    config.ropeTheta = 10000;
    config.normEpsilon = 1e-5;
    return config;
}

inline at::Tensor randomTensor(at::IntArrayRef shape, std::uint64_t seed, double scale = 1) {
    at::Generator generator = at::detail::createCPUGenerator(seed);
    return at::randn(shape, generator, at::TensorOptions().dtype(at::kFloat)) * scale;
}

/// Weights of size 1/sqrt(in), so that every stage keeps its input's order of magnitude.
inline BlockWeights randomBlock(const ModelConfig& config, std::uint64_t seed) {
    const auto weight = [&](std::int64_t out, std::int64_t in, std::uint64_t part) {
        return randomTensor({out, in}, seed * 16 + part, 1 / std::sqrt(static_cast<double>(in)));
    };
    const std::int64_t query = config.heads * config.headDim;
    const std::int64_t cache = config.kvHeads * config.headDim;
    BlockWeights weights;
    weights.attentionNorm = 1 + randomTensor({config.hiddenSize}, seed * 16, 0.2);
    weights.mlpNorm = 1 + randomTensor({config.hiddenSize}, seed * 16 + 1, 0.2);
    weights.at(Site::Qkv) = weight(query + 2 * cache, config.hiddenSize, 2);
    weights.at(Site::O) = weight(config.hiddenSize, query, 3);
    weights.at(Site::GateUp) = weight(2 * config.intermediateSize, config.hiddenSize, 4);
    weights.at(Site::Down) = weight(config.hiddenSize, config.intermediateSize, 5);
    return weights;
}

/// Adds everything that relatives of LLaMA have: biases at every site, norms of query and key heads, a
/// window.
inline void addRelatives(BlockWeights& weights, const ModelConfig& config, std::int64_t window) {
    for (Site site : kLinearSites)
        weights.biasAt(site) =
            randomTensor({weights.at(site).size(0)}, 700 + static_cast<std::uint64_t>(site), 0.5);
    weights.queryNorm = 1 + randomTensor({config.headDim}, 710, 0.2);
    weights.keyNorm = 1 + randomTensor({config.headDim}, 711, 0.2);
    weights.window = window;
}

inline double relativeError(const at::Tensor& found, const at::Tensor& expected) {
    const at::Tensor wide = expected.to(at::kDouble);
    return ((found.to(at::kDouble) - wide).norm() / wide.norm()).item<double>();
}

} // namespace bdq::testing
