#include "engine/analysis/closed_forms.h"

#include <cmath>

#include <gtest/gtest.h>

#include "engine/analysis/hadamard.h"
#include "engine/analysis/sqnr_model.h"
#include "tests/reference/analysis_cat.h"
#include "tests/reference/analysis_random.h"

namespace bdq::analysis {
namespace {

using reference::alignmentAfter;

// Second moments of 64 channels with condition numbers up to 1e6: Cholesky and SVD keep 1e-16 * 1e4 (a square
// root of the condition) in T and its inverse, 1e-12 in their product.
constexpr double kInverse = 1e-11;
constexpr double kRelative = 1e-9;

/// The reference check of design/cat_wush.md 4: correlated x with spread channels.
struct Moments {
    Eigen::MatrixXd x, w, sx, sw;

    explicit Moments(Eigen::Index n = 64, std::uint64_t seed = 31) {
        reference::Random random(seed);
        const Eigen::Index tokens = 8 * n;
        x = random.gaussian(tokens, n) * random.gaussian(n, n) * random.logNormal(n, 1.0).asDiagonal();
        w = random.gaussian(n + 16, n) * random.logNormal(n, 1.0).asDiagonal();
        sx = x.transpose() * x / static_cast<double>(tokens);
        sw = w.transpose() * w;
    }
};

double largest(const Eigen::MatrixXd& matrix) {
    return matrix.cwiseAbs().maxCoeff();
}

TEST(CatDiagonal, ReachesTheDiagonalBound) {
    const Moments m;
    const auto scale = catDiagonal(m.sw.diagonal(), m.sx.diagonal());
    ASSERT_TRUE(scale);
    EXPECT_TRUE(scale->dead.empty());
    EXPECT_NEAR(scale->scale.array().log().sum(), 0.0, 1e-12);
    const double reached = alignmentAfter(m.sx, m.sw, scale->scale.asDiagonal().toDenseMatrix());
    const double bound = (m.sx * m.sw).trace() /
                         std::pow((m.sx.diagonal().cwiseProduct(m.sw.diagonal())).cwiseSqrt().sum(), 2);
    EXPECT_NEAR(reached / bound, 1.0, kRelative);
    EXPECT_NEAR(*alignmentBound(m.sx, m.sw, 1) / bound, 1.0, kRelative);
}

TEST(CatDiagonal, PrintedSquareRootFails) {
    // cat_wush.md 3.1(3): the printed sqrt(E[x^2] / ||W||^2) as T loses alignment, its inverse changes
    // nothing.
    const Moments m;
    const Eigen::VectorXd printed = (m.sx.diagonal().array() / m.sw.diagonal().array()).sqrt();
    const double none = *alignment(m.sx, m.sw);
    const double fourthRoot = alignmentAfter(
        m.sx, m.sw, catDiagonal(m.sw.diagonal(), m.sx.diagonal())->scale.asDiagonal().toDenseMatrix());
    EXPECT_LT(reference::decibel(alignmentAfter(m.sx, m.sw, printed.asDiagonal().toDenseMatrix())),
              reference::decibel(none) - 10);
    EXPECT_NEAR(alignmentAfter(m.sx, m.sw, printed.cwiseInverse().asDiagonal().toDenseMatrix()) / none, 1.0,
                kRelative);
    EXPECT_GT(reference::decibel(fourthRoot), reference::decibel(none) + 3);
}

TEST(CatDiagonal, IsALocalMaximum) {
    const Moments m(16, 32);
    const Eigen::VectorXd best = catDiagonal(m.sw.diagonal(), m.sx.diagonal())->scale;
    const double reached = alignmentAfter(m.sx, m.sw, best.asDiagonal().toDenseMatrix());
    for (Eigen::Index i = 0; i < 16; ++i)
        for (const double factor : {0.9, 1.1}) {
            Eigen::VectorXd other = best;
            other[i] *= factor;
            EXPECT_LT(alignmentAfter(m.sx, m.sw, other.asDiagonal().toDenseMatrix()), reached);
        }
}

TEST(CatDiagonal, ReportsDeadChannelsAndStaysFinite) {
    const Eigen::Vector4d weight(1, 0, 2, 3), input(1, 1, 0, 2);
    const auto scale = catDiagonal(weight, input);
    ASSERT_TRUE(scale);
    EXPECT_EQ(scale->dead, (std::vector<std::int64_t>{1, 2}));
    EXPECT_TRUE(scale->scale.allFinite());
    EXPECT_GT(scale->scale.minCoeff(), 0);
    EXPECT_NEAR(scale->scale[0] / scale->scale[3], std::pow(1.0 / (3.0 / 2.0), 0.25),
                1e-14); // live ones are exact
    const auto zeros = catDiagonal(Eigen::Vector2d::Zero(), Eigen::Vector2d(1, 16));
    ASSERT_TRUE(zeros) << zeros.error().text();
    EXPECT_NEAR(zeros->scale[0] / zeros->scale[1], 2, 1e-14) << "the inputs alone";
    EXPECT_EQ(zeros->dead.size(), 2U);
    EXPECT_EQ(catDiagonal(Eigen::Vector2d::Zero(), Eigen::Vector2d::Zero())->scale, Eigen::Vector2d::Ones());
    EXPECT_TRUE(std::isnan(alignmentBound(Eigen::Matrix2d::Zero(), Eigen::Matrix2d::Identity(), 2).value()));
    EXPECT_EQ(catDiagonal(Eigen::Vector2d::Ones(), Eigen::Vector3d::Ones()).error().code,
              ErrorCode::ShapeMismatch);
}

TEST(SmoothQuantDiagonal, IsTheInverseOfTheDivisor) {
    const auto scale = smoothQuantDiagonal(Eigen::Vector3d(16, 1, 0), Eigen::Vector3d(4, 1, 1), 0.5);
    ASSERT_TRUE(scale);
    EXPECT_DOUBLE_EQ((*scale)[0], 0.5); // s = 4/2
    EXPECT_DOUBLE_EQ((*scale)[1], 1.0);
    EXPECT_NEAR((*scale)[2], 1 / std::sqrt(1e-5), 1e-9); // absmax floor 1e-5
    EXPECT_DOUBLE_EQ((*smoothQuantDiagonal(Eigen::Vector2d(8, 1), Eigen::Vector2d(3, 1), 1.0))[0], 1 / 8.0);
    EXPECT_DOUBLE_EQ((*smoothQuantDiagonal(Eigen::Vector2d(8, 1), Eigen::Vector2d(3, 1), 0.0))[0], 3.0);
    EXPECT_EQ(smoothQuantDiagonal(Eigen::Vector2d(8, 1), Eigen::Vector2d(3, 1), 1.1).error().code,
              ErrorCode::InvalidSpec);
}

TEST(CatBlock, InverseLeavesTheLayerAlone) {
    const Moments m;
    const auto block = catBlock(m.sx, m.sw, 1e-3);
    ASSERT_TRUE(block);
    const Eigen::MatrixXd identity = block->transform * block->inverseTranspose.transpose();
    EXPECT_LT(largest(identity - Eigen::MatrixXd::Identity(64, 64)), kInverse);
    const Eigen::MatrixXd y = m.x * m.w.transpose();
    const Eigen::MatrixXd transformed =
        (m.x * block->transform) * (m.w * block->inverseTranspose).transpose();
    EXPECT_LT(largest(transformed - y), kInverse * largest(y));
}

TEST(CatBlock, BothMomentsBecomeTheSameDiagonal) {
    const Moments m;
    const auto block = catBlock(m.sx, m.sw, 0.0);
    const Eigen::MatrixXd s = block->spectrum.asDiagonal();
    EXPECT_LT(largest(block->transform.transpose() * m.sx * block->transform - s), kRelative * s(0, 0));
    EXPECT_LT(largest(block->inverseTranspose.transpose() * m.sw * block->inverseTranspose - s),
              kRelative * s(0, 0));
}

TEST(CatBlock, HadamardThenGivesAFlatDiagonal) {
    const Moments m;
    const auto block = catBlock(m.sx, m.sw, 0.0);
    const Eigen::MatrixXd h = *denseHadamard(*hadamardPlan(64));
    const auto spread = [&](const Eigen::MatrixXd& moment) -> double {
        return (moment.diagonal().array() / block->spectrum.mean() - 1.0).abs().maxCoeff();
    };
    const Eigen::MatrixXd p = block->transform * h, q = block->inverseTranspose * h;
    EXPECT_LT(spread(p.transpose() * m.sx * p), kRelative);
    EXPECT_LT(spread(q.transpose() * m.sw * q), kRelative);
    const Eigen::MatrixXd symmetric = reference::catSymmetricBlock(m.sx, m.sw) * h;
    EXPECT_GT(spread(symmetric.transpose() * m.sx * symmetric), 0.05); // CAT's own form does not
}

TEST(CatBlock, ReachesTheFullBoundLikeTheSymmetricForm) {
    const Moments m;
    const auto block = catBlock(m.sx, m.sw, 0.0);
    const double bound = *alignmentBound(m.sx, m.sw, 64);
    const Eigen::VectorXd s = (m.w * reference::symmetricPower(m.sx, 0.5)).jacobiSvd().singularValues();
    EXPECT_NEAR(bound / (s.squaredNorm() / (s.sum() * s.sum())), 1.0, kRelative);
    EXPECT_NEAR(alignmentAfter(m.sx, m.sw, block->transform) / bound, 1.0, kRelative);
    EXPECT_NEAR(alignmentAfter(m.sx, m.sw, reference::catSymmetricBlock(m.sx, m.sw)) / bound, 1.0, kRelative);
    EXPECT_GT(bound, *alignment(m.sx, m.sw));
    // The printed bound uses the eigenvalues s^2 themselves: a different number (3.1, item 1).
    const Eigen::VectorXd eigenvalues = s.cwiseAbs2();
    EXPECT_GT(eigenvalues.squaredNorm() / (eigenvalues.sum() * eigenvalues.sum()), 1.2 * bound);
}

TEST(CatBlock, GramIsTheGeometricMean) {
    const Moments m;
    const auto block = catBlock(m.sx, m.sw, 0.0);
    const Eigen::MatrixXd mean = reference::geometricMean(m.sw, m.sx.inverse());
    EXPECT_LT(largest(block->transform * block->transform.transpose() - mean), 1e-8 * largest(mean));
}

TEST(CatBlock, BlocksReachTheBlockBoundWithoutARelativeScale) {
    const Moments m;
    Eigen::MatrixXd p = Eigen::MatrixXd::Zero(64, 64);
    for (Eigen::Index start = 0; start < 64; start += 16) {
        const auto block = catBlock(m.sx.block(start, start, 16, 16), m.sw.block(start, start, 16, 16), 0.0);
        p.block(start, start, 16, 16) = block->transform;
    }
    const double bound = *alignmentBound(m.sx, m.sw, 16);
    EXPECT_NEAR(alignmentAfter(m.sx, m.sw, p) / bound, 1.0, kRelative);
    EXPECT_GT(bound, *alignmentBound(m.sx, m.sw, 1));
    EXPECT_LT(bound, *alignmentBound(m.sx, m.sw, 64));
}

TEST(CatBlock, OneChannelIsTheDiagonal) {
    const auto block =
        catBlock(Eigen::MatrixXd::Constant(1, 1, 4.0), Eigen::MatrixXd::Constant(1, 1, 9.0), 0.0);
    EXPECT_NEAR(std::abs(block->transform(0, 0)), std::pow(9.0 / 4.0, 0.25), 1e-14);
}

TEST(Alignment, IsInvariantUnderRotations) {
    const Moments m;
    const double none = *alignment(m.sx, m.sw);
    EXPECT_NEAR(alignmentAfter(m.sx, m.sw, reference::Random(33).orthogonal(64)) / none, 1.0, kRelative);
    EXPECT_NEAR(alignmentAfter(m.sx, m.sw, *denseHadamard(*hadamardPlan(64))) / none, 1.0, kRelative);
    EXPECT_NEAR(none, (m.x * m.w.transpose()).squaredNorm() / (m.x.squaredNorm() * m.w.squaredNorm()),
                kRelative);
}

TEST(CatBlock, DampingKeepsDeadChannelsAndLowRankDefined) {
    Moments m(16, 34);
    m.sx.row(3).setZero();
    m.sx.col(3).setZero();
    m.sw.row(5).setZero();
    m.sw.col(5).setZero();
    EXPECT_EQ(catBlock(m.sx, m.sw, 0.0).error().code, ErrorCode::NonFinite);
    const auto block = catBlock(m.sx, m.sw, 1e-2);
    ASSERT_TRUE(block);
    EXPECT_LT(
        largest(block->transform * block->inverseTranspose.transpose() - Eigen::MatrixXd::Identity(16, 16)),
        kInverse);
    EXPECT_TRUE(catBlock(Eigen::MatrixXd::Zero(16, 16), m.sw, 1e-2)); // a block no token ever reaches
    EXPECT_TRUE(alignmentBound(m.sx, m.sw, 16));
    EXPECT_DOUBLE_EQ(blockDamping(511), 1e-2);
    EXPECT_DOUBLE_EQ(blockDamping(512), 1e-3);
}

TEST(CatBlock, RefusesBadInput) {
    const Eigen::MatrixXd one = Eigen::MatrixXd::Identity(4, 4);
    Eigen::MatrixXd skew = one;
    skew(0, 1) = 1;
    EXPECT_EQ(catBlock(skew, one, 1e-3).error().code, ErrorCode::ShapeMismatch);
    EXPECT_EQ(catBlock(one, Eigen::MatrixXd::Identity(3, 3), 1e-3).error().code, ErrorCode::ShapeMismatch);
    EXPECT_EQ(catBlock(Eigen::MatrixXd::Ones(4, 3), one, 1e-3).error().code, ErrorCode::ShapeMismatch);
    EXPECT_EQ(catBlock(one, one, -1).error().code, ErrorCode::InvalidSpec);
    EXPECT_EQ(catBlock(-one, one, 1e-3).error().code, ErrorCode::NonFinite);
    EXPECT_EQ(alignmentBound(one, one, 0).error().code, ErrorCode::InvalidSpec);
}

TEST(BdqBlockRotation, DiagonalisesTheSumSoThatHadamardFlattensIt) {
    const Moments m;
    const Eigen::VectorXd d = catDiagonal(m.sw.diagonal(), m.sx.diagonal())->scale;
    const auto o = bdqBlockRotation(m.sx, m.sw, d);
    ASSERT_TRUE(o);
    EXPECT_LT(largest(*o * o->transpose() - Eigen::MatrixXd::Identity(64, 64)), 1e-12);
    Eigen::MatrixXd x = d.asDiagonal() * m.sx * d.asDiagonal();
    Eigen::MatrixXd w = d.cwiseInverse().asDiagonal() * m.sw * d.cwiseInverse().asDiagonal();
    x /= x.trace();
    w /= w.trace();
    const Eigen::MatrixXd sum = o->transpose() * (x + w) * *o;
    EXPECT_LT(largest(sum - Eigen::MatrixXd(sum.diagonal().asDiagonal())), 1e-12);
    const Eigen::MatrixXd h = *denseHadamard(*hadamardPlan(64));
    const auto unevenness = [](const Eigen::MatrixXd& moment) {
        return moment.diagonal().maxCoeff() / moment.diagonal().minCoeff();
    };
    EXPECT_NEAR(unevenness(h.transpose() * sum * h), 1.0, 1e-10);
    EXPECT_GT(unevenness(h.transpose() * (x + w) * h), 1.2); // without O the Hadamard alone does not
    for (Eigen::Index j = 0; j < 64; ++j)
        EXPECT_GT(o->col(j).maxCoeff(), -o->col(j).minCoeff() - 1e-15);
}

TEST(BdqBlockRotation, RefusesBadInput) {
    const Eigen::MatrixXd one = Eigen::MatrixXd::Identity(4, 4);
    EXPECT_EQ(bdqBlockRotation(one, one, Eigen::Vector3d::Ones()).error().code, ErrorCode::ShapeMismatch);
    EXPECT_EQ(bdqBlockRotation(one, one, Eigen::Vector4d::Zero()).error().code, ErrorCode::InvalidSpec);
    EXPECT_TRUE(bdqBlockRotation(Eigen::MatrixXd::Zero(4, 4), one, Eigen::Vector4d::Ones()));
}

} // namespace
} // namespace bdq::analysis
