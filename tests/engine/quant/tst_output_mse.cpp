#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "engine/quant/gptq.h"
#include "engine/quant/output_mse.h"
#include "tests/engine/quant/random_tensors.h"
#include "tests/engine/train/matrix_of.h"
#include "tests/reference/awq_reference.h"

namespace bdq::quant {
namespace {

const OperandScheme kSchemes[] = {{4, true, 0},  {3, true, 0},   {2, false, 0}, {4, false, 0},
                                  {4, true, 16}, {3, false, 20}, {2, true, 24}};

struct Layer {
    at::Tensor x;      ///< fp64 [tokens, n]
    at::Tensor weight; ///< fp32 [out, n]
    at::Tensor moment;
};

Layer makeLayer(std::int64_t n, std::int64_t out, std::uint64_t seed) {
    Layer layer;
    layer.x = test::outliers(150, n, seed, at::kDouble);
    // Heavy tails, so that clipping pays, on one side: ends clipped to +-p put the zero point half way
    // between two codes, where double and fp32 may differ.
    layer.weight = test::normal({out, n}, seed + 5).exp() - 0.5;
    layer.moment = layer.x.t().matmul(layer.x) / 150.0;
    return layer;
}

double error(const Layer& layer, const QuantizedWeight& rounded) {
    return outputError(layer.weight, rounded.dequantize(), layer.moment);
}

TEST(OutputMse, FindsWhatThePlainLoopsFind) {
    std::uint64_t seed = 1;
    for (const OperandScheme& scheme : kSchemes) {
        const Layer layer = makeLayer(64, 30, seed += 20);
        const auto found = roundToOutput(layer.weight, layer.moment, scheme).value();
        ASSERT_TRUE(found.validate());
        const auto expected =
            reference::clippedToOutput(test::matrixOf(layer.x), test::matrixOf(layer.weight), scheme);
        const at::Tensor values = found.dequantize();
        int different = 0;
        for (std::int64_t r = 0; r < 30; ++r)
            for (std::int64_t i = 0; i < 64; ++i) {
                const double want = expected[static_cast<std::size_t>(r)][static_cast<std::size_t>(i)];
                different +=
                    std::abs(values[r][i].item<double>() - want) > 1e-5 * (1 + std::abs(want)) ? 1 : 0;
            }
        // fp32 against double: a weight within 2^-20 of the middle between two codes may go the other way.
        EXPECT_LE(different, 2) << scheme.bits << " group " << scheme.groupSize;
    }
}

TEST(OutputMse, IsNeverWorseThanTheFullRangeAndOftenBetter) {
    for (const int bits : {2, 3, 4}) {
        const Layer layer = makeLayer(96, 50, 300);
        const OperandScheme scheme{bits, true, 0};
        const auto found = roundToOutput(layer.weight, layer.moment, scheme).value();
        const auto full = roundWeights(layer.weight, scheme, WeightRounding::Rtn).value();
        EXPECT_LT(error(layer, found), 0.95 * error(layer, full)) << bits;
        const at::Tensor difference = (layer.weight - found.dequantize()).to(at::kDouble);
        const at::Tensor before = (layer.weight - full.dequantize()).to(at::kDouble);
        const auto perRow = [&](const at::Tensor& e) { return e.matmul(layer.moment).mul(e).sum(1); };
        // The search compares fp32 products: 2^-24 sqrt(96) of terms that cancel by an order of magnitude.
        EXPECT_TRUE(perRow(difference).le(perRow(before) * (1 + 1e-5)).all().item<bool>());
    }
}

TEST(OutputMse, RowsOfAGridStayAsTheyAre) {
    const Layer layer = makeLayer(32, 10, 400);
    const OperandScheme scheme{4, true, 0};
    const auto once = roundWeights(layer.weight, scheme, WeightRounding::Rtn).value();
    const auto again = roundToOutput(once.dequantize(), layer.moment, scheme).value();
    EXPECT_TRUE(at::equal(again.codes, once.codes));
}

// More rows than a chunk: the result of every row is that of the row alone.
TEST(OutputMse, ChunksOfRowsDoNotShow) {
    const Layer layer = makeLayer(16, 2500, 500);
    const OperandScheme scheme{3, false, 8};
    const auto all = roundToOutput(layer.weight, layer.moment, scheme).value();
    const auto tail = roundToOutput(layer.weight.narrow(0, 2040, 10), layer.moment, scheme).value();
    EXPECT_TRUE(at::equal(all.codes.narrow(0, 2040, 10), tail.codes));
    EXPECT_TRUE(at::equal(all.scales.narrow(0, 2040, 10), tail.scales));
}

TEST(OutputMse, RefusesWrongArguments) {
    const Layer layer = makeLayer(16, 8, 600);
    const auto code = [](const at::Tensor& weight, const at::Tensor& moment,
                         OperandScheme scheme = {4, true, 0}) {
        const auto found = roundToOutput(weight, moment, scheme);
        return found ? ErrorCode::Internal : found.error().code;
    };
    EXPECT_EQ(code(layer.weight, {}), ErrorCode::ShapeMismatch);
    EXPECT_EQ(code(layer.weight, layer.moment.narrow(0, 0, 15)), ErrorCode::ShapeMismatch);
    EXPECT_EQ(code(layer.weight, layer.moment.to(at::kFloat)), ErrorCode::ShapeMismatch);
    EXPECT_EQ(code(layer.weight, layer.moment * INFINITY), ErrorCode::NonFinite);
    EXPECT_EQ(code(layer.weight * NAN, layer.moment), ErrorCode::NonFinite);
    EXPECT_EQ(code(layer.weight, layer.moment, {1, true, 0}), ErrorCode::InvalidSpec);
    EXPECT_EQ(roundWeights(layer.weight, {4, true, 0}, WeightRounding::OutputMse).error().code,
              ErrorCode::InvalidSpec);
}

TEST(OutputMse, CudaAgreesWithCpu) {
    if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
    for (const OperandScheme& scheme : kSchemes) {
        const Layer layer = makeLayer(64, 30, 700);
        const auto cpu = roundToOutput(layer.weight, layer.moment, scheme).value();
        const auto cuda = roundToOutput(layer.weight.cuda(), layer.moment.cuda(), scheme).value();
        EXPECT_NEAR(error(layer, {cuda.codes.cpu(), cuda.scales.cpu(), cuda.zeros.cpu(), scheme}) /
                        error(layer, cpu),
                    1, 1e-3);
    }
}

} // namespace
} // namespace bdq::quant
