#include <gtest/gtest.h>

#include <limits>

#include <ATen/ATen.h>

#include "engine/calibration/histogram.h"
#include "tests/engine/model/random_block.h"

namespace bdq {
namespace {

TEST(Histogram, AgreesWithTheDefinition) {
    // Magnitudes from 1e-12 to 1e7 and the special values.
    at::Tensor x = testing::randomTensor({40000}, 1) * at::exp(testing::randomTensor({40000}, 2) * 6);
    x.narrow(0, 0, 5).copy_(at::tensor({0.0F, -0.0F, 1.0F, -2.0F, 65536.0F}));
    LogHistogram expected;
    for (std::int64_t i = 0; i < x.numel(); ++i)
        expected.add(x[i].item<double>());
    LogHistogram found;
    addToHistogram(found, x.view({200, 200}));
    EXPECT_EQ(found.counts, expected.counts);
    EXPECT_EQ(found.total(), x.numel());
}

TEST(Histogram, InfinityAndNanAreTheLastBin) {
    LogHistogram found;
    addToHistogram(
        found, at::tensor({std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                           std::numeric_limits<float>::quiet_NaN()}));
    EXPECT_EQ(found.counts.back(), 3);
}

TEST(Histogram, PartsAddUp) {
    const at::Tensor x = testing::randomTensor({1000, 70}, 3);
    LogHistogram whole;
    LogHistogram parts;
    addToHistogram(whole, x);
    addToHistogram(parts, x.narrow(0, 0, 10));
    addToHistogram(parts, x.narrow(0, 10, 990));
    addToHistogram(parts, x.narrow(0, 0, 0));
    EXPECT_EQ(whole.counts, parts.counts);
}

} // namespace
} // namespace bdq
