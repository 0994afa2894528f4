#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "tests/engine/model/plain_block.h"
#include "tests/engine/model/random_block.h"

namespace bdq {
namespace {

using testing::toMatrices;
using testing::toMatrix;

// A few hundred fp32 additions per output, each off by at most 2^-24 of terms of the result's own size: 300 *
// 6e-8.
constexpr double kFp32Tolerance = 2e-5;

// Central differences with step h err by h^2 times a third derivative (seen: 1e4) and by 2^-52 |loss| / h;
// h = 1e-6 leaves 1e-8 of each.
constexpr double kStep = 1e-6;
constexpr double kGradientTolerance = 1e-7;

at::Tensor toTensor(const reference::Matrix& matrix) {
    return at::tensor(matrix.values, at::kDouble)
        .view({1, static_cast<std::int64_t>(matrix.rows), static_cast<std::int64_t>(matrix.columns)});
}

void addRelatives(reference::BlockMatrices& matrices, const ModelConfig& config,
                  const BlockWeights& weights) {
    const std::int64_t query = config.heads * config.headDim;
    const std::int64_t cache = config.kvHeads * config.headDim;
    const auto qkv = weights.biasAt(Site::Qkv).split_with_sizes({query, cache, cache});
    const auto gateUp = weights.biasAt(Site::GateUp).chunk(2);
    matrices.qBias = toMatrix(qkv[0]);
    matrices.kBias = toMatrix(qkv[1]);
    matrices.vBias = toMatrix(qkv[2]);
    matrices.oBias = toMatrix(weights.biasAt(Site::O));
    matrices.gateBias = toMatrix(gateUp[0]);
    matrices.upBias = toMatrix(gateUp[1]);
    matrices.downBias = toMatrix(weights.biasAt(Site::Down));
    matrices.queryNorm = toMatrix(weights.queryNorm);
    matrices.keyNorm = toMatrix(weights.keyNorm);
}

void expectAgreementWithPlainLoops(bool relatives) {
    ModelConfig config = testing::smallConfig();
    BlockWeights weights = testing::randomBlock(config, 1);
    reference::BlockMatrices matrices = toMatrices(config, weights);
    if (relatives) {
        config.ropeDivisors = {1, 1.5, 3, 8};
        testing::addRelatives(weights, config, 5);
        addRelatives(matrices, config, weights);
    }
    const at::Tensor x = testing::randomTensor({1, 17, config.hiddenSize}, 99);
    BlockHooks none;
    const at::Tensor found = forwardBlock(config, weights, Rope::create(config, 17, at::kCPU), x, none);
    const reference::Matrix expected =
        reference::block(toMatrix(x), matrices,
                         {static_cast<std::size_t>(config.heads), static_cast<std::size_t>(config.kvHeads),
                          static_cast<std::size_t>(config.headDim), config.ropeTheta, config.normEpsilon,
                          static_cast<std::size_t>(weights.window), config.ropeDivisors});
    EXPECT_LT(testing::relativeError(found, toTensor(expected)), kFp32Tolerance);
}

TEST(Block, AgreesWithPlainLoops) {
    const c10::InferenceMode guard;
    expectAgreementWithPlainLoops(false);
    expectAgreementWithPlainLoops(true);
}

TEST(Block, AgreesWithPlainLoopsInGradientMode) {
    expectAgreementWithPlainLoops(false);
    expectAgreementWithPlainLoops(true);
}

std::vector<at::Tensor*> tensorsOf(BlockWeights& weights) {
    std::vector<at::Tensor*> tensors{&weights.attentionNorm, &weights.mlpNorm, &weights.queryNorm,
                                     &weights.keyNorm};
    for (std::size_t i = 0; i < kLinearSites.size(); ++i)
        tensors.insert(tensors.end(), {&weights.linear[i], &weights.bias[i]});
    return tensors;
}

// The gradients of sum(c * block(x)) with respect to x and to every weight, along random directions.
TEST(Block, GradientsAgreeWithFiniteDifferences) {
    const ModelConfig config = testing::smallConfig();
    BlockWeights weights = testing::randomBlock(config, 5);
    testing::addRelatives(weights, config, 3);
    for (at::Tensor* tensor : tensorsOf(weights))
        *tensor = tensor->to(at::kDouble);
    const Rope rope = Rope::create(config, 6, at::kCPU);
    at::Tensor x = testing::randomTensor({2, 6, config.hiddenSize}, 8).to(at::kDouble);
    const at::Tensor c = testing::randomTensor({2, 6, config.hiddenSize}, 9).to(at::kDouble);
    std::vector<at::Tensor*> variables = tensorsOf(weights);
    variables.push_back(&x);
    const auto loss = [&] {
        BlockHooks none;
        return (forwardBlock(config, weights, rope, x, none) * c).sum();
    };
    std::vector<at::Tensor> leaves;
    for (at::Tensor* variable : variables)
        leaves.push_back(variable->requires_grad_());
    const std::vector<at::Tensor> gradients = torch::autograd::grad({loss()}, leaves);
    const c10::AutoGradMode inPlace(false); // the differences also show that both branches compute the same
    for (std::size_t i = 0; i < variables.size(); ++i) {
        const at::Tensor at0 = variables[i]->detach();
        const at::Tensor direction = testing::randomTensor(at0.sizes().vec(), 20 + i).to(at::kDouble);
        *variables[i] = at0 + kStep * direction;
        const double above = loss().item<double>();
        *variables[i] = at0 - kStep * direction;
        const double below = loss().item<double>();
        *variables[i] = at0;
        const double expected = (above - below) / (2 * kStep);
        const double found = (gradients[i] * direction).sum().item<double>();
        EXPECT_NEAR(found, expected, kGradientTolerance * std::max(1.0, std::abs(expected))) << i;
    }
}

TEST(Block, SequencesOfABatchDoNotMix) {
    const ModelConfig config = testing::smallConfig();
    const BlockWeights weights = testing::randomBlock(config, 2);
    const at::Tensor x = testing::randomTensor({3, 9, config.hiddenSize}, 5);
    const Rope rope = Rope::create(config, 9, at::kCPU);
    BlockHooks none;
    const at::Tensor together = forwardBlock(config, weights, rope, x, none);
    for (std::int64_t i = 0; i < 3; ++i)
        EXPECT_LT(testing::relativeError(forwardBlock(config, weights, rope, x.narrow(0, i, 1), none),
                                         together.narrow(0, i, 1)),
                  kFp32Tolerance);
}

// Through the cache in chunks of `step` tokens.
void expectCacheContinues(const BlockWeights& weights, std::int64_t step) {
    const ModelConfig config = testing::smallConfig();
    const at::Tensor x = testing::randomTensor({2, 12, config.hiddenSize}, 6);
    const Rope rope = Rope::create(config, 12, at::kCPU);
    BlockHooks none;
    const at::Tensor whole = forwardBlock(config, weights, rope, x, none);
    const std::vector<std::int64_t> shape{2, config.kvHeads, 12, config.headDim};
    KvCache cache{at::empty(shape), at::empty(shape), 0};
    for (std::int64_t position = 0; position < 12; position += step) {
        const at::Tensor part = forwardBlock(config, weights, rope.slice(position, step),
                                             x.narrow(1, position, step), none, &cache);
        EXPECT_LT(testing::relativeError(part, whole.narrow(1, position, step)), kFp32Tolerance) << position;
    }
    EXPECT_EQ(cache.length, 12);
}

TEST(Block, CacheContinuesTheSequence) {
    const ModelConfig config = testing::smallConfig();
    BlockWeights weights = testing::randomBlock(config, 3);
    for (const std::int64_t step : {1, 3, 4})
        expectCacheContinues(weights, step);
    testing::addRelatives(weights, config, 5);
    for (const std::int64_t step : {1, 3, 4})
        expectCacheContinues(weights, step);
}

TEST(Block, TheWindowEndsTheReach) {
    const ModelConfig config = testing::smallConfig();
    BlockWeights weights = testing::randomBlock(config, 3);
    weights.window = 4;
    at::Tensor x = testing::randomTensor({1, 9, config.hiddenSize}, 7);
    const Rope rope = Rope::create(config, 9, at::kCPU);
    BlockHooks none;
    const at::Tensor before = forwardBlock(config, weights, rope, x, none);
    x.narrow(1, 2, 1).add_(1);
    const at::Tensor change = (forwardBlock(config, weights, rope, x, none) - before).abs().amax({0, 2});
    for (std::int64_t token = 0; token < 9; ++token)
        EXPECT_EQ(change[token].item<double>() > 1e-3, token >= 2 && token < 6) << token;
}

TEST(Block, LaterTokensDoNotReachEarlierOnes) {
    const ModelConfig config = testing::smallConfig();
    const BlockWeights weights = testing::randomBlock(config, 4);
    at::Tensor x = testing::randomTensor({1, 10, config.hiddenSize}, 7);
    const Rope rope = Rope::create(config, 10, at::kCPU);
    BlockHooks none;
    const at::Tensor before = forwardBlock(config, weights, rope, x, none);
    x = x.clone();
    x.narrow(1, 9, 1).add_(1);
    const at::Tensor after = forwardBlock(config, weights, rope, x, none);
    EXPECT_LT(testing::relativeError(after.narrow(1, 0, 9), before.narrow(1, 0, 9)), kFp32Tolerance);
    EXPECT_GT(testing::relativeError(after.narrow(1, 9, 1), before.narrow(1, 9, 1)), 1e-2);
}

TEST(Block, CountsTheMultiplications) {
    const ModelConfig config = testing::smallConfig();
    // Per token: q, o 48 x 48 each, k, v 16 x 48 each, gate, up, down 96 x 48 each; attention 2 * 48 * window
    // / 2.
    const double perToken = 2.0 * (2 * 48 * 48 + 2 * 16 * 48 + 3 * 96 * 48 + 48 * 10);
    EXPECT_DOUBLE_EQ(blockFlops(config, 10, 10), 10 * perToken);
}

} // namespace
} // namespace bdq
