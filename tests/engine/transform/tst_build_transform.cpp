#include <algorithm>
#include <bit>
#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "engine/quant/affine.h"
#include "engine/quant/quantized_weight.h"
#include "engine/transform/awq.h"
#include "engine/transform/build_transform.h"
#include "engine/transform/duquant.h"
#include "engine/transform/eigen_tensor.h"
#include "tests/engine/quant/random_tensors.h"
#include "tests/reference/analysis_cat.h"

namespace bdq::transform {
namespace {

using test::normal;

constexpr double kDouble = 1e-9; // design/transforms.md 12
const TransformKind kKinds[] = {
    TransformKind::None,       TransformKind::SmoothQuant, TransformKind::Hadamard, TransformKind::CatDiag,
    TransformKind::CatBlock64, TransformKind::CatBlock128, TransformKind::Bdq,      TransformKind::FlatQuant,
    TransformKind::Awq,        TransformKind::DuQuant,     TransformKind::Wush};

/// Correlated inputs with outlier channels, and weights.
struct Layer {
    at::Tensor x;      ///< fp64 [tokens, n]
    at::Tensor weight; ///< fp32 [out, n]
    SiteMoments moments;
};

SiteMoments momentsOf(const at::Tensor& x) {
    const std::int64_t n = x.size(1);
    SiteMoments moments;
    moments.tokens = x.size(0);
    moments.meanSquare = x.square().mean(0);
    moments.absmax = x.abs().amax(0).to(at::kFloat);
    const std::int64_t blocks = (n - 1) / kMomentBlock + 1;
    const at::Tensor padded = at::constant_pad_nd(x, {0, blocks * kMomentBlock - n});
    std::vector<at::Tensor> parts;
    for (std::int64_t i = 0; i < blocks; ++i) {
        const at::Tensor part = padded.narrow(1, i * kMomentBlock, kMomentBlock);
        parts.push_back(part.t().matmul(part) / static_cast<double>(moments.tokens));
    }
    moments.blockMoments = at::stack(parts);
    moments.meanAbs = x.abs().mean(0);
    moments.secondMoment = x.t().matmul(x) / static_cast<double>(moments.tokens);
    moments.sample = x.narrow(0, 0, std::min<std::int64_t>(64, x.size(0))).to(at::kFloat);
    return moments;
}

Layer makeLayer(std::int64_t n, std::int64_t out, std::uint64_t seed) {
    Layer layer;
    const at::Tensor mix = normal({n, n}, seed, at::kDouble) + 3 * at::eye(n, at::kDouble);
    layer.x =
        normal({1000, n}, seed + 1, at::kDouble).matmul(mix) * (normal({n}, seed + 2, at::kDouble)).exp();
    layer.weight = (normal({out, n}, seed + 3) * (0.5 * normal({n}, seed + 4)).exp()) /
                   std::sqrt(static_cast<double>(n));
    layer.moments = momentsOf(layer.x);
    return layer;
}

/// Entry (i, j) is -1 to the number of bits that i and j share.
Eigen::MatrixXd sylvester(int order) {
    Eigen::MatrixXd matrix(order, order);
    for (int i = 0; i < order; ++i)
        for (int j = 0; j < order; ++j)
            matrix(i, j) = std::popcount(static_cast<unsigned>(i & j)) % 2 == 0 ? 1 : -1;
    return matrix;
}

SiteTransform build(TransformKind kind, const Layer& layer) {
    std::vector<std::string> notes;
    return buildTransform(kind, layer.moments, layer.weight, 9, notes).value();
}

/// A(x, W) of CAT Theorem 2.4.
double alignment(const at::Tensor& x, const at::Tensor& weight) {
    const at::Tensor y = x.matmul(weight.t());
    return (y.square().mean(0).sum() / (x.square().mean(0).sum() * weight.square().sum())).item<double>();
}

double sqnrDb(const Layer& layer, const SiteTransform& transform, int bits) {
    const at::Tensor y = layer.x.matmul(layer.weight.to(at::kDouble).t());
    const at::Tensor xq =
        quant::fakeQuantize(transform.applyToActivations(layer.x.to(at::kFloat)), {bits, true, 0});
    const at::Tensor wq = quant::fakeQuantize(transform.applyToWeight(layer.weight), {bits, true, 0});
    const at::Tensor error = y - xq.to(at::kDouble).matmul(wq.to(at::kDouble).t());
    return 10 * std::log10((y.square().sum() / error.square().sum()).item<double>());
}

TEST(BuildTransform, EveryKindLeavesTheProductUnchanged) {
    for (const std::int64_t n : {96, 192, 576}) {
        const Layer layer = makeLayer(n, 40, 1);
        const at::Tensor weight = layer.weight.to(at::kDouble);
        const at::Tensor expected = layer.x.matmul(weight.t());
        for (const TransformKind kind : kKinds) {
            const SiteTransform transform = build(kind, layer);
            const at::Tensor found =
                transform.applyToActivations(layer.x).matmul(transform.applyToWeight(weight).t());
            const double difference = ((found - expected).abs().max() / expected.abs().max()).item<double>();
            EXPECT_LT(difference, kDouble) << transformInfo(kind).id << " n " << n;
        }
    }
}

TEST(BuildTransform, AlignmentGrowsWithTheBlocks) {
    const Layer layer = makeLayer(256, 300, 11);
    const at::Tensor weight = layer.weight.to(at::kDouble);
    const auto reached = [&](TransformKind kind) {
        const SiteTransform transform = build(kind, layer);
        return alignment(transform.applyToActivations(layer.x), transform.applyToWeight(weight));
    };
    const double none = reached(TransformKind::None);
    EXPECT_NEAR(reached(TransformKind::Hadamard) / none, 1.0, 1e-6); // rotations leave it unchanged
    const double diagonal = reached(TransformKind::CatDiag);
    EXPECT_GT(diagonal, none);
    EXPECT_NEAR(reached(TransformKind::Bdq) / diagonal, 1.0, 1e-4); // O is orthogonal to fp32's rounding
    EXPECT_GT(reached(TransformKind::CatBlock64), diagonal);
    EXPECT_GT(reached(TransformKind::CatBlock128), reached(TransformKind::CatBlock64));
}

// CAT (arXiv 2603.04359) k = 1 is optimal among diagonals: A_diag of design/cat_wush.md 3.1(3).
TEST(BuildTransform, CatDiagonalReachesItsBound) {
    const Layer layer = makeLayer(128, 100, 21);
    const at::Tensor weight = layer.weight.to(at::kDouble);
    const SiteTransform transform = build(TransformKind::CatDiag, layer);
    const double reached = alignment(transform.applyToActivations(layer.x), transform.applyToWeight(weight));
    const at::Tensor sx = layer.x.square().mean(0);
    const at::Tensor sw = weight.square().sum(0);
    const at::Tensor y = layer.x.matmul(weight.t()).square().mean(0).sum();
    const double bound = (y / (sx * sw).sqrt().sum().square()).item<double>();
    EXPECT_NEAR(reached / bound, 1.0, 1e-6); // d is rounded to fp32
}

// Blocks make both second moments the same diagonal, so a channel's energy is equal on both sides:
// design/cat_wush.md 4.
TEST(BuildTransform, CatBlocksBalanceBothSides) {
    const Layer layer = makeLayer(192, 400, 31);
    for (const TransformKind kind : {TransformKind::CatBlock64, TransformKind::CatBlock128}) {
        TransformDetail detail;
        build(kind, layer).toDetail(detail);
        detail.hadamard = false;
        const auto blocks = SiteTransform::fromDetail(detail, 192, 0).value();
        const at::Tensor sx = blocks.applyToActivations(layer.x).square().mean(0);
        const at::Tensor sw = blocks.applyToWeight(layer.weight.to(at::kDouble)).square().sum(0);
        // The damping of 1e-3 of the mean moves weak directions.
        const double agreement = ((sx - sw).abs().sum() / sx.sum()).item<double>();
        EXPECT_LT(agreement, 0.1) << transformInfo(kind).id;
    }
}

TEST(BuildTransform, MeasuredQualityRisesFromNoneToBlocks) {
    const Layer layer = makeLayer(256, 256, 41);
    const double none = sqnrDb(layer, build(TransformKind::None, layer), 4);
    const double hadamard = sqnrDb(layer, build(TransformKind::Hadamard, layer), 4);
    const double diagonal = sqnrDb(layer, build(TransformKind::CatDiag, layer), 4);
    const double block = sqnrDb(layer, build(TransformKind::CatBlock128, layer), 4);
    EXPECT_GT(sqnrDb(layer, build(TransformKind::SmoothQuant, layer), 4), none);
    EXPECT_GT(hadamard, none);
    EXPECT_GT(diagonal, hadamard);
    EXPECT_GT(block, diagonal);
    EXPECT_GT(sqnrDb(layer, build(TransformKind::Bdq, layer), 4), hadamard);
    EXPECT_GT(sqnrDb(layer, build(TransformKind::DuQuant, layer), 4), none);
    EXPECT_GT(sqnrDb(layer, build(TransformKind::Wush, layer), 4), hadamard);
}

TEST(BuildTransform, BdqHasUnitGeometricMeanAndOrthogonalBlocks) {
    const Layer layer = makeLayer(160, 64, 51); // two blocks of 64 and one of 32
    TransformDetail detail;
    build(TransformKind::Bdq, layer).toDetail(detail);
    ASSERT_EQ(detail.diagonal.size(), 160U);
    double logarithms = 0;
    for (const float d : detail.diagonal)
        logarithms += std::log(static_cast<double>(d));
    EXPECT_NEAR(logarithms / 160, 0.0, 1e-6); // d is rounded to fp32
    EXPECT_EQ(detail.blockSize, 64);
    ASSERT_EQ(detail.blocks.size(), 2U * 64 * 64 + 32 * 32);
    // O^-T = O up to the rounding of O to fp32.
    for (std::size_t i = 0; i < detail.blocks.size(); ++i)
        EXPECT_NEAR(detail.blocks[i], detail.inverseBlocks[i], 1e-5F);
    EXPECT_TRUE(detail.hadamard);
}

TEST(BuildTransform, SmoothQuantFollowsItsFormula) {
    const Layer layer = makeLayer(40, 20, 61);
    TransformDetail detail;
    build(TransformKind::SmoothQuant, layer).toDetail(detail);
    const at::Tensor inputs = layer.x.abs().amax(0);
    const at::Tensor weights = layer.weight.abs().amax(0);
    for (std::int64_t i = 0; i < 40; ++i) {
        const double expected = std::sqrt(weights[i].item<double>()) / std::sqrt(inputs[i].item<double>());
        EXPECT_NEAR(static_cast<double>(detail.diagonal[static_cast<std::size_t>(i)]) / expected, 1.0, 1e-6);
    }
    EXPECT_FALSE(detail.hadamard);
}

// Start of FlatQuant's channel scale: max|W|^(1 - alpha) / max|x|^alpha with alpha = 0.3
// (design/transforms.md 3.4).
TEST(BuildTransform, FlatQuantStartsAtTheInverseSmoothQuantDivisor) {
    const Layer layer = makeLayer(40, 20, 62);
    TransformDetail detail;
    build(TransformKind::FlatQuant, layer).toDetail(detail);
    const at::Tensor inputs = layer.x.abs().amax(0);
    const at::Tensor weights = layer.weight.abs().amax(0);
    for (std::int64_t i = 0; i < 40; ++i) {
        const double expected =
            std::pow(weights[i].item<double>(), 0.7) / std::pow(inputs[i].item<double>(), 0.3);
        EXPECT_NEAR(static_cast<double>(detail.diagonal[static_cast<std::size_t>(i)]) / expected, 1.0, 1e-6);
    }
    EXPECT_FALSE(detail.hadamard);
    EXPECT_TRUE(detail.blocks.empty());
}

// WUSH (arXiv 2512.00956) as printed: T_x = H S^-1/2 U^T W'^T from the lower Cholesky factors of the damped
// moments of one block and the SVD of W'^T X'; rows of the reduced transform are known up to their sign.
TEST(BuildTransform, WushIsThePapersForm) {
    const Layer layer = makeLayer(128, 200, 63);
    TransformDetail detail;
    build(TransformKind::Wush, layer).toDetail(detail);
    ASSERT_EQ(detail.blockSize, 64);
    EXPECT_FALSE(detail.hadamard);
    const double rho = 1e-3; // 1000 tokens
    for (std::int64_t block = 0; block < 2; ++block) {
        const auto damped = [&](const Eigen::MatrixXd& moment) {
            const Eigen::MatrixXd part = moment.block(block * 64, block * 64, 64, 64);
            return Eigen::MatrixXd(part + rho * part.trace() / 64 * Eigen::MatrixXd::Identity(64, 64));
        };
        const Eigen::MatrixXd mx = damped(matrixOf(layer.moments.secondMoment));
        const at::Tensor weight = layer.weight.to(at::kDouble);
        const Eigen::MatrixXd mw = damped(matrixOf(weight.t().matmul(weight)));
        const Eigen::MatrixXd wl = mw.llt().matrixL();
        const Eigen::MatrixXd xl = mx.llt().matrixL();
        const Eigen::JacobiSVD<Eigen::MatrixXd> svd(wl.transpose() * xl,
                                                    Eigen::ComputeFullU | Eigen::ComputeFullV);
        const Eigen::VectorXd s = svd.singularValues();
        const Eigen::MatrixXd reduced =
            s.array().rsqrt().matrix().asDiagonal() * svd.matrixU().transpose() * wl.transpose();
        // Rows of our block are P = T_x^T = reduced^T H^T.
        const at::Tensor p = at::tensor(at::ArrayRef<float>(detail.blocks)).view({2, 64, 64})[block];
        const Eigen::MatrixXd tx = matrixOf(p).transpose();
        const Eigen::MatrixXd hadamard = sylvester(64) / 8;
        const Eigen::MatrixXd found = hadamard.transpose() * tx;
        for (Eigen::Index row = 0; row < 64; ++row) {
            const double sign = found.row(row).dot(reduced.row(row)) < 0 ? -1 : 1;
            // fp32 blocks: 2^-24 of the largest entry, summed over 64 by the Hadamard.
            EXPECT_LT((sign * found.row(row) - reduced.row(row)).cwiseAbs().maxCoeff(),
                      1e-5 * reduced.cwiseAbs().maxCoeff());
        }
        // Both second moments are H S H^T, with constant diagonal mean(S).
        const Eigen::MatrixXd flat = tx * mx * tx.transpose();
        EXPECT_LT((flat.diagonal().array() - s.mean()).abs().maxCoeff(), 1e-4 * s.mean());
        const Eigen::MatrixXd tw = tx.inverse().transpose();
        EXPECT_LT((tw * mw * tw.transpose() - flat).cwiseAbs().maxCoeff(), 1e-4 * s.mean());
        // T^T T = Sw # Sx^-1: what CAT aligns with.
        const Eigen::MatrixXd mean = reference::geometricMean(mw, mx.inverse());
        EXPECT_LT((tx.transpose() * tx - mean).cwiseAbs().maxCoeff(), 1e-5 * mean.cwiseAbs().maxCoeff());
    }
}

TEST(BuildTransform, WushFollowsTheGroupsOfTheWeights) {
    const Layer layer = makeLayer(192, 40, 64);
    const auto blockOf = [&](std::int64_t group) {
        std::vector<std::string> notes;
        TransformDetail detail;
        buildTransform(TransformKind::Wush, layer.moments, layer.weight, 9, notes,
                       {4, true, static_cast<int>(group)})
            .value()
            .toDetail(detail);
        return detail.blockSize;
    };
    EXPECT_EQ(blockOf(0), 64);
    EXPECT_EQ(blockOf(32), 32);
    EXPECT_EQ(blockOf(128), 128);
    EXPECT_EQ(blockOf(48), 64);
    EXPECT_EQ(blockOf(256), 64);
}

TEST(BuildTransform, AwqIsTheInverseOfItsSearch) {
    const Layer layer = makeLayer(64, 80, 65);
    std::vector<std::string> notes;
    const OperandScheme scheme{3, true, 0};
    const auto transform =
        buildTransform(TransformKind::Awq, layer.moments, layer.weight, 9, notes, scheme).value();
    const auto search =
        searchAwqScale(layer.moments.meanAbs, layer.moments.secondMoment, layer.weight, scheme).value();
    ASSERT_GT(search.exponent, 0);
    const at::Tensor product = transform.parts().diagonal * search.scale;
    EXPECT_LT((product - 1).abs().max().item<double>(), 1e-6); // d is rounded to fp32
    // Weights that are not quantized need no scale.
    EXPECT_TRUE(
        buildTransform(TransformKind::Awq, layer.moments, layer.weight, 9, notes, {}).value().isIdentity());
}

TEST(BuildTransform, DuQuantIsSmoothingAndFittedRotations) {
    const Layer layer = makeLayer(192, 50, 66);
    const TransformParts parts = build(TransformKind::DuQuant, layer).parts();
    const at::Tensor inputs = layer.moments.absmax.to(at::kDouble);
    const at::Tensor weights = layer.weight.abs().amax(0).to(at::kDouble);
    const at::Tensor diagonal = weights.pow(0.4) / inputs.pow(0.6);
    EXPECT_LT((parts.diagonal / diagonal - 1).abs().max().item<double>(), 1e-6); // rounded to fp32
    const at::Tensor smooth = layer.moments.sample * diagonal.to(at::kFloat);
    const auto fitted = fitDuQuant(smooth, 64, 9);
    EXPECT_TRUE(at::equal(parts.permutation, fitted.permutation));
    ASSERT_EQ(parts.blockSize, 64);
    ASSERT_EQ(parts.secondBlockSize, 64);
    for (std::int64_t block = 0; block < 3; ++block) {
        EXPECT_LT((parts.blocks[block] - fitted.first).abs().max().item<double>(), 1e-7);
        EXPECT_LT((parts.secondBlocks[block] - fitted.second).abs().max().item<double>(), 1e-7);
    }
}

TEST(BuildTransform, AsksForWhatItNeeds) {
    Layer layer = makeLayer(64, 20, 67);
    layer.moments.meanAbs = layer.moments.secondMoment = layer.moments.sample = at::Tensor();
    for (const TransformKind kind : kKinds) {
        std::vector<std::string> notes;
        const auto built = buildTransform(kind, layer.moments, layer.weight, 9, notes);
        const MomentNeeds needs = momentNeeds(kind);
        EXPECT_EQ(built.has_value(), !needs.secondMoment && !needs.sample) << transformInfo(kind).id;
    }
}

TEST(BuildTransform, DeadChannelsAreReportedAndHarmless) {
    Layer layer = makeLayer(192, 50, 71);
    layer.x.select(1, 5).zero_();
    layer.x.select(1, 150).zero_();
    layer.weight.select(1, 9).zero_();
    layer.moments = momentsOf(layer.x);
    const at::Tensor weight = layer.weight.to(at::kDouble);
    const at::Tensor expected = layer.x.matmul(weight.t());
    for (const TransformKind kind : kKinds) {
        std::vector<std::string> notes;
        const auto transform = buildTransform(kind, layer.moments, layer.weight, 9, notes).value();
        const at::Tensor found =
            transform.applyToActivations(layer.x).matmul(transform.applyToWeight(weight).t());
        EXPECT_LT(((found - expected).abs().max() / expected.abs().max()).item<double>(), kDouble);
        const bool usesStatistics = kind != TransformKind::None && kind != TransformKind::Hadamard;
        EXPECT_EQ(notes.size(), usesStatistics ? 2U : 0U) << transformInfo(kind).id;
    }
}

TEST(BuildTransform, ZerosAreNoReasonToEnd) {
    for (const bool zeroInputs : {false, true})
        for (const bool zeroWeight : {false, true}) {
            Layer layer = makeLayer(192, 50, 71);
            if (zeroInputs) layer.x.zero_();
            if (zeroWeight) layer.weight.zero_();
            layer.moments = momentsOf(layer.x);
            const at::Tensor weight = layer.weight.to(at::kDouble);
            const at::Tensor expected = layer.x.matmul(weight.t());
            for (const TransformKind kind : kKinds) {
                std::vector<std::string> notes;
                const auto built = buildTransform(kind, layer.moments, layer.weight, 9, notes);
                ASSERT_TRUE(built) << transformInfo(kind).id << ": " << built.error().text();
                const at::Tensor moved = built->applyToWeight(weight);
                EXPECT_TRUE(at::isfinite(moved).all().item<bool>()) << transformInfo(kind).id;
                EXPECT_EQ(moved.abs().max().item<double>() == 0, zeroWeight) << transformInfo(kind).id;
                const at::Tensor found = built->applyToActivations(layer.x).matmul(moved.t());
                EXPECT_LE((found - expected).abs().max().item<double>(),
                          kDouble * expected.abs().max().item<double>())
                    << transformInfo(kind).id;
            }
        }
}

TEST(BuildTransform, NotesTheBlockHadamard) {
    const Layer layer = makeLayer(92, 20, 81);
    std::vector<std::string> notes;
    ASSERT_TRUE(buildTransform(TransformKind::Hadamard, layer.moments, layer.weight, 1, notes));
    ASSERT_EQ(notes.size(), 1U);
    EXPECT_NE(notes[0].find("order 92"), std::string::npos);
}

TEST(BuildTransform, RefusesWrongArguments) {
    Layer layer = makeLayer(64, 20, 91);
    std::vector<std::string> notes;
    const auto code = [&](const Layer& bad) {
        return buildTransform(TransformKind::Bdq, bad.moments, bad.weight, 1, notes).error().code;
    };
    Layer bad = layer;
    bad.weight = layer.weight.narrow(1, 0, 63);
    EXPECT_EQ(code(bad), ErrorCode::ShapeMismatch);
    bad = layer;
    bad.moments.blockMoments = layer.moments.blockMoments.narrow(1, 0, 64);
    EXPECT_EQ(code(bad), ErrorCode::ShapeMismatch);
    bad = layer;
    bad.moments.meanSquare = layer.moments.meanSquare.clone();
    bad.moments.meanSquare[3] = std::nan("");
    EXPECT_EQ(code(bad), ErrorCode::NonFinite);
    bad = layer;
    bad.weight = at::Tensor();
    EXPECT_EQ(code(bad), ErrorCode::ShapeMismatch);
}

} // namespace
} // namespace bdq::transform
