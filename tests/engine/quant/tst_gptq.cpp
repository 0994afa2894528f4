#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "engine/quant/gptq.h"
#include "tests/engine/quant/random_tensors.h"
#include "tests/reference/gptq_reference.h"

namespace bdq::quant {
namespace {

using test::normal;
using test::outliers;

/// E[x x^T] of correlated inputs with outlier channels.
at::Tensor moment(std::int64_t n, std::uint64_t seed) {
    const at::Tensor x = normal({4 * n, n}, seed, at::kDouble).matmul(normal({n, n}, seed + 1, at::kDouble)) *
                         normal({n}, seed + 2, at::kDouble).exp();
    return x.t().matmul(x) / static_cast<double>(4 * n);
}

Eigen::MatrixXd toEigen(const at::Tensor& tensor) {
    const at::Tensor values = tensor.to(at::kDouble).contiguous();
    return Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
        values.const_data_ptr<double>(), values.size(0), values.size(1));
}

TEST(Gptq, IdentityHessianEqualsRtn) {
    const at::Tensor weight = normal({70, 150}, 1);
    const at::Tensor identity = at::eye(150, at::kDouble);
    for (const bool symmetric : {true, false})
        for (const int group : {0, 32})
            for (const bool mse : {false, true}) {
                const OperandScheme scheme{4, symmetric, group};
                const auto found = gptq(weight, identity, scheme, {0.01, 64, mse}).value();
                const auto expected =
                    roundWeights(weight, scheme, mse ? WeightRounding::Mse : WeightRounding::Rtn).value();
                EXPECT_TRUE(at::equal(found.weight.codes, expected.codes)) << symmetric << group << mse;
                EXPECT_TRUE(at::equal(found.weight.zeros, expected.zeros));
                EXPECT_TRUE(at::equal(found.weight.scales, expected.scales));
            }
}

TEST(Gptq, MatchesReference) {
    const std::int64_t n = 90;
    const at::Tensor hessian = moment(n, 3);
    const at::Tensor weight = normal({33, n}, 6);
    const double mean = hessian.diagonal().mean().item<double>();
    const Eigen::MatrixXd damped = toEigen(hessian) + 0.01 * mean * Eigen::MatrixXd::Identity(n, n);
    for (const int bits : {2, 4, 8})
        for (const bool symmetric : {true, false})
            for (const int group : {0, 16, 40}) {
                const OperandScheme scheme{bits, symmetric, group};
                const analysis::QuantizerSpec spec{
                    bits, symmetric ? analysis::RangeRule::Symmetric : analysis::RangeRule::Asymmetric,
                    analysis::Operand::Weight, group, 1.0};
                const Eigen::MatrixXd expected = reference::gptq(toEigen(weight), damped, spec);
                const auto found = gptq(weight, hessian, scheme, {0.01, 32, false}).value();
                ASSERT_TRUE(found.weight.validate());
                const Eigen::MatrixXd difference = toEigen(found.weight.dequantize()) - expected;
                // A row follows the reference until fp32 and fp64 round one value to different sides of a
                // tie, and goes its own, equally good way from there. Ties within 1e-5 of a step are rare:
                // most rows must agree.
                int equalRows = 0;
                for (Eigen::Index row = 0; row < difference.rows(); ++row)
                    equalRows += difference.row(row).cwiseAbs().maxCoeff() < 1e-4;
                EXPECT_GE(equalRows, 30) << bits << symmetric << group;
                const double reference = outputError(
                    weight, at::from_blob(const_cast<double*>(expected.data()), {n, 33}, at::kDouble).t(),
                    hessian);
                EXPECT_NEAR(found.loss / reference, 1.0, 0.02) << bits << symmetric << group;
            }
}

TEST(Gptq, ReportedLossIsTheOutputError) {
    const at::Tensor hessian = moment(100, 8);
    const at::Tensor weight = normal({40, 100}, 11);
    for (const int group : {0, 48}) {
        const auto found = gptq(weight, hessian, {3, true, group}).value();
        const double direct = outputError(weight, found.weight.dequantize(), hessian);
        // Squares of fp32 errors (2^-23 each) minus the damping's share, which is of the same size.
        EXPECT_NEAR(found.loss / direct, 1.0, 1e-4);
    }
}

TEST(Gptq, LossIsBelowRoundingToNearest) {
    for (const std::uint64_t seed : {100U, 200U, 300U})
        for (const int bits : {2, 3, 4}) {
            const at::Tensor hessian = moment(128, seed);
            const at::Tensor weight = outliers(64, 128, seed + 50);
            const OperandScheme scheme{bits, bits > 2, 0};
            const auto found = gptq(weight, hessian, scheme).value();
            const auto nearest = roundWeights(weight, scheme, WeightRounding::Mse).value();
            EXPECT_LT(found.loss, outputError(weight, nearest.dequantize(), hessian)) << seed << " " << bits;
        }
}

TEST(Gptq, BlockSizeDoesNotChangeTheResult) {
    const at::Tensor hessian = moment(200, 15);
    const at::Tensor weight = normal({130, 200}, 18);
    const auto one = gptq(weight, hessian, {4, true, 0}, {0.01, 1, true}).value();
    const auto many = gptq(weight, hessian, {4, true, 0}, {0.01, 128, true}).value();
    const double differing = one.weight.codes.ne(many.weight.codes).to(at::kDouble).mean().item<double>();
    // Only the order of fp32 additions differs; a flipped tie changes the rest of its row.
    EXPECT_LT(differing, 0.02);
    EXPECT_NEAR(one.loss / many.loss, 1.0, 0.01);
}

TEST(Gptq, DeadChannelsBecomeZero) {
    at::Tensor hessian = moment(50, 21);
    for (const std::int64_t dead : {0, 17, 49}) {
        hessian[dead].zero_();
        hessian.select(1, dead).zero_();
    }
    const at::Tensor weight = normal({20, 50}, 24);
    const auto found = gptq(weight, hessian, {4, false, 0}).value();
    const at::Tensor values = found.weight.dequantize();
    for (const std::int64_t dead : {0, 17, 49})
        EXPECT_EQ(values.select(1, dead).abs().max().item<float>(), 0.0F);
    ASSERT_EQ(found.notes.size(), 1U);
    EXPECT_NE(found.notes[0].find("3 of 50"), std::string::npos);
    EXPECT_NEAR(found.loss / outputError(weight, values, hessian), 1.0, 1e-4);
}

TEST(Gptq, RaisesTheDampingForAnIndefiniteHessian) {
    at::Tensor hessian = moment(40, 25);
    hessian.diagonal().sub_(0.05 * hessian.diagonal().mean().item<double>());
    const auto found = gptq(normal({8, 40}, 28), hessian, {4, true, 0}).value();
    EXPECT_GT(found.usedDamp, 0.01);
    ASSERT_EQ(found.notes.size(), 1U);
    EXPECT_NE(found.notes[0].find("damping raised"), std::string::npos);
}

TEST(Gptq, QuantizedWeightsStayWhatTheyAre) {
    const at::Tensor hessian = moment(64, 30);
    const auto once = roundWeights(normal({32, 64}, 33), {4, true, 0}, WeightRounding::Rtn).value();
    const auto again = gptq(once.dequantize(), hessian, {4, true, 0}, {0.01, 128, false}).value();
    EXPECT_TRUE(at::equal(once.codes, again.weight.codes));
}

TEST(Gptq, RefusesWrongArguments) {
    const at::Tensor weight = normal({4, 8}, 40);
    const at::Tensor identity = at::eye(8, at::kDouble);
    EXPECT_EQ(gptq(weight, at::eye(7, at::kDouble), {4, true, 0}).error().code, ErrorCode::ShapeMismatch);
    EXPECT_EQ(gptq(weight, identity.to(at::kFloat), {4, true, 0}).error().code, ErrorCode::ShapeMismatch);
    EXPECT_EQ(gptq(weight, identity, {16, true, 0}).error().code, ErrorCode::InvalidSpec);
    EXPECT_EQ(gptq(weight, identity, {4, true, 0}, {0.0, 128, true}).error().code, ErrorCode::InvalidSpec);
    EXPECT_EQ(gptq(weight, identity, {4, true, 0}, {0.01, 0, true}).error().code, ErrorCode::InvalidSpec);
    at::Tensor bad = identity.clone();
    bad[2][3] = std::nan("");
    EXPECT_EQ(gptq(weight, bad, {4, true, 0}).error().code, ErrorCode::NonFinite);
    EXPECT_EQ(gptq(weight, identity * -1.0, {4, true, 0}).error().code, ErrorCode::NonFinite);
}

TEST(Gptq, CudaAgreesWithCpu) {
    if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
    const at::Tensor hessian = moment(128, 50);
    const at::Tensor weight = normal({96, 128}, 53);
    for (const int group : {0, 32}) {
        const auto cpu = gptq(weight, hessian, {4, true, group}).value();
        const auto cuda = gptq(weight.cuda(), hessian, {4, true, group}).value();
        EXPECT_NEAR(cpu.loss / cuda.loss, 1.0, 0.01); // flipped ties, as in BlockSizeDoesNotChangeTheResult
        EXPECT_LT(cpu.weight.codes.ne(cuda.weight.codes.cpu()).to(at::kDouble).mean().item<double>(), 0.05);
    }
}

} // namespace
} // namespace bdq::quant
