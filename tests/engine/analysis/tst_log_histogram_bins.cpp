// LogHistogram::binOf against a search through the edges (engine/api/log_histogram.h): histograms of
// different layers and transforms are only comparable if every value falls into the bin that the edges say.
#include "engine/api/log_histogram.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/reference/analysis_random.h"

namespace bdq {
namespace {

int searchedBin(double x) {
    int bin = 0;
    while (bin <= LogHistogram::kRegularBins && !(std::abs(x) < LogHistogram::lowerEdge(bin)))
        ++bin;
    return bin;
}

TEST(LogHistogramBins, EveryEdgeAndItsNeighbours) {
    for (int i = 0; i <= LogHistogram::kRegularBins; ++i) {
        const double edge = LogHistogram::lowerEdge(i);
        EXPECT_EQ(LogHistogram::binOf(edge), i + 1);
        EXPECT_EQ(LogHistogram::binOf(std::nextafter(edge, 0.0)), i);
        EXPECT_EQ(LogHistogram::binOf(-std::nextafter(edge, 1e9)), i + 1);
        const double exponent =
            LogHistogram::kMinExponent + static_cast<double>(i) / LogHistogram::kBinsPerOctave;
        EXPECT_NEAR(std::log2(edge), exponent, 1e-13);
    }
}

TEST(LogHistogramBins, RandomMagnitudes) {
    reference::Random random(71);
    for (int i = 0; i < 2000; ++i) {
        const double x = std::exp2(60 * random.uniform() - 35) * (i % 2 == 0 ? 1 : -1);
        EXPECT_EQ(LogHistogram::binOf(x), searchedBin(x)) << x;
    }
}

TEST(LogHistogramBins, EndsOfTheRange) {
    EXPECT_EQ(LogHistogram::binOf(0.0), 0);
    EXPECT_EQ(LogHistogram::binOf(std::numeric_limits<double>::denorm_min()), 0);
    EXPECT_EQ(LogHistogram::binOf(std::numeric_limits<double>::infinity()), LogHistogram::kBins - 1);
    EXPECT_EQ(LogHistogram::binOf(std::numeric_limits<double>::quiet_NaN()), LogHistogram::kBins - 1);
}

} // namespace
} // namespace bdq
