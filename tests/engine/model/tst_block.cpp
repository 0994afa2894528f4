#include <gtest/gtest.h>

#include "tests/engine/model/random_block.h"
#include "tests/reference/reference_block.h"

namespace bdq {
namespace {

// A few hundred fp32 additions per output, each off by at most 2^-24 of terms of the result's own size: 300 *
// 6e-8.
constexpr double kFp32Tolerance = 2e-5;

reference::Matrix toMatrix(const at::Tensor& x) {
    const at::Tensor wide = x.to(at::kDouble).contiguous();
    const std::size_t columns = static_cast<std::size_t>(wide.size(-1));
    const std::size_t rows = static_cast<std::size_t>(wide.numel()) / columns;
    return {rows, columns, {wide.const_data_ptr<double>(), wide.const_data_ptr<double>() + wide.numel()}};
}

at::Tensor toTensor(const reference::Matrix& matrix) {
    return at::tensor(matrix.values, at::kDouble)
        .view({1, static_cast<std::int64_t>(matrix.rows), static_cast<std::int64_t>(matrix.columns)});
}

reference::BlockMatrices toMatrices(const ModelConfig& config, const BlockWeights& weights) {
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

TEST(Block, AgreesWithPlainLoops) {
    const ModelConfig config = testing::smallConfig();
    const BlockWeights weights = testing::randomBlock(config, 1);
    const at::Tensor x = testing::randomTensor({1, 17, config.hiddenSize}, 99);
    BlockHooks none;
    const at::Tensor found = forwardBlock(config, weights, Rope::create(config, 17, at::kCPU), x, none);
    const reference::Matrix expected =
        reference::block(toMatrix(x), toMatrices(config, weights),
                         {static_cast<std::size_t>(config.heads), static_cast<std::size_t>(config.kvHeads),
                          static_cast<std::size_t>(config.headDim), config.ropeTheta, config.normEpsilon});
    EXPECT_LT(testing::relativeError(found, toTensor(expected)), kFp32Tolerance);
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

TEST(Block, CacheContinuesTheSequence) {
    const ModelConfig config = testing::smallConfig();
    const BlockWeights weights = testing::randomBlock(config, 3);
    const at::Tensor x = testing::randomTensor({2, 12, config.hiddenSize}, 6);
    const Rope rope = Rope::create(config, 12, at::kCPU);
    BlockHooks none;
    const at::Tensor whole = forwardBlock(config, weights, rope, x, none);
    const std::vector<std::int64_t> shape{2, config.kvHeads, 12, config.headDim};
    KvCache cache{at::empty(shape), at::empty(shape), 0};
    for (std::int64_t position = 0; position < 12; ++position) {
        const at::Tensor step =
            forwardBlock(config, weights, rope.slice(position, 1), x.narrow(1, position, 1), none, &cache);
        EXPECT_LT(testing::relativeError(step, whole.narrow(1, position, 1)), kFp32Tolerance) << position;
    }
    EXPECT_EQ(cache.length, 12);
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
