#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "engine/transform/duquant.h"
#include "engine/transform/eigen_tensor.h"
#include "tests/engine/quant/random_tensors.h"
#include "tests/engine/train/matrix_of.h"
#include "tests/reference/duquant_reference.h"

namespace bdq::transform {
namespace {

// 256 products of orthogonal matrices in double, each off by about 2^-53 sqrt(k).
constexpr double kTolerance = 1e-11;

double largestDifference(const at::Tensor& found, const reference::Rows& expected) {
    double largest = 0;
    const reference::Rows rows = test::matrixOf(found);
    for (std::size_t i = 0; i < expected.size(); ++i)
        for (std::size_t j = 0; j < expected[i].size(); ++j)
            largest = std::max(largest, std::abs(rows[i][j] - expected[i][j]));
    return largest;
}

double peak(const at::Tensor& x) {
    return (x.max() - x.min()).item<double>();
}

at::Tensor rotated(const at::Tensor& x, const at::Tensor& rotation) {
    return at::mm(x.reshape({-1, rotation.size(0)}), rotation).view(x.sizes());
}

TEST(DuQuant, BlocksDivideTheChannels) {
    EXPECT_EQ(duQuantBlock(4096), 128);
    EXPECT_EQ(duQuantBlock(1536), 128);
    EXPECT_EQ(duQuantBlock(576), 64);
    EXPECT_EQ(duQuantBlock(40), 8);
    EXPECT_EQ(duQuantBlock(7), 1);
}

TEST(DuQuant, TheBaseIsOrthogonalAndSpreadsChannelZero) {
    for (const std::int64_t k : {2, 8, 64, 128}) {
        const Eigen::MatrixXd base = duQuantBase(k, 5);
        const Eigen::MatrixXd one = Eigen::MatrixXd::Identity(k, k);
        EXPECT_LT((base * base.transpose() - one).cwiseAbs().maxCoeff(), 1e-13) << k;
        // The first column is that of the Hadamard matrix: all inputs count there with the same weight.
        EXPECT_LT((base.col(0).cwiseAbs().array() - 1 / std::sqrt(static_cast<double>(k))).abs().maxCoeff(),
                  1e-15);
    }
    EXPECT_NE(duQuantBase(8, 1), duQuantBase(8, 2));
    EXPECT_EQ(duQuantBase(8, 1), duQuantBase(8, 1));
}

TEST(DuQuant, GreedyStepsEqualThePlainLoops) {
    for (const std::int64_t k : {4, 16}) {
        const at::Tensor x = test::outliers(12, 48, 7, at::kDouble);
        const Eigen::MatrixXd base = duQuantBase(k, 3);
        const at::Tensor before = x.clone();
        const at::Tensor found = greedyRotation(x, base);
        EXPECT_TRUE(at::equal(x, before));
        const auto expected =
            reference::greedyRotation(test::matrixOf(x), test::matrixOf(tensorOf(base)), kDuQuantSteps);
        EXPECT_LT(largestDifference(found, expected), kTolerance) << k;
    }
}

TEST(DuQuant, RotationsSpreadAnOutlier) {
    at::Tensor x = test::normal({64, 256}, 9, at::kDouble);
    x.select(1, 37).mul_(100);
    const DuQuantRotations fitted = fitDuQuant(x, 128, 11);
    const at::Tensor one = at::eye(128, at::kDouble);
    EXPECT_LT((fitted.first.matmul(fitted.first.t()) - one).abs().max().item<double>(), kTolerance);
    EXPECT_LT((fitted.second.matmul(fitted.second.t()) - one).abs().max().item<double>(), kTolerance);
    const at::Tensor once = rotated(x, fitted.first);
    const at::Tensor twice = rotated(once.index_select(1, fitted.permutation), fitted.second);
    // 128 channels share the outlier: ideally a factor sqrt(128) = 11 less.
    EXPECT_LT(peak(once), peak(x) / 4);
    EXPECT_LT(peak(twice), peak(once)); // the permutation gives half of it to the other block
}

TEST(DuQuant, ZigzagDealsForthAndBack) {
    const at::Tensor absmax = at::tensor({1.0, 8.0, 3.0, 6.0, 5.0, 4.0, 7.0, 2.0}, at::kDouble);
    // Descending: 1 6 3 4 5 2 7 0; block 0 gets the 1st, 4th, 5th and 8th.
    const at::Tensor expected = at::tensor({1, 4, 5, 0, 6, 3, 2, 7}, at::kLong);
    EXPECT_TRUE(at::equal(zigzagPermutation(absmax, 4), expected));
    for (const std::int64_t block : {1, 4, 16, 64}) {
        const at::Tensor values = test::normal({192}, 13, at::kDouble).abs();
        const at::Tensor found = zigzagPermutation(values, block);
        const double* first = values.const_data_ptr<double>();
        const auto reference = reference::zigzag({first, first + 192}, static_cast<std::size_t>(block));
        EXPECT_TRUE(at::equal(found, at::tensor(at::ArrayRef<std::int64_t>(reference), at::kLong))) << block;
    }
}

// Theorem 2 of the paper: after the permutation the blocks' means of the sorted maxima differ by little.
TEST(DuQuant, ZigzagEvensOutTheBlocks) {
    const at::Tensor values = test::normal({512}, 17, at::kDouble).exp();
    const at::Tensor dealt = values.index_select(0, zigzagPermutation(values, 64)).view({8, 64}).mean(1);
    const at::Tensor plain = values.view({8, 64}).mean(1);
    EXPECT_LT((dealt.max() - dealt.min()).item<double>(), 0.2 * (plain.max() - plain.min()).item<double>());
}

} // namespace
} // namespace bdq::transform
