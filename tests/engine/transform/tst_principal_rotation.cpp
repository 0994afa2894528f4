// OSTQuant's start of rotations, and the parts of a site transform that fold into the residual stream.
#include <limits>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "engine/transform/principal_rotation.h"
#include "engine/transform/site_transform.h"
#include "tests/engine/quant/random_tensors.h"
#include "tests/engine/train/matrix_of.h"

namespace bdq::transform {
namespace {

using test::largestDifference;
using test::matrixOf;
using test::normal;
using test::orthogonalityError;

constexpr std::int64_t kChannels = 12;
// Two eigensolvers in fp64 on a matrix of condition 30 with gaps of 5 %: 2^-53 / gap, margin 1000.
constexpr double kAxes = 1e-11;
constexpr double kExact = 1e-12;
constexpr double kStored = 1e-6; ///< a rotation rounded to fp32: 2^-24 sqrt(12), margin 5

at::Tensor rows(std::uint64_t seed) {
    return normal({200, kChannels}, seed, at::kDouble) * (1 + at::arange(kChannels, at::kDouble)) + 3;
}

TEST(PrincipalRotation, CovarianceIsThatOfCentredRowsOfAllCalls) {
    RowCovariance sums;
    sums.add(rows(1).narrow(0, 0, 70));
    sums.add(rows(1).narrow(0, 70, 130));
    EXPECT_LT(largestDifference(sums.covariance(), test::tensorOf(reference::covariance(matrixOf(rows(1))))),
              1e-9); // sums of 200 squares up to 1500
}

TEST(PrincipalRotation, IsThePlainPrincipalAxesTimesTheHadamard) {
    RowCovariance sums;
    sums.add(rows(2));
    const at::Tensor rotation = principalRotation(sums.covariance(), 7).value();
    EXPECT_LT(orthogonalityError(rotation), kExact);
    const at::Tensor hadamard = hadamardMatrix(kChannels, 7).value();
    EXPECT_LT(orthogonalityError(hadamard), kExact);
    const at::Tensor axes = test::tensorOf(reference::principalAxes(matrixOf(sums.covariance())));
    EXPECT_LT(largestDifference(at::matmul(rotation, hadamard.t()), axes), kAxes);
    EXPECT_GT(largestDifference(at::matmul(rotation, hadamardMatrix(kChannels, 8).value().t()), axes), 0.1);
}

TEST(PrincipalRotation, SpreadsEveryAxisOverAllChannels) {
    RowCovariance sums;
    sums.add(rows(3));
    const at::Tensor rotation = principalRotation(sums.covariance(), 9).value();
    const at::Tensor turned = rotation.t().matmul(sums.covariance()).matmul(rotation).diagonal();
    // H D H^T of a diagonal D has the mean of D everywhere on its diagonal.
    EXPECT_LT(largestDifference(turned, turned.mean().expand_as(turned)), 1e-9);
}

TEST(PrincipalRotation, RefusesNonsense) {
    const at::Tensor broken = at::full({4, 4}, std::numeric_limits<double>::quiet_NaN(), at::kDouble);
    EXPECT_EQ(principalRotation(broken, 1).error().code, ErrorCode::NonFinite);
    EXPECT_EQ(hadamardMatrix(0, 1).error().code, ErrorCode::InvalidSpec);
}

TransformParts foldedParts() {
    TransformParts parts;
    parts.diagonal = normal({kChannels}, 4, at::kDouble).exp();
    parts.rotation = hadamardMatrix(kChannels, 5).value();
    parts.outerDiagonal = normal({kChannels}, 6, at::kDouble).exp();
    return parts;
}

TEST(FoldedParts, ActAfterEverythingElse) {
    const TransformParts parts = foldedParts();
    const SiteTransform made = SiteTransform::create(kChannels, parts).value();
    const at::Tensor x = rows(7);
    const at::Tensor expected = at::matmul(x * parts.diagonal, parts.rotation) * parts.outerDiagonal;
    EXPECT_LT(largestDifference(made.applyToActivations(x), expected), 100 * kStored); // entries up to 100
    const at::Tensor weight = at::matmul(x / parts.diagonal, parts.rotation) / parts.outerDiagonal;
    EXPECT_LT(largestDifference(made.applyToWeight(x), weight), 1000 * kStored);
    EXPECT_EQ(made.onlineMultiplies(), 0);
    EXPECT_NE(made.describe().find("rotation of the residual stream (folded)"), std::string::npos);
    EXPECT_FALSE(made.isIdentity());
}

TEST(FoldedParts, PreserveTheProductAndCanBeUndone) {
    const SiteTransform made = SiteTransform::create(kChannels, foldedParts()).value();
    const at::Tensor x = rows(8);
    const at::Tensor w = normal({9, kChannels}, 9, at::kDouble);
    const at::Tensor expected = x.matmul(w.t());
    const at::Tensor found = made.applyToActivations(x).matmul(made.applyToWeight(w).t());
    EXPECT_LT(((found - expected).norm() / expected.norm()).item<double>(), kStored);
    EXPECT_LT(largestDifference(made.revertActivations(made.applyToActivations(x)), x), 100 * kStored);
    EXPECT_LT(largestDifference(made.revertWeight(made.applyToWeight(w)), w), 10 * kStored);
    const SiteTransform again = SiteTransform::create(kChannels, made.parts()).value();
    EXPECT_TRUE(at::equal(again.applyToActivations(x), made.applyToActivations(x)));
}

TEST(FoldedParts, RefuseWhatIsNoRotation) {
    TransformParts parts = foldedParts();
    parts.rotation = parts.rotation * 1.01;
    EXPECT_EQ(SiteTransform::create(kChannels, parts).error().code, ErrorCode::NonFinite);
    parts.rotation = at::eye(kChannels + 1, at::kDouble);
    EXPECT_EQ(SiteTransform::create(kChannels, parts).error().code, ErrorCode::ShapeMismatch);
    parts = foldedParts();
    parts.outerDiagonal[3] = 0;
    EXPECT_EQ(SiteTransform::create(kChannels, parts).error().code, ErrorCode::NonFinite);
    parts.outerDiagonal = at::ones({kChannels - 1}, at::kDouble);
    EXPECT_EQ(SiteTransform::create(kChannels, parts).error().code, ErrorCode::ShapeMismatch);
}

} // namespace
} // namespace bdq::transform
