#include "engine/report/site_plots.h"

#include <cmath>

#include "tests/engine/report/fixture.h"

namespace bdq::report {
namespace {

TEST(SitePlots, OneLinePerSite) {
    const Plot plot =
        valuesByLayer("t", "dB", {{{0, Site::Qkv}, 1}, {{1, Site::Qkv}, 2}, {{1, Site::Down}, 3}});
    ASSERT_EQ(plot.series.size(), 2U);
    EXPECT_EQ(plot.series[0].name, "qkv");
    EXPECT_EQ(plot.series[0].x, (std::vector<double>{0, 1}));
    EXPECT_EQ(plot.series[1].y, (std::vector<double>{3}));
    EXPECT_NE(plot.series[0].dash, plot.series[1].dash);
}

TEST(SitePlots, BeforeAfterLeavesOutSitesWithoutNumbers) {
    const PlotGroup group =
        beforeAfterByLayer("F", {{{0, Site::O}, 0.5, 0.1}, {{0, Site::KCache}, NAN, NAN}});
    ASSERT_EQ(group.plots.size(), 1U);
    EXPECT_EQ(group.plots[0].title, "F, o");
    EXPECT_EQ(group.plots[0].series[0].y, (std::vector<double>{0.5}));
    EXPECT_EQ(group.plots[0].series[1].y, (std::vector<double>{0.1}));
    EXPECT_EQ(group.plots[0].series[0].color, kBeforeColor);
    EXPECT_EQ(group.plots[0].series[1].color, kAfterColor);
}

TEST(SitePlots, LowestIsWorstFirstAndSkipsNaN) {
    const std::vector<SiteKey> keys =
        lowest({{{0, Site::O}, 5}, {{1, Site::O}, NAN}, {{2, Site::O}, 1}, {{3, Site::O}, 5}}, 3);
    EXPECT_EQ(keys, (std::vector<SiteKey>{{2, Site::O}, {0, Site::O}, {3, Site::O}}));
    EXPECT_TRUE(lowest({}, 3).empty());
}

TEST(SitePlots, HistogramsShareTheirBins) {
    const SiteKey key{0, Site::Qkv};
    const SiteAnalysis site = samples::site(key);
    const SiteDetail detail = siteDetail(key, TransformKind::Bdq);
    const std::vector<Plot> plots = siteDetailPlots(site, detail, TransformKind::Bdq);
    ASSERT_EQ(plots.size(), 3U);
    for (const Plot& plot : plots) {
        ASSERT_EQ(plot.series.size(), 2U) << plot.title;
        EXPECT_EQ(plot.series[0].name, "before");
        EXPECT_EQ(plot.series[1].name, "after BDQ");
    }
    // Every value lies in a regular bin: the steps, two points a bin, hold all of them.
    for (const Series& series : plots[0].series) {
        double total = 0;
        for (double count : series.y)
            total += count / 2;
        EXPECT_EQ(total, kChannels * 300);
    }
    EXPECT_EQ(plots[2].series[0].y.front(), 80); // 4 x the outlier of 20
    EXPECT_TRUE(std::is_sorted(plots[2].series[0].y.rbegin(), plots[2].series[0].y.rend()));
    EXPECT_EQ(siteDetailPlots(site, detail, TransformKind::None)[0].series.size(), 1U);
}

} // namespace
} // namespace bdq::report
