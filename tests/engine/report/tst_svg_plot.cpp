#include "engine/report/svg_plot.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/engine/report/fixture.h"
#include "tests/engine/report/markup_check.h"

namespace bdq::report {
namespace {

Plot plotWith(Series series) {
    Plot plot;
    plot.title = "a < b & \"c\"";
    plot.x = {"x <axis>", false, false};
    plot.y = {"y", false, false};
    plot.series = {std::move(series)};
    return plot;
}

TEST(SvgPlot, IsWellFormedForEveryMarkerAndStyle) {
    for (std::size_t i = 0; i < 5; ++i)
        for (bool area : {false, true})
            for (bool logarithmic : {false, true}) {
                Plot plot = plotWith({"<s>",
                                      seriesColor(i),
                                      {1, 2, 3, 4},
                                      {1, NAN, 0, 5},
                                      {"<1>", "2", "3"},
                                      seriesMarker(i),
                                      true,
                                      area,
                                      area,
                                      "4 2"});
                plot.y.logarithmic = logarithmic;
                const std::string svg = renderSvg(plot);
                EXPECT_EQ(markupProblem(svg, false), "") << svg;
                EXPECT_EQ(outsideReference(svg), "");
                EXPECT_EQ(svg.find("nan"), std::string::npos) << svg;
                EXPECT_EQ(svg.find("<s>"), std::string::npos);
            }
}

TEST(SvgPlot, BreaksTheLineAtMissingValues) {
    const std::string whole =
        renderSvg(plotWith({"s", "#000", {1, 2, 3}, {1, 2, 3}, {}, Marker::None, true, false, false, {}}));
    const std::string broken =
        renderSvg(plotWith({"s", "#000", {1, 2, 3}, {1, NAN, 3}, {}, Marker::None, true, false, false, {}}));
    EXPECT_EQ(occurrences(whole, "M"), 1U);
    EXPECT_EQ(occurrences(broken, "M"), 2U);
}

TEST(SvgPlot, SaysWhenThereIsNothingToDraw) {
    const std::string svg = renderSvg(
        plotWith({"s", "#000", {1, 2}, {NAN, INFINITY}, {}, Marker::Circle, true, false, false, {}}));
    EXPECT_NE(svg.find("no finite values"), std::string::npos);
    EXPECT_EQ(markupProblem(svg, false), "");
    Plot none;
    EXPECT_NE(renderSvg(none).find("no finite values"), std::string::npos);
}

TEST(SvgPlot, LongLegendsGetMoreLines) {
    Plot plot =
        plotWith({std::string(40, 'x'), "#000", {1}, {1}, {}, Marker::Circle, true, false, false, {}});
    const auto heightOf = [](const std::string& svg) {
        return std::stoi(svg.substr(svg.find(" height=\"") + 9));
    };
    const int one = heightOf(renderSvg(plot));
    plot.series.push_back(plot.series[0]);
    plot.series.push_back(plot.series[0]);
    EXPECT_GT(heightOf(renderSvg(plot)), one);
}

TEST(SvgPlot, NeighbouringSeriesDifferInColourAndMarker) {
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_NE(seriesColor(i), seriesColor(i + 1));
        EXPECT_NE(seriesMarker(i), seriesMarker(i + 1));
    }
}

TEST(MarkupCheck, FindsWhatItIsFor) {
    EXPECT_EQ(markupProblem("<a b=\"c\">x &amp; y<d/></a>", false), "");
    for (const char* bad :
         {"<a>", "<a></b>", "<a b=c></a>", "a & b", "<a>x > y</a>", "</a>", "<a", "<a b=\"<\"></a>"})
        EXPECT_NE(markupProblem(bad, false), "") << bad;
    for (const char* bad : {"<SCRIPT>", "<p onclick=\"x\">", "<a href=\"http://x\">", "<a href=\"x\">",
                            "p{background:url(x)}", "<img src=\"x\">", "see https://example.org"})
        EXPECT_NE(outsideReference(bad), "") << bad;
}

} // namespace
} // namespace bdq::report
