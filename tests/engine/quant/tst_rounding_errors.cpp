#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "engine/quant/affine.h"
#include "engine/quant/rounding_errors.h"
#include "tests/engine/quant/random_tensors.h"

namespace bdq::quant {
namespace {

using test::normal;
using test::outliers;

// Squares of fp32 differences (2^-23 relative each) over sums of 64 in fp32 (64 * 2^-24).
constexpr double kRelative = 1e-5;

TEST(RoundingErrors, MatchQuantizingOneWidthAtATime) {
    for (const std::int64_t rows : {1, 63, 64, 65, 1500})
        for (const std::int64_t n : {1, 15, 17, 100}) {
            const at::Tensor x = outliers(rows, n, static_cast<std::uint64_t>(1000 * rows + n));
            const RoundingErrors sums = roundingErrors(x, false);
            const RoundingErrors means = roundingErrors(x, true);
            for (int bits = 2; bits <= 8; ++bits)
                for (const bool symmetric : {true, false}) {
                    const at::Tensor expected =
                        (fakeQuantize(x, {bits, symmetric, 0}).to(at::kDouble) - x).square().sum(0);
                    const at::Tensor& found = symmetric ? sums.symmetric : sums.asymmetric;
                    EXPECT_TRUE(at::allclose(found[bits - 2], expected, kRelative, 1e-12))
                        << rows << " " << n << " " << bits << symmetric;
                    const at::Tensor& mean = symmetric ? means.symmetric : means.asymmetric;
                    EXPECT_TRUE(
                        at::allclose(mean[bits - 2] * static_cast<double>(rows), expected, kRelative, 1e-12));
                }
        }
}

TEST(RoundingErrors, ShrinkByAboutFourPerBit) {
    const RoundingErrors errors = roundingErrors(normal({2000, 64}, 3), true);
    for (int bits = 4; bits < 8; ++bits) {
        const double ratio =
            errors.symmetric[bits - 2].sum().item<double>() / errors.symmetric[bits - 1].sum().item<double>();
        const double steps = static_cast<double>((1 << bits) - 1) / ((1 << (bits - 1)) - 1); // scale ratio
        EXPECT_NEAR(ratio / (steps * steps), 1.0, 0.05) << bits;
    }
}

TEST(RoundingErrors, SameBitsWithAnyThreadCountAndTokenLayout) {
    const at::Tensor x = outliers(3000, 96, 4);
    const int threads = at::get_num_threads();
    at::set_num_threads(1);
    const RoundingErrors one = roundingErrors(x, true);
    at::set_num_threads(2);
    const RoundingErrors two = roundingErrors(x.view({3, 1000, 96}), true);
    at::set_num_threads(threads);
    EXPECT_TRUE(at::equal(one.symmetric, two.symmetric));
    EXPECT_TRUE(at::equal(one.asymmetric, two.asymmetric));
}

TEST(RoundingErrors, AreZeroForZeros) {
    const RoundingErrors errors = roundingErrors(at::zeros({5, 20}), false);
    EXPECT_EQ(errors.symmetric.abs().max().item<double>(), 0.0);
    EXPECT_EQ(errors.asymmetric.abs().max().item<double>(), 0.0);
}

TEST(RoundingErrors, RefuseEmptyInput) {
    EXPECT_THROW(roundingErrors(at::zeros({0, 20}), true), c10::Error);
    EXPECT_THROW(roundingErrors(at::zeros({2, 20}, at::kDouble), true), c10::Error);
}

TEST(RoundingErrors, CudaAgreesWithCpu) {
    if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
    const at::Tensor x = outliers(700, 90, 5);
    const RoundingErrors cpu = roundingErrors(x, true);
    const RoundingErrors cuda = roundingErrors(x.cuda(), true);
    EXPECT_TRUE(at::allclose(cpu.symmetric, cuda.symmetric.cpu(), kRelative, 1e-12));
    EXPECT_TRUE(at::allclose(cpu.asymmetric, cuda.asymmetric.cpu(), kRelative, 1e-12));
}

} // namespace
} // namespace bdq::quant
