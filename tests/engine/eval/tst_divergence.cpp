#include "engine/eval/divergence.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace bdq {
namespace {

/// KL of the rows' distributions, all logits in fp64 at once.
at::Tensor reference(const at::Tensor& full, const at::Tensor& variant, const at::Tensor& head) {
    const at::Tensor a = at::log_softmax(at::mm(full.to(at::kDouble), head.to(at::kDouble).t()), 1);
    const at::Tensor b = at::log_softmax(at::mm(variant.to(at::kDouble), head.to(at::kDouble).t()), 1);
    return (a.exp() * (a - b)).sum(1);
}

/// Logits up to about 20 in fp32: 20 x 2^-24 for each of up to 10 roundings on the way, all of one sign.
constexpr double kTolerance = 1.2e-5;
/// Of the mean over n rows, whose roundings are independent: smaller by sqrt(n), and 4 sigma of it.
constexpr double kMeanTolerance = 1.2e-6;

TEST(Divergence, IsThatOfTheLogits) {
    at::manual_seed(1);
    // 2100 rows and 1500 words: both loops have a shorter last block.
    const at::Tensor head = at::randn({1500, 16});
    const at::Tensor full = at::randn({2100, 16});
    const DivergenceReference divergence(full, head);
    for (const double distance : {1e-3, 0.1, 2.0}) {
        const at::Tensor variant = full + distance * at::randn_like(full);
        const at::Tensor expected = reference(full, variant, head);
        const at::Tensor found = divergence.divergence(variant);
        ASSERT_EQ(found.scalar_type(), at::kDouble);
        EXPECT_LT((found - expected).abs().max().item<double>(),
                  kTolerance * (1 + expected.max().item<double>()))
            << distance;
        EXPECT_NEAR(found.mean().item<double>(), expected.mean().item<double>(),
                    kMeanTolerance * (1 + expected.mean().item<double>()));
        EXPECT_GT(expected.mean().item<double>(), 0.1 * distance * distance);
    }
}

TEST(Divergence, OfTheModelItselfIsZero) {
    at::manual_seed(2);
    const at::Tensor head = at::randn({2049, 32});
    const at::Tensor full = at::randn({7, 32});
    EXPECT_LT(DivergenceReference(full, head).divergence(full).abs().max().item<double>(), kTolerance);
}

TEST(Divergence, StaysFiniteFarAway) {
    at::manual_seed(3);
    const at::Tensor head = at::randn({1500, 16});
    const at::Tensor full = 3 * at::randn({5, 16});
    const at::Tensor variant = 100 * at::randn({5, 16}); // logits beyond the range of exp in fp32
    const at::Tensor expected = reference(full, variant, head);
    const at::Tensor found = DivergenceReference(full, head).divergence(variant);
    EXPECT_LT(((found - expected) / expected).abs().max().item<double>(), 1e-5);
}

} // namespace
} // namespace bdq
