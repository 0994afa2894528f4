// The layer equation of BDQ (arXiv 2605.18800) Eq. 19: the consistent form of design/bdq.md 5, the printed
// form as a negative test, and when L1 does nothing (design/bdq.md 6). Here W is [out, in], y = x W^T.
#include <gtest/gtest.h>

#include "engine/analysis/closed_forms.h"
#include "engine/analysis/hadamard.h"
#include "engine/analysis/reference_quantizer.h"
#include "tests/reference/analysis_layer.h"

namespace bdq::analysis {
namespace {

constexpr Eigen::Index kSize = 64;

struct Square {
    reference::Random random{61};
    Eigen::MatrixXd x = random.gaussian(kSize, kSize),
                    w = random.gaussian(kSize, kSize); // square: the printed form runs
    Eigen::VectorXd l1 = random.logNormal(kSize, 1.0), l2 = random.logNormal(kSize, 1.0);
    Eigen::MatrixXd r = randomSigns(kSize, 5).asDiagonal() * *denseHadamard(*hadamardPlan(kSize));
    Eigen::MatrixXd y = x * w.transpose();
    Eigen::MatrixXd input = x * l2.asDiagonal() * r;
    Eigen::MatrixXd weight = l1.cwiseInverse().asDiagonal() * w * l2.cwiseInverse().asDiagonal() * r;
};

double relative(const Eigen::MatrixXd& found, const Eigen::MatrixXd& expected) {
    return (found - expected).norm() / expected.norm();
}

TEST(LayerEquation, ConsistentFormIsExact) {
    const Square s;
    EXPECT_LT(relative(s.input * s.weight.transpose() * s.l1.asDiagonal(), s.y), 1e-12);
}

TEST(LayerEquation, PrintedFormIsNot) {
    const Square s;
    EXPECT_GT(relative(s.l1.asDiagonal() * s.input * s.weight.transpose(), s.y), 0.1);
}

TEST(LayerEquation,
     FullBdqChainIsExact) { // D, then block-diagonal O, then H with random signs, at the demo's size
    const reference::Layer layer = reference::syntheticLayer(576, 640, 62);
    const Eigen::MatrixXd sx = layer.inputMoment(), sw = layer.weightMoment();
    const Eigen::VectorXd d = catDiagonal(sw.diagonal(), sx.diagonal())->scale;
    Eigen::MatrixXd x = layer.x * d.asDiagonal(), w = layer.w * d.cwiseInverse().asDiagonal();
    for (Eigen::Index start = 0; start < 576; start += 64) {
        const auto o = bdqBlockRotation(sx.block(start, start, 64, 64), sw.block(start, start, 64, 64),
                                        d.segment(start, 64));
        x.middleCols(start, 64) = (x.middleCols(start, 64) * *o).eval();
        w.middleCols(start, 64) = (w.middleCols(start, 64) * *o).eval();
    }
    const auto plan = hadamardPlan(576);
    const Eigen::VectorXd signs = randomSigns(576, 9);
    x = *applyHadamard(*plan, x * signs.asDiagonal());
    w = *applyHadamard(*plan, w * signs.asDiagonal());
    EXPECT_LT(relative(x * w.transpose(), layer.x * layer.w.transpose()), 1e-12);
}

/// Powers of two, so that scaling is exact in floating point and codes can be compared bit for bit.
Eigen::VectorXd powersOfTwo() {
    return Eigen::VectorXd::NullaryExpr(
        kSize, [](Eigen::Index i) { return std::ldexp(1.0, static_cast<int>(i % 9) - 4); });
}

Eigen::MatrixXd perTensor(const Eigen::MatrixXd& w) { // one scale for all: a single row of all entries
    return quantizeRows(w.reshaped<Eigen::RowMajor>().transpose(), {4})
        ->values.reshaped<Eigen::RowMajor>(kSize, kSize);
}

TEST(LayerEquation, L1ChangesNothingPerOutputChannel) {
    const Square s;
    const Eigen::VectorXd l1 = powersOfTwo();
    const Eigen::MatrixXd scaled = l1.cwiseInverse().asDiagonal() * s.w;
    for (const std::int64_t group : {0, 16})
        for (const RangeRule rule : {RangeRule::Symmetric, RangeRule::Asymmetric}) {
            const QuantizerSpec spec{4, rule, Operand::Weight, group, 1.0};
            const auto plain = quantizeRows(s.w, spec), changed = quantizeRows(scaled, spec);
            EXPECT_EQ(plain->codes, changed->codes);
            EXPECT_EQ(plain->values, l1.asDiagonal() * changed->values);
            EXPECT_EQ(quantizeRowsClipScan(s.w, spec)->codes, quantizeRowsClipScan(scaled, spec)->codes);
        }
}

TEST(LayerEquation, L1ActsPerTensor) {
    const Square s;
    const Eigen::VectorXd l1 = powersOfTwo();
    const double plain = relative(perTensor(s.w), s.w);
    const double changed = relative(l1.asDiagonal() * perTensor(l1.cwiseInverse().asDiagonal() * s.w), s.w);
    EXPECT_GT(changed, 1.5 * plain);
}

TEST(LayerEquation, LeftDiagonalOnXChangesNothingPerToken) {
    const Square s;
    const Eigen::VectorXd left = powersOfTwo();
    const QuantizerSpec spec{4, RangeRule::Asymmetric, Operand::Activation, 0, 1.0};
    const auto plain = quantizeRows(s.x, spec), changed = quantizeRows(left.asDiagonal() * s.x, spec);
    EXPECT_EQ(plain->codes, changed->codes);
    EXPECT_EQ(left.asDiagonal() * plain->values, changed->values);
}

} // namespace
} // namespace bdq::analysis
