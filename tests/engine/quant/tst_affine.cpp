#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "engine/analysis/reference_quantizer.h"
#include "engine/quant/affine.h"
#include "tests/engine/quant/random_tensors.h"

namespace bdq::quant {
namespace {

using test::normal;
using test::outliers;

Eigen::MatrixXd toEigen(const at::Tensor& tensor) {
    const at::Tensor values = tensor.to(at::kDouble).contiguous();
    return Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
        values.const_data_ptr<double>(), values.size(0), values.size(1));
}

/// fp32 against the fp64 reference. scale, x / scale and scale * code are each rounded once: 3 * 2^-24 of the
/// value. A code can differ only where x / scale is within 2 roundings of a tie.
void expectReference(const at::Tensor& x, const OperandScheme& scheme, const at::Tensor& found) {
    const analysis::QuantizerSpec spec{
        scheme.bits, scheme.symmetric ? analysis::RangeRule::Symmetric : analysis::RangeRule::Asymmetric,
        analysis::Operand::Activation, scheme.groupSize, 1.0};
    const auto expected = analysis::quantizeRows(toEigen(x), spec).value();
    const Eigen::MatrixXd values = toEigen(found);
    const Eigen::MatrixXd inputs = toEigen(x);
    const std::int64_t width = scheme.groupSize == 0 ? x.size(1) : scheme.groupSize;
    constexpr double kUnit = 0x1p-24;
    for (Eigen::Index r = 0; r < values.rows(); ++r)
        for (Eigen::Index i = 0; i < values.cols(); ++i) {
            const double scale = expected.scales(r, i / width);
            const double difference = std::abs(values(r, i) - expected.values(r, i));
            // code - zero is at most 2^b - 1 steps, so 3 roundings of it stay below:
            const double rounding = 3 * kUnit * scale * (1 << scheme.bits);
            if (difference <= rounding) continue;
            const double steps = inputs(r, i) / scale;
            const double toTie = std::abs(std::abs(steps - std::nearbyint(steps)) - 0.5);
            EXPECT_LE(toTie, 4 * kUnit * std::abs(steps)) << "row " << r << " column " << i;
            EXPECT_LE(difference, scale * (1 + 1e-5));
        }
}

TEST(Affine, MatchesReferenceForAllBitsAndAwkwardSizes) {
    std::uint64_t seed = 1;
    for (const std::int64_t group : {0, 16, 32, 7})
        for (const std::int64_t n : {std::int64_t{1}, std::int64_t{15}, std::int64_t{16}, std::int64_t{17},
                                     std::int64_t{31}, std::int64_t{32}, std::int64_t{33}, std::int64_t{100}})
            for (int bits = 2; bits <= 8; ++bits)
                for (const bool symmetric : {true, false}) {
                    const OperandScheme scheme{bits, symmetric, static_cast<int>(group)};
                    const at::Tensor x = outliers(5, n, ++seed);
                    SCOPED_TRACE(testing::Message() << "n " << n << " group " << group << " bits " << bits
                                                    << (symmetric ? " sym" : " asym"));
                    const at::Tensor fast = fakeQuantize(x, scheme);
                    expectReference(x, scheme, fast);
                    // The two paths do the same fp32 operations in the same order.
                    EXPECT_TRUE(at::equal(fast, fakeQuantizeAten(x, scheme)));
                }
}

TEST(Affine, ErrorIsAtMostHalfAStep) {
    const at::Tensor x = outliers(64, 576, 3);
    for (int bits = 2; bits <= 8; ++bits) {
        const at::Tensor step = x.abs().amax(-1, true) / ((1 << (bits - 1)) - 1);
        const at::Tensor error = (fakeQuantize(x, {bits, true, 0}) - x).abs();
        // Half a step, plus three fp32 roundings of values up to 2^(b-1) steps.
        EXPECT_TRUE(error.le(step * (0.5 + 3 * 0x1p-24 * (1 << bits))).all().item<bool>()) << bits;
    }
}

TEST(Affine, QuantizingAgainChangesNothing) {
    const at::Tensor x = outliers(64, 192, 4);
    for (int bits = 2; bits <= 8; ++bits)
        for (const bool symmetric : {true, false})
            for (const int group : {0, 64}) {
                const OperandScheme scheme{bits, symmetric, group};
                const at::Tensor once = fakeQuantize(x, scheme);
                const at::Tensor twice = fakeQuantize(once, scheme);
                // The second scale is computed from a rounded product: one ulp of the value.
                EXPECT_TRUE(at::allclose(once, twice, 0x1p-22, 0)) << bits << symmetric << group;
            }
}

TEST(Affine, FourBitSymmetricReachesMinus7To7Only) {
    const at::Tensor x = normal({512, 256}, 5);
    const at::Tensor scale = x.abs().amax(-1, true) / 7;
    const at::Tensor codes = (fakeQuantize(x, {4, true, 0}) / scale).round();
    EXPECT_EQ(codes.min().item<float>(), -7.0F);
    EXPECT_EQ(codes.max().item<float>(), 7.0F);
}

TEST(Affine, RoundsHalfToEven) {
    // Scale 1: the largest entry is 7.
    const at::Tensor x = at::tensor({7.0F, 0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F, 3.4999F}).view({1, 8});
    const at::Tensor expected = at::tensor({7.0F, 0.0F, 2.0F, 2.0F, 0.0F, -2.0F, -2.0F, 3.0F}).view({1, 8});
    EXPECT_TRUE(fakeQuantize(x, {4, true, 0}).eq(expected).all().item<bool>());
}

TEST(Affine, AllZeroAndTinyRowsStayFinite) {
    for (const bool symmetric : {true, false}) {
        const at::Tensor zero = at::zeros({3, 40});
        EXPECT_TRUE(at::equal(fakeQuantize(zero, {4, symmetric, 16}).abs(), zero));
        const at::Tensor tiny = at::full({3, 40}, std::numeric_limits<float>::denorm_min());
        EXPECT_TRUE(at::isfinite(fakeQuantize(tiny, {4, symmetric, 0})).all().item<bool>());
    }
}

TEST(Affine, BadNumbersAreNotHidden) {
    for (const bool symmetric : {true, false}) {
        at::Tensor x = normal({2, 40}, 6);
        x[0][17] = std::numeric_limits<float>::quiet_NaN();
        x[1][39] = std::numeric_limits<float>::infinity();
        const at::Tensor quantized = fakeQuantize(x, {4, symmetric, 0});
        EXPECT_TRUE(quantized[0].isnan().any().item<bool>());
        EXPECT_TRUE(quantized[1].isnan().any().item<bool>());
    }
}

TEST(Affine, KeepsShapeAndTreatsLastDimensionAsRow) {
    const at::Tensor cache = normal({2, 3, 5, 64}, 7); // batch, heads, tokens, head_dim
    const at::Tensor quantized = fakeQuantize(cache, {4, false, 0});
    ASSERT_EQ(quantized.sizes(), cache.sizes());
    EXPECT_TRUE(at::equal(quantized[1][2][4], fakeQuantize(cache[1][2][4].view({1, 64}), {4, false, 0})[0]));
    // A view that is not contiguous gives the same numbers.
    EXPECT_TRUE(at::equal(fakeQuantize(cache.transpose(1, 2), {4, false, 0}), quantized.transpose(1, 2)));
}

TEST(Affine, SixteenBitsIsUntouched) {
    const at::Tensor x = normal({4, 8}, 8);
    EXPECT_TRUE(at::equal(fakeQuantize(x, {16, true, 0}), x));
}

TEST(Affine, RangeFactorsShrinkTheRange) {
    // Symmetric: the larger end decides. 8 * 0.875 = 7 gives step 1, where 8 is limited to code 7.
    const at::Tensor x = at::tensor({8.0F, 2.4F, -6.0F}).view({1, 3});
    EXPECT_TRUE(
        at::equal(fakeQuantize(x, {4, true, 0}, {0.875F, 1}), at::tensor({7.0F, 2.0F, -6.0F}).view({1, 3})));
    // The low end reaches code -8: -10 * 0.7 = -7.
    const at::Tensor y = at::tensor({-10.0F, 3.4F}).view({1, 2});
    EXPECT_TRUE(at::equal(fakeQuantize(y, {4, true, 0}, {1, 0.7F}), at::tensor({-8.0F, 3.0F}).view({1, 2})));
    // Asymmetric: [-3, 12] has step 1 and zero point 3.
    const at::Tensor z = at::tensor({24.0F, 5.6F, -6.0F}).view({1, 3});
    EXPECT_TRUE(at::equal(fakeQuantize(z, {4, false, 0}, {0.5F, 0.5F}),
                          at::tensor({12.0F, 6.0F, -3.0F}).view({1, 3})));
    const at::Tensor many = outliers(9, 100, 11);
    for (const bool symmetric : {true, false})
        for (const int group : {0, 32}) {
            const OperandScheme scheme{3, symmetric, group};
            EXPECT_TRUE(at::equal(fakeQuantize(many, scheme, {0.9F, 0.6F}),
                                  fakeQuantizeAten(many, scheme, {0.9F, 0.6F})));
            EXPECT_TRUE(at::equal(fakeQuantize(many, scheme, {}), fakeQuantize(many, scheme)));
        }
    EXPECT_THROW(fakeQuantize(x, {4, true, 0}, {0, 1}), c10::Error);
    EXPECT_THROW(fakeQuantize(x, {4, true, 0}, {1, 1.01F}), c10::Error);
}

TEST(Affine, SameBitsWithAnyThreadCount) {
    const at::Tensor x = outliers(1000, 576, 9);
    const int threads = at::get_num_threads();
    at::set_num_threads(1);
    const at::Tensor one = fakeQuantize(x, {4, true, 0});
    at::set_num_threads(2);
    EXPECT_TRUE(at::equal(one, fakeQuantize(x, {4, true, 0})));
    at::set_num_threads(threads);
}

TEST(Affine, RefusesWrongArguments) {
    EXPECT_THROW(fakeQuantize(normal({2, 4}, 1), {9, true, 0}), c10::Error);
    EXPECT_THROW(fakeQuantize(normal({2, 4}, 1), {4, true, -1}), c10::Error);
    EXPECT_THROW(fakeQuantize(normal({2, 4}, 1, at::kDouble), {4, true, 0}), c10::Error);
}

TEST(Affine, CudaAgreesWithCpu) {
    if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
    const at::Tensor x = outliers(100, 200, 10);
    for (int bits = 2; bits <= 8; ++bits)
        for (const bool symmetric : {true, false})
            for (const int group : {0, 32})
                EXPECT_TRUE(at::equal(fakeQuantize(x.cuda(), {bits, symmetric, group}).cpu(),
                                      fakeQuantize(x, {bits, symmetric, group})))
                    << bits << symmetric << group;
}

} // namespace
} // namespace bdq::quant
