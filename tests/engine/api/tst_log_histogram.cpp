#include "engine/api/log_histogram.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace bdq {
namespace {

TEST(LogHistogram, EdgesBelongToTheBinAbove) {
    for (int i = 0; i < LogHistogram::kRegularBins; ++i) {
        const double edge = LogHistogram::lowerEdge(i);
        EXPECT_EQ(LogHistogram::binOf(edge), 1 + i) << i;
        EXPECT_EQ(LogHistogram::binOf(-edge), 1 + i) << i;
        const double below = std::nextafter(edge, 0.0);
        EXPECT_EQ(LogHistogram::binOf(below), i) << i;
    }
}

TEST(LogHistogram, EndsTakeWhatIsOutside) {
    EXPECT_EQ(LogHistogram::binOf(0), 0);
    EXPECT_EQ(LogHistogram::binOf(1e-30), 0);
    EXPECT_EQ(LogHistogram::binOf(65536.0), LogHistogram::kBins - 1);
    EXPECT_EQ(LogHistogram::binOf(std::nextafter(65536.0, 0.0)), LogHistogram::kBins - 2);
    EXPECT_EQ(LogHistogram::binOf(std::numeric_limits<double>::infinity()), LogHistogram::kBins - 1);
    EXPECT_EQ(LogHistogram::binOf(std::numeric_limits<double>::quiet_NaN()), LogHistogram::kBins - 1);
}

TEST(LogHistogram, EdgesArePowersOfTwoEveryOctave) {
    EXPECT_DOUBLE_EQ(LogHistogram::lowerEdge(0), std::exp2(-24));
    EXPECT_DOUBLE_EQ(LogHistogram::lowerEdge(24 * 8), 1.0);
    EXPECT_DOUBLE_EQ(LogHistogram::lowerEdge(LogHistogram::kRegularBins), 65536.0);
}

TEST(LogHistogram, MergingEqualsCountingTogether) {
    LogHistogram first, second, both;
    for (int i = 0; i < 1000; ++i) {
        const double value = std::exp(0.01 * i - 5);
        (i % 3 == 0 ? first : second).add(value);
        both.add(value);
    }
    first.merge(second);
    EXPECT_EQ(first.counts, both.counts);
    EXPECT_EQ(both.total(), 1000);
}

TEST(LogHistogram, QuantileIsAnUpperBinEdge) {
    LogHistogram histogram;
    EXPECT_EQ(histogram.quantile(0.5), 0);
    for (int i = 0; i < 99; ++i)
        histogram.add(1.0);
    histogram.add(100.0);
    const double edgeAboveOne = LogHistogram::lowerEdge(LogHistogram::binOf(1.0));
    EXPECT_DOUBLE_EQ(histogram.quantile(0.5), edgeAboveOne);
    EXPECT_DOUBLE_EQ(histogram.quantile(0.99), edgeAboveOne);
    EXPECT_GT(histogram.quantile(1.0), 100.0);
    EXPECT_LT(histogram.quantile(1.0), 100.0 * std::exp2(1.0 / LogHistogram::kBinsPerOctave) * 1.001);
}

} // namespace
} // namespace bdq
