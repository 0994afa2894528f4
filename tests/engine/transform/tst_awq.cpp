#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "engine/quant/gptq.h"
#include "engine/quant/quantized_weight.h"
#include "engine/transform/awq.h"
#include "tests/engine/quant/random_tensors.h"
#include "tests/engine/train/matrix_of.h"
#include "tests/reference/awq_reference.h"

namespace bdq::transform {
namespace {

// The reference rounds in double, the engine in fp32: a code may differ where w / s is within 2^-20 of a
// half, one of some 3000 weights, which moves the error by less than this share.
constexpr double kErrorTolerance = 1e-3;

struct Layer {
    at::Tensor x;      ///< fp64 [tokens, n], outlier channels
    at::Tensor weight; ///< fp32 [out, n]
    at::Tensor meanAbs, secondMoment;
};

Layer makeLayer(std::int64_t n, std::int64_t out, std::uint64_t seed) {
    Layer layer;
    layer.x = test::outliers(200, n, seed, at::kDouble);
    layer.weight = test::normal({out, n}, seed + 7);
    layer.meanAbs = layer.x.abs().mean(0);
    layer.secondMoment = layer.x.t().matmul(layer.x) / 200.0;
    return layer;
}

TEST(Awq, FindsWhatThePlainLoopsFind) {
    for (const OperandScheme scheme :
         {OperandScheme{4, true, 0}, OperandScheme{3, true, 0}, OperandScheme{4, false, 16},
          OperandScheme{3, false, 20}, OperandScheme{2, false, 0}}) {
        const Layer layer = makeLayer(48, 64, 3);
        const auto found = searchAwqScale(layer.meanAbs, layer.secondMoment, layer.weight, scheme).value();
        const reference::AwqSearch expected =
            reference::awqSearch(test::matrixOf(layer.x), test::matrixOf(layer.weight), scheme);
        EXPECT_EQ(found.exponent, expected.exponent) << scheme.bits;
        EXPECT_GT(found.exponent, 0) << scheme.bits; // outlier channels: scaling pays
        EXPECT_NEAR(found.error / expected.error, 1, kErrorTolerance) << scheme.bits;
        for (std::int64_t i = 0; i < 48; ++i)
            EXPECT_NEAR(found.scale[i].item<double>() / expected.scale[static_cast<std::size_t>(i)], 1,
                        1e-12);
    }
}

TEST(Awq, TheScaleIsCentredAndBeatsPlainRounding) {
    const Layer layer = makeLayer(64, 96, 21);
    const OperandScheme scheme{3, true, 0};
    const auto found = searchAwqScale(layer.meanAbs, layer.secondMoment, layer.weight, scheme).value();
    EXPECT_NEAR((found.scale.max() * found.scale.min()).item<double>(), 1, 1e-12);
    const auto plain = quant::roundWeights(layer.weight, scheme, WeightRounding::Rtn).value();
    const double before = quant::outputError(layer.weight, plain.dequantize(), layer.secondMoment);
    EXPECT_LT(found.error, 0.9 * before);
}

// With equal channels every exponent gives s = 1, so the first one, r = 0, stays: plain rounding.
TEST(Awq, ExponentZeroIsRoundingToNearest) {
    Layer layer = makeLayer(32, 40, 31);
    layer.meanAbs = at::full({32}, 0.7, at::kDouble);
    const OperandScheme scheme{4, true, 0};
    const auto found = searchAwqScale(layer.meanAbs, layer.secondMoment, layer.weight, scheme).value();
    EXPECT_EQ(found.exponent, 0);
    EXPECT_TRUE(at::equal(found.scale, at::ones({32}, at::kDouble)));
    const auto plain = quant::roundWeights(layer.weight, scheme, WeightRounding::Rtn).value();
    const double expected = quant::outputError(layer.weight, plain.dequantize(), layer.secondMoment);
    EXPECT_NEAR(found.error / expected, 1, 1e-5); // fp32 products: 2^-24 sqrt(32), amplified by cancellation
}

TEST(Awq, WeightsThatAreNotQuantizedAreNotScaled) {
    const Layer layer = makeLayer(32, 40, 41);
    const auto found = searchAwqScale(layer.meanAbs, layer.secondMoment, layer.weight, {}).value();
    EXPECT_TRUE(at::equal(found.scale, at::ones({32}, at::kDouble)));
    EXPECT_EQ(found.error, 0);
}

TEST(Awq, SilentChannelsAreHarmless) {
    Layer layer = makeLayer(32, 40, 51);
    layer.x.select(1, 4).zero_();
    layer.meanAbs = layer.x.abs().mean(0);
    layer.secondMoment = layer.x.t().matmul(layer.x) / 200.0;
    const auto found = searchAwqScale(layer.meanAbs, layer.secondMoment, layer.weight, {4, true, 0}).value();
    EXPECT_TRUE(at::isfinite(found.scale).all().item<bool>());
    EXPECT_GT(found.scale.min().item<double>(), 0);
}

TEST(Awq, RefusesWrongArguments) {
    const Layer layer = makeLayer(16, 8, 61);
    const auto code = [](const at::Tensor& mean, const at::Tensor& moment, const at::Tensor& weight,
                         OperandScheme scheme = {4, true, 0}) {
        const auto found = searchAwqScale(mean, moment, weight, scheme);
        return found ? ErrorCode::Internal : found.error().code;
    };
    EXPECT_EQ(code({}, layer.secondMoment, layer.weight), ErrorCode::ShapeMismatch);
    EXPECT_EQ(code(layer.meanAbs, {}, layer.weight), ErrorCode::ShapeMismatch);
    EXPECT_EQ(code(layer.meanAbs, layer.secondMoment.narrow(0, 0, 15), layer.weight),
              ErrorCode::ShapeMismatch);
    EXPECT_EQ(code(layer.meanAbs, layer.secondMoment.to(at::kFloat), layer.weight), ErrorCode::ShapeMismatch);
    EXPECT_EQ(code(layer.meanAbs, layer.secondMoment, {}), ErrorCode::ShapeMismatch);
    EXPECT_EQ(code(layer.meanAbs, layer.secondMoment, layer.weight, {9, true, 0}), ErrorCode::InvalidSpec);
    EXPECT_EQ(code(layer.meanAbs, layer.secondMoment * NAN, layer.weight), ErrorCode::NonFinite);
}

} // namespace
} // namespace bdq::transform
