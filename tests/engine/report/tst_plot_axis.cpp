#include "engine/report/plot_axis.h"

#include <cmath>

#include <gtest/gtest.h>

namespace bdq::report {
namespace {

TEST(PlotAxis, HoldsEveryFiniteValueInside) {
    const std::vector<std::vector<double>> rows{{1, 2, 3},    {-5, 100},       {7},      {0},
                                                {1e-9, 2e-9}, {1e300, -1e300}, {-3, -2}, {NAN, 4, INFINITY}};
    for (const std::vector<double>& values : rows) {
        const Scale scale({"x", false, false}, values);
        ASSERT_TRUE(scale.valid());
        for (double value : values) {
            if (!scale.canDraw(value)) continue;
            EXPECT_GE(scale.position(value), 0);
            EXPECT_LE(scale.position(value), 1);
        }
        const std::vector<Tick> ticks = scale.ticks();
        EXPECT_GE(ticks.size(), 1U);
        EXPECT_LE(ticks.size(), 12U);
    }
}

TEST(PlotAxis, LogarithmicTakesPositiveValuesOnly) {
    const Scale scale({"x", true, false}, {0, -1, NAN, 1, 10000});
    ASSERT_TRUE(scale.valid());
    EXPECT_FALSE(scale.canDraw(0));
    EXPECT_FALSE(scale.canDraw(-1));
    EXPECT_NEAR(scale.position(100), 0.5, 1e-12); // half of four decades, room is the same at both ends
    ASSERT_FALSE(scale.ticks().empty());
    EXPECT_EQ(scale.ticks().front().label, "1");
    EXPECT_FALSE(Scale({"x", true, false}, {0, -1}).valid());
    EXPECT_FALSE(Scale({"x", false, false}, {}).valid());
    EXPECT_FALSE(Scale({"x", false, false}, {NAN, INFINITY}).valid());
}

TEST(PlotAxis, LabelsHoldNoIdleZeros) {
    const std::vector<Tick> layers = Scale({"layer", false, true}, {0, 5}).ticks();
    EXPECT_EQ(layers.at(1).label, "1");
    EXPECT_EQ(Scale({"x", false, false}, {0, 1}).ticks().at(1).label, "0.2");
    EXPECT_EQ(Scale({"x", false, false}, {0, 100}).ticks().at(1).label, "20");
}

TEST(PlotAxis, ShortLogarithmicRangesHaveTicksBetweenPowers) {
    const std::vector<Tick> ticks = Scale({"x", true, false}, {1.9, 25}).ticks();
    ASSERT_EQ(ticks.size(), 4U);
    EXPECT_EQ(ticks[0].label, "2");
    EXPECT_EQ(ticks[3].label, "20");
    EXPECT_EQ(Scale({"x", true, false}, {0.9e-8, 1.1}).ticks().front().label, "1e-8");
}

TEST(PlotAxis, WholeNumbersOnly) {
    for (const Tick& tick : Scale({"layer", false, true}, {0, 1, 2}).ticks())
        EXPECT_EQ(tick.value, std::round(tick.value));
}

} // namespace
} // namespace bdq::report
