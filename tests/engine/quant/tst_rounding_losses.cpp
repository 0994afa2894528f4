#include "engine/quant/rounding_losses.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "engine/quant/affine.h"
#include "engine/quant/quantized_weight.h"
#include "tests/engine/quant/random_tensors.h"

namespace bdq::quant {
namespace {

using test::normal;
using test::outliers;

// Products of fp32 errors (2^-23 relative each) over sums of 64 in fp32 (64 * 2^-24), squared: twice that.
constexpr double kRelative = 2e-5;

const std::vector<RangeRule> kPlain{{true, false}, {false, false}};

at::Tensor errorsOf(const at::Tensor& x, const OperandScheme& scheme) {
    return fakeQuantize(x, scheme).to(at::kDouble) - x;
}

TEST(RoundingLosses, AreTheSumsOfTheirDefinition) {
    for (const std::int64_t rows : {1, 63, 65, 130})
        for (const std::int64_t n : {1, 17, 100}) {
            const at::Tensor x = outliers(rows, n, static_cast<std::uint64_t>(100 * rows + n));
            const at::Tensor gradients = normal({3, rows, n}, 7);
            RoundingLosses losses(kPlain, 0.0F, 3, n, at::kCPU);
            losses.add(x, gradients);
            for (int rule = 0; rule < 2; ++rule)
                for (int bits = 2; bits <= 8; ++bits) {
                    const at::Tensor errors = errorsOf(x, {bits, rule == 0, 0});
                    const at::Tensor products = errors * gradients.to(at::kDouble);
                    const auto found = [&](const at::Tensor& table) {
                        return table[rule][bits - 2].item<double>();
                    };
                    const double independent = products.square().sum().item<double>();
                    const double slack = kRelative * independent * static_cast<double>(std::max(rows, n));
                    EXPECT_NEAR(found(losses.independent()), independent, kRelative * independent);
                    EXPECT_NEAR(found(losses.byRow()), products.sum(2).square().sum().item<double>(), slack);
                    EXPECT_NEAR(found(losses.byColumn()), products.sum(1).square().sum().item<double>(),
                                slack);
                    EXPECT_TRUE(at::allclose(losses.squaredErrors()[rule][bits - 2], errors.square().sum(0),
                                             kRelative, 1e-12));
                }
        }
}

TEST(RoundingLosses, PartsOfTheRowsAddUp) {
    const at::Tensor x = outliers(96, 40, 1);
    const at::Tensor gradients = normal({2, 96, 40}, 2);
    RoundingLosses whole(kPlain, 0.0F, 2, 40, at::kCPU);
    whole.add(x, gradients);
    RoundingLosses parts(kPlain, 0.0F, 2, 40, at::kCPU);
    for (const std::int64_t first : {0, 64})
        parts.add(x.narrow(0, first, first == 0 ? 64 : 32),
                  gradients.narrow(1, first, first == 0 ? 64 : 32).contiguous());
    EXPECT_TRUE(at::allclose(whole.byRow(), parts.byRow(), 1e-12));
    EXPECT_TRUE(at::allclose(whole.byColumn(), parts.byColumn(), kRelative));
}

// The search of `roundWeights` tries 80 factors, this one 16 of them: near the minimum the error is flat.
TEST(RoundingLosses, SearchedRangesAreNearlyThoseOfTheFullSearch) {
    const at::Tensor weight = outliers(200, 300, 3);
    RoundingLosses losses({{true, false}, {true, true}, {false, true}}, kWeightAbsmaxFloor, 1, 300, at::kCPU);
    losses.add(weight, at::ones({1, 200, 300}));
    const auto norm = [](const at::Tensor& errors) { return errors.sum().item<double>(); };
    for (int bits = 2; bits <= 8; ++bits)
        for (int rule = 1; rule <= 2; ++rule) {
            const auto rounded = roundWeights(weight, {bits, rule == 1, 0}, WeightRounding::Mse);
            ASSERT_TRUE(rounded);
            const double full = norm((rounded->dequantize().to(at::kDouble) - weight).square());
            EXPECT_NEAR(norm(losses.squaredErrors()[rule][bits - 2]) / full, 1.0, 0.05)
                << bits << " " << rule;
        }
    // Three of the 300 values of a row are outliers: at 4 bits the range must give way to the others.
    EXPECT_LT(norm(losses.squaredErrors()[1][2]), norm(losses.squaredErrors()[0][2]));
}

TEST(RoundingLosses, SameBitsWithAnyThreadCount) {
    const at::Tensor x = outliers(150, 60, 4);
    const at::Tensor gradients = normal({2, 150, 60}, 5);
    const int threads = at::get_num_threads();
    std::vector<at::Tensor> found;
    for (const int count : {1, 2}) {
        at::set_num_threads(count);
        RoundingLosses losses({{true, true}}, 0.0F, 2, 60, at::kCPU);
        losses.add(x, gradients);
        found.push_back(at::cat({losses.byRow(), losses.byColumn(), losses.independent()}));
    }
    at::set_num_threads(threads);
    EXPECT_TRUE(at::equal(found[0], found[1]));
}

TEST(RoundingLosses, AreZeroForZerosAndRefuseOtherShapes) {
    RoundingLosses losses({{true, true}, {false, true}}, kWeightAbsmaxFloor, 1, 20, at::kCPU);
    losses.add(at::zeros({5, 20}), at::ones({1, 5, 20}));
    EXPECT_EQ(losses.byRow().abs().max().item<double>(), 0.0);
    EXPECT_THROW(losses.add(at::zeros({5, 20}), at::ones({2, 5, 20})), c10::Error);
    EXPECT_THROW(losses.add(at::zeros({5, 21}), at::ones({1, 5, 21})), c10::Error);
}

TEST(RoundingLosses, CudaAgreesWithCpu) {
    if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
    const at::Tensor x = outliers(70, 90, 6);
    const at::Tensor gradients = normal({2, 70, 90}, 8);
    RoundingLosses cpu(kPlain, 0.0F, 2, 90, at::kCPU);
    cpu.add(x, gradients);
    RoundingLosses cuda(kPlain, 0.0F, 2, 90, at::kCUDA);
    cuda.add(x.cuda(), gradients.cuda());
    EXPECT_TRUE(at::allclose(cpu.byRow(), cuda.byRow(), 1e-3));
    EXPECT_TRUE(at::allclose(cpu.byColumn(), cuda.byColumn(), 1e-3));
}

} // namespace
} // namespace bdq::quant
