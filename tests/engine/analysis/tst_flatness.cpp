#include "engine/analysis/flatness.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/reference/analysis_flatness.h"
#include "tests/reference/analysis_random.h"

namespace bdq::analysis {
namespace {

// Sums of up to 1e5 positive terms in double: relative error below 1e5 * 2^-53 ~ 1e-11; observed 1e-14.
constexpr double kSumTolerance = 1e-11;

double literalFlatness(const Eigen::MatrixXd& w) {
    return reference::flatness(
        reference::energyShares(w, Eigen::VectorXd::Zero(w.rows()), Eigen::VectorXd::Zero(w.cols())));
}

TEST(EntropyFlatness, HandComputed) {
    // Energies 1, 1, 2 of 4: p = 1/4, 1/4, 1/2.
    const auto f = entropyFlatness(Eigen::RowVector3d(1, -1, std::sqrt(2.0)));
    ASSERT_TRUE(f);
    EXPECT_NEAR(f->value, -1.5 * std::log(2.0), 1e-15);
    EXPECT_NEAR(f->bound, -std::log(3.0), 1e-15);
    EXPECT_NEAR(f->normalized, 1 - 1.5 * std::log(2.0) / std::log(3.0), 1e-15);
}

TEST(EntropyFlatness, EndsOfTheRange) {
    EXPECT_NEAR(entropyFlatness(Eigen::MatrixXd::Constant(7, 9, -3.5))->normalized, 0.0, 1e-14);
    Eigen::MatrixXd single = Eigen::MatrixXd::Zero(7, 9);
    single(3, 4) = -2;
    EXPECT_DOUBLE_EQ(entropyFlatness(single)->normalized, 1.0);
    EXPECT_DOUBLE_EQ(entropyFlatness(single)->value, 0.0);
    EXPECT_DOUBLE_EQ(entropyFlatness(Eigen::MatrixXd::Constant(1, 1, 5.0))->normalized, 0.0);
}

TEST(EntropyFlatness, MatchesDefinitionAndIgnoresScale) {
    const Eigen::MatrixXd w = reference::Random(1).heavyTailed(50, 33, 1.0);
    const double expected = literalFlatness(w);
    EXPECT_NEAR(entropyFlatness(w)->value, expected, kSumTolerance);
    EXPECT_NEAR(entropyFlatness(w * 1e180)->value, expected,
                kSumTolerance); // squares overflow without normalisation
    EXPECT_NEAR(entropyFlatness(w * 1e-180)->value, expected, kSumTolerance);
}

TEST(EntropyFlatness, MergedSumsEqualOnePass) {
    const Eigen::MatrixXd w = reference::Random(2).heavyTailed(40, 30, 0.7);
    FlatnessSums left, right;
    for (Eigen::Index i = 0; i < w.size(); ++i)
        (i % 3 == 0 ? left : right).add(w.reshaped()[i]);
    left.add(0.0);
    left.merge(right);
    EXPECT_EQ(left.count, 1201);
    EXPECT_NEAR(entropyFlatness(left)->value, entropyFlatness(w)->value, kSumTolerance);
    EXPECT_NEAR(entropyFlatness(left)->bound, -std::log(1201.0), 1e-15);
}

TEST(EntropyFlatness, ZerosHaveNoValue) {
    const auto zeros = entropyFlatness(Eigen::MatrixXd::Zero(2, 3));
    ASSERT_TRUE(zeros) << zeros.error().text();
    EXPECT_TRUE(std::isnan(zeros->value));
    EXPECT_TRUE(std::isnan(zeros->normalized));
    EXPECT_NEAR(zeros->bound, -std::log(6.0), 1e-15);
    const auto channels = channelFlatness(Eigen::VectorXd::Zero(4));
    ASSERT_TRUE(channels) << channels.error().text();
    EXPECT_EQ(channels->value, 0);
    EXPECT_TRUE(std::isnan(channels->normalized));
}

TEST(EntropyFlatness, RefusesWhatHasNoFlatness) {
    EXPECT_EQ(entropyFlatness(FlatnessSums{}).error().code, ErrorCode::ShapeMismatch);
    EXPECT_EQ(entropyFlatness(Eigen::MatrixXd(0, 3)).error().code, ErrorCode::ShapeMismatch);
    Eigen::MatrixXd bad = Eigen::MatrixXd::Ones(2, 3);
    bad(1, 2) = std::numeric_limits<double>::quiet_NaN();
    const auto result = entropyFlatness(bad);
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().message.find("row 1, column 2"), std::string::npos) << result.error().message;
}

TEST(ChannelFlatness, ClosedFormEqualsDefinition) {
    const Eigen::VectorXd d = reference::Random(3).logNormal(576, 1.2);
    const auto f = channelFlatness(d);
    ASSERT_TRUE(f);
    EXPECT_NEAR(f->value, reference::channelFlatnessClosedForm(d), 1e-11 * d.norm());
    const double cosine = d.sum() / (std::sqrt(576.0) * d.norm());
    EXPECT_NEAR(f->normalized, std::sqrt(2 * (1 - cosine)), 1e-11);
    EXPECT_NEAR(channelFlatness(d * 1e170)->normalized, f->normalized, 1e-14);
}

TEST(ChannelFlatness, FlatAndSingleChannel) {
    EXPECT_NEAR(channelFlatness(Eigen::VectorXd::Constant(1000, 0.3))->normalized, 0.0, 1e-15);
    Eigen::VectorXd single = Eigen::VectorXd::Zero(4);
    single[2] = 6; // cos t = 1/2, so normalized = 1 and value = 6
    EXPECT_NEAR(channelFlatness(single)->value, 6.0, 1e-14);
    EXPECT_EQ(channelFlatness(Eigen::Vector2d(1, -1)).error().code, ErrorCode::NonFinite);
}

TEST(Figure2Flatness, HandComputed) {
    // alpha = (1.5, 2), beta = (2, 1.5): q = 1/3, 4/2.25, 9/4, 1/3 by hand.
    const Eigen::MatrixXd w{{1, 2}, {-3, 1}};
    const auto term = [](double q) { return q * std::log(q); };
    EXPECT_NEAR(*figure2Flatness(w), term(1 / 3.0) + term(16 / 9.0) + term(9 / 4.0) + term(1 / 3.0), 1e-14);
}

TEST(Figure2Flatness, GaussianGrowsByAConstantPerEntry) {
    // E[q ln q] of q = g^2 pi/2 is 1.855 (design/bdq.md 3.5); 250,000 samples with deviation ~5 give +-0.03
    // at 3 sigma.
    const Eigen::MatrixXd w = reference::Random(4).gaussian(500, 500);
    EXPECT_NEAR(*figure2Flatness(w) / static_cast<double>(w.size()), 1.855, 0.03);
}

TEST(Figure2Flatness, ZeroLinesCountNothing) {
    Eigen::MatrixXd w = reference::Random(5).gaussian(6, 5);
    w.row(2).setZero();
    w.col(4).setZero();
    EXPECT_TRUE(std::isfinite(*figure2Flatness(w)));
    EXPECT_DOUBLE_EQ(*figure2Flatness(Eigen::MatrixXd::Zero(3, 3)), 0.0);
}

} // namespace
} // namespace bdq::analysis
