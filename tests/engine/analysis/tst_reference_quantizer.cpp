#include "engine/analysis/reference_quantizer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/reference/analysis_random.h"

namespace bdq::analysis {
namespace {

TEST(ReferenceQuantizer, SymmetricByHand) {
    // absmax 7 at 4 bits: step 1. 0.5, 1.5, 2.5 go to the even neighbour.
    Eigen::MatrixXd row(1, 7);
    row << 7, 0.5, 1.5, 2.5, -0.5, -1.5, -6.6;
    const auto q = quantizeRows(row, {4});
    ASSERT_TRUE(q);
    EXPECT_EQ(q->codes, (Eigen::MatrixXi(1, 7) << 7, 0, 2, 2, 0, -2, -7).finished());
    EXPECT_DOUBLE_EQ(q->scales(0, 0), 1.0);
    EXPECT_EQ(q->zeros(0, 0), 0);
}

TEST(ReferenceQuantizer, AsymmetricByHand) {
    // Range -1..2 at 2 bits: step 1, zero point 1.
    const auto q = quantizeRows(Eigen::RowVector4d(-1, 0.4, 1.5, 2), {2, RangeRule::Asymmetric});
    ASSERT_TRUE(q);
    EXPECT_EQ(q->codes, (Eigen::MatrixXi(1, 4) << 0, 1, 3, 3).finished());
    EXPECT_EQ(q->zeros(0, 0), 1);
    EXPECT_EQ(q->values, (Eigen::MatrixXd(1, 4) << -1, 0, 2, 2).finished());
    // An all-positive row keeps 0 in its range.
    const auto positive = quantizeRows(Eigen::RowVector2d(3, 1.1), {2, RangeRule::Asymmetric});
    EXPECT_DOUBLE_EQ(positive->scales(0, 0), 1.0);
    EXPECT_EQ(positive->zeros(0, 0), 0);
}

TEST(ReferenceQuantizer, LowestCodeOnlyWhenClipped) {
    const Eigen::MatrixXd x = reference::Random(41).gaussian(64, 256);
    const auto plain = quantizeRows(x, {4});
    EXPECT_EQ(plain->codes.minCoeff(), -7);
    EXPECT_EQ(plain->codes.maxCoeff(), 7);
    const auto clipped = quantizeRows(x, {4, RangeRule::Symmetric, Operand::Activation, 0, 0.5});
    EXPECT_EQ(clipped->codes.minCoeff(), -8);
    EXPECT_EQ(clipped->codes.maxCoeff(), 7);
}

TEST(ReferenceQuantizer, ZeroRowsAndFloors) {
    const Eigen::MatrixXd zero = Eigen::MatrixXd::Zero(1, 5);
    EXPECT_DOUBLE_EQ(quantizeRows(zero, {4, RangeRule::Symmetric, Operand::Activation})->scales(0, 0), 1.0);
    EXPECT_DOUBLE_EQ(quantizeRows(zero, {4})->scales(0, 0), 1e-5 / 7);
    EXPECT_DOUBLE_EQ(quantizeRows(Eigen::MatrixXd::Constant(1, 5, 1e-7), {4})->scales(0, 0), 1e-5 / 7);
    const auto asymmetric = quantizeRows(zero, {4, RangeRule::Asymmetric});
    EXPECT_DOUBLE_EQ(asymmetric->scales(0, 0), 2.0 / 15);
    EXPECT_EQ(asymmetric->zeros(0, 0), 8); // 7.5 to even
    EXPECT_EQ(asymmetric->values, zero);
}

class EveryScheme : public testing::TestWithParam<std::tuple<int, RangeRule, int>> {};

TEST_P(EveryScheme, ErrorWithinHalfAStepAndIdempotent) {
    const auto [bits, rule, columns] = GetParam();
    const Eigen::MatrixXd x = reference::Random(42).heavyTailed(9, columns, 0.5);
    const QuantizerSpec spec{bits, rule, Operand::Activation, 8, 1.0};
    const auto q = quantizeRows(x, spec);
    ASSERT_TRUE(q);
    EXPECT_EQ(q->scales.cols(), (columns + 7) / 8);
    for (Eigen::Index i = 0; i < x.rows(); ++i)
        for (Eigen::Index j = 0; j < x.cols(); ++j) {
            const double step = q->scales(i, j / 8);
            // Asymmetric: rounding the zero point may move an end of the grid by another half step.
            const double limit = rule == RangeRule::Symmetric ? 0.5 : 1.0;
            EXPECT_LE(std::abs(q->values(i, j) - x(i, j)), limit * step * (1 + 1e-12));
            EXPECT_DOUBLE_EQ(q->values(i, j), (q->codes(i, j) - q->zeros(i, j / 8)) * step);
        }
    const auto again = quantizeRows(q->values, spec);
    EXPECT_LT((again->values - q->values).cwiseAbs().maxCoeff(), 1e-12 * x.cwiseAbs().maxCoeff());
}

INSTANTIATE_TEST_SUITE_P(All, EveryScheme,
                         testing::Combine(testing::Values(2, 3, 4, 8),
                                          testing::Values(RangeRule::Symmetric, RangeRule::Asymmetric),
                                          testing::Values(1, 7, 8, 9, 20)));

TEST(ReferenceQuantizer, GroupsAreIndependentRows) {
    const Eigen::MatrixXd x = reference::Random(43).gaussian(3, 20);
    const auto whole = quantizeRows(x, {4, RangeRule::Symmetric, Operand::Weight, 8});
    const auto last = quantizeRows(x.rightCols(4), {4});
    EXPECT_EQ(whole->codes.rightCols(4), last->codes);
    EXPECT_EQ(whole->scales.col(2), last->scales.col(0));
    EXPECT_EQ(quantizeRows(x, {4, RangeRule::Symmetric, Operand::Weight, 64})->codes,
              quantizeRows(x, {4})->codes);
}

double norm24(const Eigen::MatrixXd& error) {
    return error.cwiseAbs().array().pow(2.4).sum();
}

TEST(ClipScan, KeepsTheBestOfAllRatiosPerRow) {
    const Eigen::MatrixXd w = reference::Random(44).heavyTailed(6, 100, 0.6);
    for (const RangeRule rule : {RangeRule::Symmetric, RangeRule::Asymmetric}) {
        const auto scan = quantizeRowsClipScan(w, {3, rule});
        ASSERT_TRUE(scan);
        for (Eigen::Index row = 0; row < w.rows(); ++row) {
            double best = std::numeric_limits<double>::infinity();
            for (int i = 0; i < 80; ++i) {
                const QuantizerSpec fixed{3, rule, Operand::Weight, 0, 1 - i / 100.0};
                best = std::min(best, norm24(quantizeRows(w.row(row), fixed)->values - w.row(row)));
            }
            EXPECT_DOUBLE_EQ(norm24(scan->values.row(row) - w.row(row)), best);
        }
        EXPECT_LT(scan->clipRatio.minCoeff(), 1.0);
    }
}

TEST(ClipScan, LeavesARepresentableRowAlone) {
    Eigen::MatrixXd row(1, 4);
    row << 7, -3, 1, 0;
    const auto q = quantizeRowsClipScan(row, {4});
    EXPECT_DOUBLE_EQ(q->clipRatio(0, 0), 1.0);
    EXPECT_EQ(q->values, row);
}

TEST(ReferenceQuantizer, RefusesBadInput) {
    const Eigen::MatrixXd x = Eigen::MatrixXd::Ones(2, 2);
    EXPECT_EQ(quantizeRows(x, {1}).error().code, ErrorCode::InvalidSpec);
    EXPECT_EQ(quantizeRows(x, {16}).error().code, ErrorCode::InvalidSpec);
    EXPECT_EQ(quantizeRows(x, {4, RangeRule::Symmetric, Operand::Weight, -1}).error().code,
              ErrorCode::InvalidSpec);
    EXPECT_EQ(quantizeRows(x, {4, RangeRule::Symmetric, Operand::Weight, 0, 0.0}).error().code,
              ErrorCode::InvalidSpec);
    EXPECT_EQ(quantizeRows(Eigen::MatrixXd(2, 0), {4}).error().code, ErrorCode::ShapeMismatch);
    EXPECT_EQ(quantizeRows(x * std::numeric_limits<double>::infinity(), {4}).error().code,
              ErrorCode::NonFinite);
}

} // namespace
} // namespace bdq::analysis
