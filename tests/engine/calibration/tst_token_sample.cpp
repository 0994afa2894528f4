#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include "engine/calibration/token_sample.h"

namespace bdq {
namespace {

/// Token t is [t, 0], those of `loud` [t, 1000 + t].
at::Tensor stream(std::int64_t tokens, const std::vector<std::int64_t>& loud) {
    at::Tensor x = at::zeros({tokens, 2});
    x.select(1, 0).copy_(at::arange(tokens));
    for (const std::int64_t token : loud)
        x[token][1] = static_cast<float>(10000 + token);
    return x;
}

TEST(TokenSample, KeepsAllOfAShortStream) {
    TokenSample sample;
    EXPECT_FALSE(sample.tokens().defined());
    const at::Tensor x = stream(5, {3});
    sample.add(x);
    EXPECT_TRUE(at::equal(sample.tokens().narrow(0, 0, 5), x));
    EXPECT_TRUE(at::equal(sample.tokens()[5], x[3]));
    EXPECT_EQ(sample.tokens().size(0), 10); // the five again, by size
}

TEST(TokenSample, IsEvenAndHoldsTheLargest) {
    TokenSample sample;
    sample.add(stream(3000, {17, 1001}));
    const at::Tensor tokens = sample.tokens();
    // 3000 tokens at every 16th are 188: between 128 and 256.
    ASSERT_EQ(tokens.size(0), 188 + TokenSample::kLargest);
    EXPECT_TRUE(at::equal(tokens.narrow(0, 0, 188).select(1, 0), at::arange(188, at::kFloat) * 16));
    const at::Tensor largest = tokens.narrow(0, 188, TokenSample::kLargest).select(1, 0);
    EXPECT_EQ(largest[0].item<float>(), 1001);
    EXPECT_EQ(largest[1].item<float>(), 17);
    EXPECT_EQ(largest[2].item<float>(), 2999); // of the others the largest entry is the number itself
}

TEST(TokenSample, DoesNotDependOnTheSplit) {
    const at::Tensor x = stream(2500, {0, 1, 2499});
    TokenSample whole;
    whole.add(x);
    for (const std::int64_t step : {1, 7, 256, 1000}) {
        TokenSample parts;
        for (std::int64_t first = 0; first < 2500; first += step)
            parts.add(x.narrow(0, first, std::min<std::int64_t>(step, 2500 - first)));
        EXPECT_TRUE(at::equal(parts.tokens(), whole.tokens())) << step;
    }
}

} // namespace
} // namespace bdq
