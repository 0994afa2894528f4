#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include "engine/eval/logit_comparison.h"
#include "engine/eval/token_loss.h"

namespace {

// fp32 logits of |h| |w| <= 50 and n = 32 products: 32 * 50 * 2^-24 = 1e-4 at most, random signs about a
// tenth; a divergence is a difference of two such sums.
constexpr double kTolerance = 1e-4;

struct Case {
    at::Tensor full, quantized, head, targets;
};

Case randomCase(std::int64_t vocabulary, double distance) {
    at::manual_seed(3);
    const at::Tensor full = at::randn({9, 32});
    return {full, full + distance * at::randn({9, 32}), at::randn({vocabulary, 32}),
            at::randint(vocabulary, {9}, at::kLong)};
}

at::Tensor logProbabilities(const at::Tensor& hidden, const at::Tensor& head) {
    return at::log_softmax(at::linear(hidden.to(at::kDouble), head.to(at::kDouble)), 1);
}

// Vocabularies below, at and above one block of 1024, with a short last block.
class LogitComparison : public testing::TestWithParam<std::int64_t> {};

TEST_P(LogitComparison, agreesWithAllProbabilities) {
    const Case c = randomCase(GetParam(), 0.5);
    const bdq::LogitComparison found = bdq::compareLogits(c.full, c.quantized, c.head, c.targets);
    const at::Tensor p = logProbabilities(c.full, c.head);
    const at::Tensor q = logProbabilities(c.quantized, c.head);
    const at::Tensor expected = (p.exp() * (p - q)).sum(1);
    EXPECT_EQ(found.divergence.scalar_type(), at::kDouble);
    EXPECT_LT((found.divergence - expected).abs().max().item<double>(), kTolerance);
    EXPECT_TRUE(at::equal(found.agree, p.argmax(1) == q.argmax(1)));
    EXPECT_TRUE(at::equal(found.fullLoss, bdq::tokenLosses(c.full, c.head, c.targets)));
    EXPECT_TRUE(at::equal(found.quantizedLoss, bdq::tokenLosses(c.quantized, c.head, c.targets)));
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, LogitComparison, testing::Values(1, 3, 1000, 1024, 1025, 5000));

TEST(LogitComparisonOfNeighbours, aModelIsNoDistanceFromItself) {
    const Case c = randomCase(3000, 0);
    const bdq::LogitComparison found = bdq::compareLogits(c.full, c.full, c.head, c.targets);
    EXPECT_EQ(found.divergence.abs().max().item<double>(), 0.0);
    EXPECT_TRUE(found.agree.all().item<bool>());
}

TEST(LogitComparisonOfNeighbours, smallDivergencesKeepTheirDigits) {
    // Logits 1e-2 apart diverge by about 1e-4 / 2; fp32 logits of 20 are off by 2e-6, which moves each
    // difference by 2e-4 of itself and the divergence, whose first order cancels, by 1e-3 of itself at most.
    const Case c = randomCase(3000, 2e-3);
    const at::Tensor found = bdq::compareLogits(c.full, c.quantized, c.head, c.targets).divergence;
    const at::Tensor p = logProbabilities(c.full, c.head);
    const at::Tensor expected = (p.exp() * (p - logProbabilities(c.quantized, c.head))).sum(1);
    EXPECT_LT(expected.mean().item<double>(), 1e-3);
    EXPECT_GT(expected.mean().item<double>(), 1e-6);
    EXPECT_NEAR(found.mean().item<double>() / expected.mean().item<double>(), 1, 1e-2);
}

TEST(LogitComparisonOfNeighbours, theFirstOfEqualLogitsIsTheTop) {
    // Tokens 1 and 2000 have the same logit under p; q prefers the later one by a hair.
    const at::Tensor hidden = at::tensor({1.0F, 0.0F}).view({1, 2});
    const at::Tensor other = at::tensor({1.0F, 0.125F}).view({1, 2});
    at::Tensor head = at::zeros({3000, 2});
    head[1][0] = 4;
    head[2000][0] = 4;
    head[2000][1] = 1;
    const at::Tensor target = at::zeros({1}, at::kLong);
    EXPECT_TRUE(bdq::compareLogits(hidden, hidden, head, target).agree.item<bool>());
    EXPECT_FALSE(bdq::compareLogits(hidden, other, head, target).agree.item<bool>());
}

// exp(200) overflows fp32: only the running maximum keeps these finite.
TEST(LogitComparisonOfNeighbours, largeLogitsStayFinite) {
    at::manual_seed(2);
    const at::Tensor hidden = at::full({2, 4}, 10.0F);
    const at::Tensor other = at::full({2, 4}, 9.0F);
    const at::Tensor head = at::randn({3000, 4}) * 20;
    const at::Tensor targets = at::tensor({0, 2999}, at::kLong);
    const bdq::LogitComparison found = bdq::compareLogits(hidden, other, head, targets);
    const at::Tensor p = logProbabilities(hidden, head);
    const at::Tensor q = logProbabilities(other, head);
    // |logit| up to 3000 in fp32: 3000 * 4 * 2^-24 = 7e-4, for each of the two.
    EXPECT_LT((found.divergence - (p.exp() * (p - q)).sum(1)).abs().max().item<double>(), 2e-3);
}

} // namespace
