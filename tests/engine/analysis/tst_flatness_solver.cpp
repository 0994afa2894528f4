#include "engine/analysis/flatness_solver.h"

#include <cmath>

#include <gtest/gtest.h>

#include "engine/analysis/flatness.h"
#include "tests/reference/analysis_flatness.h"
#include "tests/reference/analysis_random.h"

namespace bdq::analysis {
namespace {

// F is a sum over <= 1e5 terms of size <= 12 nat: rounding of one evaluation stays below 1e-12.
constexpr double kRounding = 1e-12;
// Sweeps run until F changes by less than 1e-15; the scales then are within the square root of that, times a
// margin.
constexpr double kScaleTolerance = 1e-5;

FlatnessOptions tight() {
    return {FlatnessMethod::Exact, 3000, 1e-15};
}

Eigen::MatrixXd heavyTailed96x128() {
    return reference::Random(11).heavyTailed(96, 128, 0.8);
}

Eigen::MatrixXd flattened(const Eigen::MatrixXd& w, const FlatnessSummary& summary) {
    return summary.d1.asDiagonal() * w * summary.d2.asDiagonal();
}

TEST(FlatnessSolver, DescendsMonotonicallyToTheReportedValue) {
    const Eigen::MatrixXd w = heavyTailed96x128();
    const auto summary = solveFlatness(w);
    ASSERT_TRUE(summary);
    EXPECT_EQ(summary->stop, FlatnessStop::Converged);
    EXPECT_NEAR(summary->flatness.front(), entropyFlatness(w)->value, kRounding);
    for (std::size_t sweep = 1; sweep < summary->flatness.size(); ++sweep)
        EXPECT_LE(summary->flatness[sweep], summary->flatness[sweep - 1] + kRounding) << "sweep " << sweep;
    EXPECT_NEAR(summary->flatness.back(), entropyFlatness(flattened(w, *summary))->value, kRounding);
    EXPECT_LT(summary->flatness.back(), summary->flatness.front() - 1.0);
    EXPECT_GE(summary->flatness.back(), -std::log(96.0 * 128.0));
}

TEST(FlatnessSolver, AboutThirtySweepsReachOneMillionth) {
    const auto summary = solveFlatness(heavyTailed96x128(), {FlatnessMethod::Exact, 40, 1e-15});
    const auto limit = solveFlatness(heavyTailed96x128(), tight());
    EXPECT_NEAR(summary->flatness.back(), limit->flatness.back(), 1e-6);
}

TEST(FlatnessSolver, StationarityIdentities) {
    const Eigen::MatrixXd w = heavyTailed96x128();
    const auto summary = solveFlatness(w, tight());
    const Eigen::MatrixXd v = flattened(w, *summary);
    const Eigen::MatrixXd p = v.cwiseAbs2() / v.squaredNorm();
    EXPECT_NEAR(summary->flatness.back(), reference::flatnessFromRowEntropies(p), 1e-9);
    EXPECT_NEAR(summary->flatness.back(), reference::flatnessFromRowEntropies(p.transpose()), 1e-9);
    for (Eigen::Index i = 0; i < p.rows(); ++i) // r_i proportional to exp(H_i)
        EXPECT_NEAR(std::log(p.row(i).sum()),
                    reference::entropyOf(p.row(i).transpose()) + summary->flatness.back(), kScaleTolerance);
    const auto point =
        flatnessAt(w, 2 * summary->d1.array().log().matrix(), 2 * summary->d2.array().log().matrix());
    EXPECT_LT(point->rowGradient.cwiseAbs().maxCoeff(), 1e-7);
    EXPECT_LT(point->columnGradient.cwiseAbs().maxCoeff(), 1e-7);
}

TEST(FlatnessSolver, BeatsSinkhorn) {
    const Eigen::MatrixXd w = heavyTailed96x128();
    const auto exact = solveFlatness(w);
    const auto sinkhorn = solveFlatness(w, {FlatnessMethod::Sinkhorn, 200, 1e-9});
    ASSERT_TRUE(exact && sinkhorn);
    EXPECT_LT(exact->flatness.back(), sinkhorn->flatness.back() - 0.01);
    EXPECT_LT(sinkhorn->flatness.back(), sinkhorn->flatness.front() - 1.0);
    const Eigen::MatrixXd v = flattened(w, *sinkhorn); // Sinkhorn is what it says: equal energies
    EXPECT_NEAR(v.rowwise().squaredNorm().maxCoeff() / v.rowwise().squaredNorm().minCoeff(), 1.0, 1e-3);
    EXPECT_NEAR(v.colwise().squaredNorm().maxCoeff() / v.colwise().squaredNorm().minCoeff(), 1.0, 1e-3);
}

TEST(FlatnessSolver, TransposedInputSwapsTheScales) {
    const Eigen::MatrixXd w = reference::Random(12).heavyTailed(20, 31, 0.4);
    const auto direct = solveFlatness(w, tight());
    const auto swapped = solveFlatness(w.transpose(), tight());
    EXPECT_NEAR(direct->flatness.back(), swapped->flatness.back(), 1e-10);
    EXPECT_LT((direct->d1.array().log() - swapped->d2.array().log()).abs().maxCoeff(), kScaleTolerance);
    EXPECT_LT((direct->d2.array().log() - swapped->d1.array().log()).abs().maxCoeff(), kScaleTolerance);
}

TEST(FlatnessSolver, ScaleOfTheMatrixChangesNothing) {
    const Eigen::MatrixXd w = heavyTailed96x128();
    const auto one = solveFlatness(w);
    const auto other = solveFlatness(w * -3e7);
    EXPECT_NEAR(one->flatness.back(), other->flatness.back(), kRounding);
    EXPECT_LT((one->d1 - other->d1).cwiseAbs().maxCoeff(), 1e-8);
    EXPECT_NEAR(one->d1.array().log().mean(), 0.0, kRounding);
    EXPECT_NEAR(one->d2.array().log().mean(), 0.0, kRounding);
}

TEST(FlatnessSolver, SkipsZeroLines) {
    const Eigen::MatrixXd full = reference::Random(13).heavyTailed(12, 10, 0.5);
    Eigen::MatrixXd padded = Eigen::MatrixXd::Zero(14, 11);
    padded.topLeftCorner(5, 10) = full.topRows(5);
    padded.block(7, 0, 7, 10) = full.bottomRows(7);
    const auto summary = solveFlatness(padded);
    ASSERT_TRUE(summary);
    EXPECT_EQ(summary->zeroRows, (std::vector<std::int64_t>{5, 6}));
    EXPECT_EQ(summary->zeroColumns, (std::vector<std::int64_t>{10}));
    EXPECT_DOUBLE_EQ(summary->d1[5], 1.0);
    EXPECT_DOUBLE_EQ(summary->d2[10], 1.0);
    EXPECT_NEAR(summary->flatness.back(), solveFlatness(full)->flatness.back(), kRounding);
}

TEST(FlatnessSolver, SparseMatrixWithOneEntryPerRow) {
    const Eigen::MatrixXd w = Eigen::Vector4d(1, 10, 100, 1000).asDiagonal();
    const auto summary = solveFlatness(w, tight()); // best: equal energies, F = -ln 4
    EXPECT_NEAR(summary->flatness.back(), -std::log(4.0), 1e-9);
}

TEST(FlatnessAt, GaugeInvariance) {
    reference::Random random(14);
    const Eigen::MatrixXd w = random.heavyTailed(17, 23, 0.6);
    const Eigen::VectorXd a = random.gaussian(17, 1), b = random.gaussian(23, 1);
    const auto one = flatnessAt(w, a, b);
    const auto other = flatnessAt(w, a.array() + 1.7, b.array() - 1.7);
    EXPECT_NEAR(one->value, other->value, kRounding);
    EXPECT_NEAR(one->value, reference::flatness(reference::energyShares(w, a, b)), kRounding);
}

TEST(FlatnessAt, GradientMatchesFiniteDifferences) {
    reference::Random random(15);
    const Eigen::MatrixXd w = random.heavyTailed(9, 7, 0.6);
    const Eigen::VectorXd a = random.gaussian(9, 1), b = random.gaussian(7, 1);
    const auto point = flatnessAt(w, a, b);
    constexpr double kStep =
        1e-5; // central differences: h^2 from the third derivative, 1e-16/h from rounding
    const auto slope = [&](const Eigen::VectorXd& da, const Eigen::VectorXd& db) {
        return (flatnessAt(w, a + kStep * da, b + kStep * db)->value -
                flatnessAt(w, a - kStep * da, b - kStep * db)->value) /
               (2 * kStep);
    };
    for (Eigen::Index i = 0; i < 9; ++i)
        EXPECT_NEAR(point->rowGradient[i], slope(Eigen::VectorXd::Unit(9, i), Eigen::VectorXd::Zero(7)),
                    1e-6);
    for (Eigen::Index j = 0; j < 7; ++j)
        EXPECT_NEAR(point->columnGradient[j], slope(Eigen::VectorXd::Zero(9), Eigen::VectorXd::Unit(7, j)),
                    1e-6);
}

TEST(FlatnessSolver, UsableAtTheSizeOfADownProjection) {
    const Eigen::MatrixXd w = reference::Random(16).heavyTailed(1536, 576, 0.5);
    const auto summary = solveFlatness(w);
    ASSERT_TRUE(summary);
    EXPECT_LT(summary->flatness.back(), summary->flatness.front());
}

TEST(FlatnessSolver, RefusesBadInput) {
    EXPECT_EQ(solveFlatness(Eigen::MatrixXd::Zero(3, 3)).error().code, ErrorCode::NonFinite);
    EXPECT_EQ(solveFlatness(Eigen::MatrixXd(0, 0)).error().code, ErrorCode::ShapeMismatch);
    EXPECT_EQ(solveFlatness(Eigen::MatrixXd::Ones(3, 3), {FlatnessMethod::Exact, 0, 1e-9}).error().code,
              ErrorCode::InvalidSpec);
    EXPECT_EQ(flatnessAt(Eigen::MatrixXd::Ones(3, 3), Eigen::Vector2d::Zero(), Eigen::Vector3d::Zero())
                  .error()
                  .code,
              ErrorCode::ShapeMismatch);
}

} // namespace
} // namespace bdq::analysis
