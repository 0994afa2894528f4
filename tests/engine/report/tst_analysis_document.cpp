#include <algorithm>

#include <gtest/gtest.h>

#include "engine/report/builders.h"
#include "tests/engine/report/fixture.h"
#include "tests/engine/report/markup_check.h"

namespace bdq::report {
namespace {

TEST_F(ReportTest, AnalysisPageComparesTransforms) {
    writeAnalysis(folder,
                  syntheticAnalysis({TransformKind::None, TransformKind::Hadamard, TransformKind::Bdq}));
    const std::string html = renderHtml(analysisDocument(loadReportData(folder).value()));
    EXPECT_EQ(markupProblem(html, true), "");
    EXPECT_EQ(outsideReference(html), "");
    // Two lines of SQNR, Flatness of x and W for 4 sites, 3 plots for each of 4 sites, 2 scatter plots for
    // each of 2 schemes.
    EXPECT_EQ(occurrences(html, "<svg"), 2U + 8U + 12U + 4U);
    for (const char* part :
         {"Transforms compared", "predicted against measured SQNR, W4A4",
          "theorem against measured SQNR, W8A8", "blk.0.attn_q.weight", "4,608 tokens of c.txt"})
        EXPECT_NE(html.find(part), std::string::npos) << part;
    // Points: 24 sites x 3 transforms in each scatter plot.
    EXPECT_EQ(occurrences(html, ": measured "), 24U * 3 * 4);
}

TEST_F(ReportTest, MeansOfTheComparisonAreMeans) {
    AnalysisResult analysis = syntheticAnalysis({TransformKind::None});
    analysis.spec.schemes = {"W4A4"};
    double value = 10;
    for (SiteAnalysis& site : analysis.sites)
        if (site.key.site == Site::O) site.transforms[TransformKind::None].sqnrDbMeasured["W4A4"] = value++;
    const Document document = analysisDocument({folder, {}, analysis, folder, {}});
    const auto section = std::ranges::find(document.sections, "Transforms compared", &Section::heading);
    ASSERT_NE(section, document.sections.end());
    const Table& table = std::get<Table>(section->blocks.at(1));
    ASSERT_EQ(table.rows.size(), 4U);
    EXPECT_EQ(table.rows[1][1].text, "o");
    EXPECT_EQ(table.rows[1][2].exact, "12.5"); // mean of 10..15
}

TEST_F(ReportTest, AnalysisPageStartsWithWhatTheSitesCost) {
    writeAnalysis(folder, withLosses(syntheticAnalysis({TransformKind::None, TransformKind::Bdq})));
    const Document document = analysisDocument(loadReportData(folder).value());
    EXPECT_EQ(document.sections.front().heading, "What it costs");
    EXPECT_NE(document.summary.front().value.find("nats (estimated), largest layer 3 down with"),
              std::string::npos)
        << document.summary.front().value;
    const auto worst = std::ranges::find(document.sections, "Worst sites", &Section::heading);
    ASSERT_NE(worst, document.sections.end());
    EXPECT_EQ(std::get<Subheading>(worst->blocks.at(1)).text, "layer 3 down");
    EXPECT_EQ(markupProblem(renderHtml(document), true), "");
}

TEST_F(ReportTest, AnalysisPageWithoutLossesSaysThatNothingIsRanked) {
    writeAnalysis(folder, syntheticAnalysis({TransformKind::None, TransformKind::Bdq}));
    const std::string text = renderMarkdown(analysisDocument(loadReportData(folder).value()));
    EXPECT_NE(text.find("not ranked"), std::string::npos);
    EXPECT_NE(text.find("bdq sensitivity"), std::string::npos);
    EXPECT_EQ(text.find("sum of losses"), std::string::npos);
}

TEST_F(ReportTest, AnalysisPageStandsWithoutSitesOrSchemes) {
    AnalysisResult analysis = syntheticAnalysis({TransformKind::None});
    analysis.sites.clear();
    analysis.spec.schemes.clear();
    const std::string html = renderHtml(analysisDocument({folder, {}, analysis, folder, {}}));
    EXPECT_EQ(markupProblem(html, true), "");
    EXPECT_NE(html.find("no finite values"), std::string::npos);
}

} // namespace
} // namespace bdq::report
