#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "engine/analysis/reference_quantizer.h"
#include "engine/quant/quantized_weight.h"
#include "engine/quant/row_kernels.h"
#include "tests/engine/quant/random_tensors.h"

namespace bdq::quant {
namespace {

using test::normal;
using test::outliers;

double errorNorm(const at::Tensor& weight, const QuantizedWeight& rounded) {
    return (rounded.dequantize() - weight).to(at::kDouble).abs().pow(2.4).sum().item<double>();
}

Eigen::MatrixXd toEigen(const at::Tensor& tensor) {
    const at::Tensor values = tensor.to(at::kDouble).contiguous();
    return Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
        values.const_data_ptr<double>(), values.size(0), values.size(1));
}

analysis::QuantizerSpec specOf(const OperandScheme& scheme) {
    return {scheme.bits, scheme.symmetric ? analysis::RangeRule::Symmetric : analysis::RangeRule::Asymmetric,
            analysis::Operand::Weight, scheme.groupSize, 1.0};
}

/// Ends of the groups' ranges times `factor`.
std::pair<at::Tensor, at::Tensor> shrunkRanges(const at::Tensor& weight, std::int64_t group, double factor) {
    std::vector<at::Tensor> low;
    std::vector<at::Tensor> high;
    const std::int64_t n = weight.size(1);
    const std::int64_t width = group == 0 ? n : group;
    for (std::int64_t start = 0; start < n; start += width) {
        const at::Tensor part = weight.narrow(1, start, std::min(width, n - start));
        low.push_back(part.amin(1).clamp_max(0) * factor);
        high.push_back(part.amax(1).clamp_min(0) * factor);
    }
    return {at::stack(low, 1), at::stack(high, 1)};
}

TEST(QuantizedWeight, RtnCodesMatchReference) {
    std::uint64_t seed = 20;
    std::int64_t codes = 0;
    std::int64_t different = 0;
    for (const int group : {0, 32, 7})
        for (const std::int64_t n : {1, 31, 32, 33, 100})
            for (int bits = 2; bits <= 8; ++bits)
                for (const bool symmetric : {true, false}) {
                    const OperandScheme scheme{bits, symmetric, group};
                    const at::Tensor weight = normal({6, n}, ++seed);
                    const auto rounded = roundWeights(weight, scheme, WeightRounding::Rtn).value();
                    ASSERT_TRUE(rounded.validate()) << rounded.validate().error().text();
                    const auto expected = analysis::quantizeRows(toEigen(weight), specOf(scheme)).value();
                    const int offset = symmetric ? 0 : 1 << (bits - 1);
                    const Eigen::MatrixXd found = toEigen(rounded.codes);
                    codes += found.size();
                    for (Eigen::Index i = 0; i < found.rows(); ++i)
                        for (Eigen::Index j = 0; j < found.cols(); ++j)
                            different += found(i, j) + offset != expected.codes(i, j);
                    // One rounding of the range (asymmetric), one of the quotient.
                    EXPECT_TRUE((toEigen(rounded.scales) - expected.scales).cwiseAbs().maxCoeff() <=
                                2 * 0x1p-23 * expected.scales.maxCoeff());
                }
    // A code differs only within 2^-22 of a tie: about 1e-6 of all.
    EXPECT_LE(static_cast<double>(different), 1e-4 * static_cast<double>(codes));
}

TEST(QuantizedWeight, PowerApproximationIsWithinItsBound) {
    // Steps from deep inside a cell to far outside the clipped range.
    for (const float offset : {1e-4F, 1e-3F, 0.01F, 0.1F, 0.3F, 0.49F, 1.7F, 12.5F, 200.0F}) {
        const float x[1] = {offset < 0.5F ? 1 + offset : 7 + offset};
        const Grid grid{1.0F, 0.0F, -8.0F, 7.0F};
        const double error = std::abs(static_cast<double>(x[0]) - (offset < 0.5F ? 1.0 : 7.0));
        EXPECT_NEAR(stepErrorNorm(x, 1, grid) / std::pow(error, 2.4), 1.0, kPowerTolerance) << offset;
    }
    const float exact[3] = {0.0F, 3.0F, -8.0F};
    EXPECT_EQ(stepErrorNorm(exact, 3, {1.0F, 0.0F, -8.0F, 7.0F}), 0.0);
}

TEST(QuantizedWeight, MseRangeIsTheBestOfTheScan) {
    for (const int bits : {2, 3, 4, 8})
        for (const bool symmetric : {true, false})
            for (const int group : {0, 33}) {
                const OperandScheme scheme{bits, symmetric, group};
                const at::Tensor weight = outliers(12, 100, 40);
                const auto rounded = roundWeights(weight, scheme, WeightRounding::Mse).value();
                const auto expected = analysis::quantizeRowsClipScan(toEigen(weight), specOf(scheme)).value();
                const Eigen::MatrixXd exact = toEigen(weight);
                const double best = (expected.values - exact).array().abs().pow(2.4).sum();
                // Another factor may win only where its score is as good to the power's accuracy.
                EXPECT_LE(errorNorm(weight, rounded), best * (1 + 2 * kPowerTolerance) + 1e-12)
                    << bits << symmetric << group;
            }
}

TEST(QuantizedWeight, MseIsNeverWorseThanRtn) {
    const at::Tensor weight = outliers(64, 200, 41);
    for (int bits = 2; bits <= 8; ++bits) {
        const OperandScheme scheme{bits, bits > 2, 0};
        const double rtn = errorNorm(weight, roundWeights(weight, scheme, WeightRounding::Rtn).value());
        const double mse = errorNorm(weight, roundWeights(weight, scheme, WeightRounding::Mse).value());
        EXPECT_LE(mse, rtn * (1 + kPowerTolerance)) << bits;
        if (bits <= 4) {
            EXPECT_LT(mse, rtn) << bits;
        }
    }
}

TEST(QuantizedWeight, CodeMinus8AppearsOnlyWhenClipped) {
    const at::Tensor weight = normal({256, 512}, 42);
    const auto rtn = roundWeights(weight, {4, true, 0}, WeightRounding::Rtn).value();
    EXPECT_EQ(rtn.codes.min().item<int>(), -7);
    EXPECT_EQ(rtn.codes.max().item<int>(), 7);
    const auto mse = roundWeights(weight, {4, true, 0}, WeightRounding::Mse).value();
    EXPECT_EQ(mse.codes.min().item<int>(), -8);
}

TEST(QuantizedWeight, AsymmetricTwoBitsUsesFourLevels) {
    const at::Tensor weight = at::tensor({-0.5F, 0.0F, 0.5F, 1.0F}).view({1, 4}); // step 0.5, zero point 1
    const auto rounded = roundWeights(weight, {2, false, 0}, WeightRounding::Rtn).value();
    EXPECT_TRUE(at::equal(rounded.codes, at::tensor({-2, -1, 0, 1}, at::kChar).view({1, 4})));
    EXPECT_EQ(rounded.zeros.item<int>(), -1);
    EXPECT_TRUE(at::equal(rounded.dequantize(), weight));
}

TEST(QuantizedWeight, RoundingAgainChangesNothing) {
    const at::Tensor weight = normal({32, 130}, 43);
    for (int bits = 2; bits <= 8; ++bits)
        for (const bool symmetric : {true, false})
            for (const int group : {0, 64}) {
                const OperandScheme scheme{bits, symmetric, group};
                const auto once = roundWeights(weight, scheme, WeightRounding::Rtn).value();
                const auto twice = roundWeights(once.dequantize(), scheme, WeightRounding::Rtn).value();
                EXPECT_TRUE(at::equal(once.codes, twice.codes)) << bits << symmetric << group;
            }
}

TEST(QuantizedWeight, AtenPathAgrees) {
    if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
    const at::Tensor weight = outliers(40, 100, 44);
    for (const auto rounding : {WeightRounding::Rtn, WeightRounding::Mse})
        for (const bool symmetric : {true, false})
            for (const int group : {0, 32}) {
                const OperandScheme scheme{4, symmetric, group};
                const auto cpu = roundWeights(weight, scheme, rounding).value();
                const auto cuda = roundWeights(weight.cuda(), scheme, rounding).value();
                EXPECT_TRUE(at::equal(cpu.codes, cuda.codes.cpu())) << symmetric << group;
                EXPECT_TRUE(at::equal(cpu.zeros, cuda.zeros.cpu()));
                const auto [low, high] = shrunkRanges(weight, group, 0.8);
                const auto given = roundWeights(weight.cuda(), scheme, low.cuda(), high.cuda()).value();
                EXPECT_TRUE(
                    at::equal(roundWeights(weight, scheme, low, high).value().codes, given.codes.cpu()));
            }
}

TEST(QuantizedWeight, GivenRangesOfTheExtremesAreRtn) {
    for (const int group : {0, 32})
        for (const bool symmetric : {true, false}) {
            const OperandScheme scheme{3, symmetric, group};
            const at::Tensor weight = outliers(12, 100, 50);
            const auto [low, high] = shrunkRanges(weight, group, 1);
            const auto expected = roundWeights(weight, scheme, WeightRounding::Rtn).value();
            const auto found = roundWeights(weight, scheme, low, high).value();
            EXPECT_TRUE(at::equal(found.codes, expected.codes)) << group << symmetric;
            EXPECT_TRUE(at::equal(found.scales, expected.scales)) << group << symmetric;
            EXPECT_TRUE(at::equal(found.zeros, expected.zeros)) << group << symmetric;
        }
}

TEST(QuantizedWeight, GivenRangesClampTheWeightFirst) {
    for (const int bits : {2, 4, 8})
        for (const int group : {0, 32})
            for (const bool symmetric : {true, false}) {
                const OperandScheme scheme{bits, symmetric, group};
                const at::Tensor weight = outliers(12, 100, 51);
                const auto [low, high] = shrunkRanges(weight, group, 0.4);
                const auto found = roundWeights(weight, scheme, low, high * 1.5).value();
                ASSERT_TRUE(found.validate()) << found.validate().error().text();
                const at::Tensor clamped =
                    group == 0 ? weight.clamp(low, high * 1.5)
                               : weight.clamp(low.repeat_interleave(group, 1).narrow(1, 0, 100),
                                              (high * 1.5).repeat_interleave(group, 1).narrow(1, 0, 100));
                const auto expected = roundWeights(clamped, scheme, low, high * 1.5).value();
                EXPECT_TRUE(at::equal(found.codes, expected.codes)) << bits << group << symmetric;
                // Within the range half a step is the limit; the zero point adds its own half when
                // asymmetric.
                const at::Tensor step = found.scales.max() * (symmetric ? 0.5 : 1.0) * (1 + 1e-5);
                EXPECT_LE((found.dequantize() - clamped).abs().max().item<float>(), step.item<float>());
            }
}

TEST(QuantizedWeight, RefusesWrongRanges) {
    const at::Tensor weight = normal({4, 8}, 52);
    const at::Tensor low = at::full({4}, -1.0F);
    const at::Tensor high = at::full({4, 1}, 1.0F);
    EXPECT_TRUE(roundWeights(weight, {4, true, 0}, low, high));
    EXPECT_EQ(roundWeights(weight, {4, true, 4}, low, high).error().code, ErrorCode::ShapeMismatch);
    EXPECT_EQ(roundWeights(weight, {4, true, 0}, low, at::Tensor()).error().code, ErrorCode::ShapeMismatch);
    EXPECT_EQ(roundWeights(weight, {4, true, 0}, high, high).error().code, ErrorCode::BadFormat);
    const at::Tensor bad = at::full({4}, std::numeric_limits<float>::quiet_NaN());
    EXPECT_EQ(roundWeights(weight, {4, true, 0}, bad, high).error().code, ErrorCode::NonFinite);
}

TEST(QuantizedWeight, RefusesWrongArguments) {
    const at::Tensor weight = normal({4, 8}, 45);
    EXPECT_EQ(roundWeights(weight, {16, true, 0}, WeightRounding::Rtn).error().code, ErrorCode::InvalidSpec);
    EXPECT_EQ(roundWeights(weight, {4, true, -3}, WeightRounding::Rtn).error().code, ErrorCode::InvalidSpec);
    EXPECT_EQ(roundWeights(weight, {4, true, 0}, WeightRounding::Gptq).error().code, ErrorCode::InvalidSpec);
    EXPECT_EQ(roundWeights(weight.view({32}), {4, true, 0}, WeightRounding::Rtn).error().code,
              ErrorCode::ShapeMismatch);
    at::Tensor bad = weight.clone();
    bad[1][2] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(roundWeights(bad, {4, true, 0}, WeightRounding::Mse).error().code, ErrorCode::NonFinite);
}

TEST(QuantizedWeight, ValidateFindsDamage) {
    const auto good = roundWeights(normal({4, 40}, 46), {4, true, 16}, WeightRounding::Rtn).value();
    EXPECT_TRUE(good.validate());
    QuantizedWeight bad = good;
    bad.codes = good.codes.clone();
    bad.codes[3][39] = 9;
    EXPECT_EQ(bad.validate().error().code, ErrorCode::BadFormat);
    bad = good;
    bad.scales = good.scales.clone();
    bad.scales[0][2] = std::numeric_limits<float>::infinity();
    EXPECT_EQ(bad.validate().error().code, ErrorCode::NonFinite);
    bad = good;
    bad.scales = good.scales.narrow(1, 0, 2);
    EXPECT_EQ(bad.validate().error().code, ErrorCode::ShapeMismatch);
    bad = good;
    bad.zeros = at::ones_like(good.zeros);
    EXPECT_EQ(bad.validate().error().code, ErrorCode::BadFormat);
}

} // namespace
} // namespace bdq::quant
