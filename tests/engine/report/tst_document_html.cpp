#include <cmath>

#include <gtest/gtest.h>

#include "engine/report/document.h"
#include "tests/engine/report/fixture.h"
#include "tests/engine/report/markup_check.h"

namespace bdq::report {
namespace {

constexpr const char* kHostile = "</title><script>alert(1)</script><img src=x onerror=y>\"'&";

TEST(DocumentHtml, EscapesEveryText) {
    Document document;
    document.title = kHostile;
    document.subtitle = kHostile;
    document.summary = {{kHostile, kHostile, kHostile}};
    document.notes = {kHostile};
    Plot plot;
    plot.title = plot.description = plot.x.title = plot.y.title = kHostile;
    plot.series = {{kHostile, "#000", {1}, {1}, {kHostile}, Marker::Circle, true, false, false, {}}};
    const Table table{{{kHostile, kHostile}}, {{{kHostile, kHostile, 0.5, true}}}, true};
    document.sections = {{kHostile,
                          {Paragraph{kHostile, true}, Code{kHostile}, Subheading{kHostile},
                           PlotGroup{kHostile, {plot}}, table}}};
    const std::string html = renderHtml(document);
    EXPECT_EQ(markupProblem(html, true), "");
    EXPECT_EQ(outsideReference(html).find("<script"), std::string::npos);
    EXPECT_EQ(html.find("<script"), std::string::npos);
    EXPECT_EQ(html.find("<img"), std::string::npos);
    // Page title, heading, subtitle, card (3), note, contents, section, 4 blocks, table (4), plot: heading,
    // title, description, 2 axes, legend, tooltip.
    EXPECT_EQ(occurrences(html, "&lt;script&gt;"), 24U);
}

TEST(DocumentHtml, HeatFollowsTheValue) {
    EXPECT_GT(sqnrCell(8).heat, sqnrCell(20).heat);
    EXPECT_EQ(sqnrCell(50).heat, 0);
    EXPECT_EQ(sqnrCell(-20).heat, 1);
    EXPECT_EQ(sqnrCell(8).text, "8.0 !!");
    EXPECT_EQ(sqnrCell(12).text, "12.0 !");
    EXPECT_EQ(sqnrCell(16).text, "16.0");
    EXPECT_EQ(sqnrCell(NAN).text, "-");
    EXPECT_EQ(sqnrCell(NAN).heat, kNoHeat);
    EXPECT_EQ(flatnessCell(NAN).heat, kNoHeat);
    EXPECT_EQ(flatnessCell(0.25).heat, 0.25);
    EXPECT_EQ(numberCell(0.123456).exact, "0.123456");
}

TEST(DocumentHtml, FollowsTheColourSchemeAndPrints) {
    const std::string html = renderHtml({});
    for (const char* part :
         {"prefers-color-scheme:dark", "@media print", "color-scheme:light dark", "default-src 'none'"})
        EXPECT_NE(html.find(part), std::string::npos) << part;
    EXPECT_EQ(markupProblem(html, true), "");
    EXPECT_EQ(outsideReference(html), "");
}

} // namespace
} // namespace bdq::report
