#include "engine/analysis/hadamard.h"

#include <cmath>

#include <gtest/gtest.h>

#include "engine/analysis/paley.h"
#include "tests/reference/analysis_random.h"

namespace bdq::analysis {
namespace {

/// Entries are +-1, so H H^T is exact in double.
void expectHadamard(const Eigen::MatrixXd& h) {
    const auto n = static_cast<double>(h.rows());
    ASSERT_EQ(h.rows(), h.cols());
    EXPECT_TRUE((h.array().abs() == 1.0).all()) << "order " << n;
    EXPECT_TRUE((h * h.transpose() == n * Eigen::MatrixXd::Identity(h.rows(), h.rows()))) << "order " << n;
}

TEST(Paley, OrdersOfBothConstructions) {
    for (const std::int64_t order : {4, 8, 12, 20, 24, 28, 44, 48, 60, 68, 108, 132, 140, 344})
        EXPECT_EQ(paleyKind(order), PaleyKind::One) << order;
    for (const std::int64_t order : {36, 52, 76, 100, 148})
        EXPECT_EQ(paleyKind(order), PaleyKind::Two) << order;
    for (const std::int64_t order : {1, 2, 6, 16, 40, 92, 116, 156, 172})
        EXPECT_EQ(paleyKind(order), PaleyKind::None) << order;
}

TEST(Paley, EveryOrderUpTo200IsHadamard) { // includes the prime powers 9, 25, 27, 49, 81, 121, 125, 169 as q
    int built = 0;
    for (std::int64_t order = 4; order <= 200; order += 4)
        if (paleyKind(order) != PaleyKind::None) {
            expectHadamard(paleyMatrix(order));
            ++built;
        }
    EXPECT_GE(built, 30);
}

TEST(Hadamard, FactorsMultiplyToTheSize) {
    EXPECT_EQ(hadamardFactors(576), (std::vector<std::int64_t>{12, 12, 4}));
    EXPECT_EQ(hadamardFactors(1536), (std::vector<std::int64_t>{12, 128}));
    EXPECT_EQ(hadamardFactors(1), (std::vector<std::int64_t>{1}));
    EXPECT_EQ(hadamardFactors(11008), (std::vector<std::int64_t>{344, 32}));
    EXPECT_FALSE(hadamardFactors(172));
    EXPECT_FALSE(hadamardFactors(6));
    EXPECT_FALSE(hadamardFactors(0));
}

TEST(Hadamard, DenseMatrices) {
    for (const std::int64_t n : {1, 2, 4, 12, 36, 64, 144, 576, 896})
        expectHadamard(*hadamardMatrix(n));
    EXPECT_EQ(hadamardMatrix(172).error().code, ErrorCode::Unsupported);
    EXPECT_EQ(hadamardMatrix(1LL << 40).error().code, ErrorCode::InvalidSpec);
}

class PlanOfSize : public testing::TestWithParam<std::int64_t> {};

TEST_P(PlanOfSize, IsTwoBalancedHadamardFactors) {
    const auto plan = hadamardPlan(GetParam());
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->size, GetParam());
    EXPECT_FALSE(plan->isBlockFallback());
    ASSERT_EQ(plan->factors.size(), 2U);
    const Eigen::MatrixXd& left = plan->factors[0];
    const Eigen::MatrixXd& right = plan->factors[1];
    expectHadamard(left);
    expectHadamard(right);
    EXPECT_EQ(left.rows() * right.rows(), GetParam());
    EXPECT_LE(left.rows(), right.rows());
    EXPECT_LE(right.rows(), 11 * left.rows()) << left.rows() << " x " << right.rows(); // worst: 32 x 344
}

INSTANTIATE_TEST_SUITE_P(ModelSizes, PlanOfSize,
                         testing::Values(64, 576, 896, 1536, 2048, 2560, 3072, 3584, 4096, 4864, 5120, 5632,
                                         6144, 8192, 8960, 9728, 10752, 11008, 12288, 13824, 14336, 17408,
                                         18944, 25600, 27648, 28672, 29568));

TEST(HadamardPlan, BalancedSizesOfTheDemoModel) {
    EXPECT_EQ(hadamardPlan(576)->factors[0].rows(), 24);
    EXPECT_EQ(hadamardPlan(1536)->factors[0].rows(), 32);
    EXPECT_EQ(hadamardPlan(14336)->factors[0].rows(), 112);
}

TEST(HadamardPlan, BlockFallbackIsNamed) {
    const auto plan = hadamardPlan(13696); // 107 * 128: no known easy order above 128 divides it
    ASSERT_TRUE(plan);
    EXPECT_TRUE(plan->isBlockFallback());
    EXPECT_EQ(plan->blocks, 107);
    EXPECT_EQ(plan->blockSize(), 128);
    EXPECT_EQ(hadamardPlan(7)->blockSize(), 1);
    EXPECT_EQ(hadamardPlan(172)->blockSize(), 4);
    EXPECT_EQ(hadamardPlan(0).error().code, ErrorCode::InvalidSpec);
    EXPECT_EQ(hadamardPlan(kMaxHadamardSize + 1).error().code, ErrorCode::InvalidSpec);
}

TEST(HadamardPlan, ApplyEqualsDenseAndInvertsByTranspose) {
    // Products of n <= 576 terms of size <= 10 / sqrt n: rounding below 1e-13.
    for (const std::int64_t n : {12, 20, 64, 172, 576, 642}) {
        const auto plan = hadamardPlan(n);
        const Eigen::MatrixXd h = *denseHadamard(*plan);
        EXPECT_LT((h * h.transpose() - Eigen::MatrixXd::Identity(n, n)).cwiseAbs().maxCoeff(), 1e-12) << n;
        const Eigen::MatrixXd x = reference::Random(21).gaussian(5, n);
        const auto rotated = applyHadamard(*plan, x);
        ASSERT_TRUE(rotated);
        EXPECT_LT((*rotated - x * h).cwiseAbs().maxCoeff(), 1e-12) << n;
        EXPECT_LT((*rotated * h.transpose() - x).cwiseAbs().maxCoeff(), 1e-12) << n;
        EXPECT_EQ(applyHadamard(*plan, Eigen::MatrixXd::Ones(2, n + 1)).error().code,
                  ErrorCode::ShapeMismatch);
    }
}

TEST(HadamardPlan, SpreadsASingleOutlierEvenly) {
    Eigen::MatrixXd x = Eigen::MatrixXd::Zero(1, 576);
    x(0, 100) = 24;
    const Eigen::MatrixXd y = *applyHadamard(*hadamardPlan(576), x);
    EXPECT_LT((y.cwiseAbs().array() - 1.0).abs().maxCoeff(), 1e-12);
}

TEST(RandomSigns, AreSplitmix64OnEveryPlatform) {
    // Published splitmix64 outputs for seed 1234567: 6457827717110365317, 3203168211198807973,
    // 9817491932198370423, 4593380528125082431, 16408922859458223821; the top bit is set in the third and
    // fifth.
    EXPECT_EQ(randomSigns(5, 1234567), (Eigen::VectorXd(5) << 1, 1, -1, 1, -1).finished());
}

TEST(RandomSigns, AreBalancedAndDependOnTheSeed) {
    const Eigen::VectorXd signs = randomSigns(10000, 1);
    EXPECT_TRUE((signs.array().abs() == 1.0).all());
    EXPECT_LT(std::abs(signs.sum()), 400.0); // 4 standard deviations of 100
    EXPECT_NE(signs, randomSigns(10000, 2));
}

} // namespace
} // namespace bdq::analysis
