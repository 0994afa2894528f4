#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include "engine/eval/token_loss.h"

namespace {

// fp32 logits of |h| |w| <= 50 and n = 32 products: 32 * 50 * 2^-24 = 1e-4 at most, random signs about a
// tenth.
constexpr double kTolerance = 1e-4;

at::Tensor reference(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets) {
    const at::Tensor logits = at::linear(hidden.to(at::kDouble), head.to(at::kDouble));
    return -at::log_softmax(logits, 1).gather(1, targets.unsqueeze(1)).squeeze(1);
}

// Vocabularies below, at and above one block of 1024, with a short last block.
class TokenLoss : public testing::TestWithParam<std::int64_t> {};

TEST_P(TokenLoss, agreesWithSoftmaxOfAllLogits) {
    at::manual_seed(1);
    const std::int64_t vocabulary = GetParam();
    const at::Tensor hidden = at::randn({7, 32});
    const at::Tensor head = at::randn({vocabulary, 32});
    const at::Tensor targets = at::randint(vocabulary, {7}, at::kLong);
    const at::Tensor losses = bdq::tokenLosses(hidden, head, targets);
    EXPECT_EQ(losses.scalar_type(), at::kDouble);
    EXPECT_LT((losses - reference(hidden, head, targets)).abs().max().item<double>(), kTolerance);
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, TokenLoss, testing::Values(1, 3, 1000, 1024, 1025, 5000));

// exp(200) overflows fp32: only the running maximum keeps these finite.
TEST(TokenLossRange, largeLogitsStayFinite) {
    at::manual_seed(2);
    const at::Tensor hidden = at::full({2, 4}, 10.0F);
    const at::Tensor head = at::randn({3000, 4}) * 20;
    const at::Tensor targets = at::tensor({0, 2999}, at::kLong);
    const at::Tensor losses = bdq::tokenLosses(hidden, head, targets);
    // |logit| up to 3000 in fp32: 3000 * 4 * 2^-24 = 7e-4.
    EXPECT_LT((losses - reference(hidden, head, targets)).abs().max().item<double>(), 7e-4);
}

} // namespace
