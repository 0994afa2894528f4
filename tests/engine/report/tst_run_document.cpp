#include <cmath>

#include <gtest/gtest.h>

#include "engine/report/builders.h"
#include "tests/engine/report/fixture.h"
#include "tests/engine/report/markup_check.h"

namespace bdq::report {
namespace {

TEST_F(ReportTest, RunPageHoldsWhatAReaderNeeds) {
    const std::string dir = writeRun("r", syntheticRun());
    writeAnalysis(std::filesystem::path(dir) / "analysis",
                  syntheticAnalysis({TransformKind::None, TransformKind::Bdq}));
    const std::string html = renderHtml(runDocument(loadReportData(dir).value()));
    EXPECT_EQ(markupProblem(html, true), "");
    EXPECT_EQ(outsideReference(html), "");
    for (const char* part : {"Tiny: BDQ W4A4KV4", "24.14 ± 1.5 → 39.50 ± 2.5 (8,192 tokens, 2 of 3 layers",
                             "+15.4", "Simulated", "304,978 in the text", "4,608 (9 sequences of 512)",
                             "bdq run m.gguf", "2.11.0", "A GPU", "2026-01-02T03:04:05Z", "1 dead channel",
                             "gptq", "sum p ln p", "arXiv 2605.18800", "after BDQ", "What stays online"})
        EXPECT_NE(html.find(part), std::string::npos) << part;
    // SQNR by layer, Flatness of x and of W for 4 sites each, 3 plots for each of the 4 worst sites.
    EXPECT_EQ(occurrences(html, "<svg"), 1U + 8U + 12U);
    EXPECT_EQ(occurrences(html, "<h3>layer "), 4U);
    EXPECT_EQ(html.find("nan"), std::string::npos);
}

TEST_F(ReportTest, RunPageEscapesTheModelsNameAndPaths) {
    RunResult run = syntheticRun();
    run.model.name = "<script>alert('x')</script>";
    run.spec.modelPath = "a\"><script>b</script>.gguf";
    run.provenance.command = "bdq run '<script>'";
    run.perLayer[0].scheme = "<script>";
    run.text.source = "<script>";
    const std::string html = renderHtml(runDocument({folder, run, {}, {}, {"<script>"}}));
    EXPECT_EQ(html.find("<script"), std::string::npos);
    EXPECT_EQ(markupProblem(html, true), "");
    EXPECT_NE(html.find("&lt;script&gt;alert"), std::string::npos);
}

TEST_F(ReportTest, RunPageStandsWithoutLayersPerplexityOrAnalysis) {
    RunResult run = syntheticRun();
    run.perLayer.clear();
    run.full.reset();
    run.quantized.reset();
    run.status = "cancelled";
    const std::string html = renderHtml(runDocument({folder, run, {}, {}, {}}));
    EXPECT_EQ(markupProblem(html, true), "");
    for (const char* part :
         {"not measured", "This run is cancelled", "No layer was finished", "No histograms were stored"})
        EXPECT_NE(html.find(part), std::string::npos) << part;
}

TEST_F(ReportTest, RunPageShowsNumbersThatAreNone) {
    RunResult run = syntheticRun();
    for (RunSiteResult& row : run.perLayer)
        row.sqnrDb = row.mse = NAN;
    run.quantized->perplexity = NAN;
    const std::string html = renderHtml(runDocument({folder, run, {}, {}, {}}));
    EXPECT_EQ(markupProblem(html, true), "");
    EXPECT_EQ(html.find("nan"), std::string::npos);
    EXPECT_NE(html.find("no finite values"), std::string::npos);
    EXPECT_NE(html.find("layer 0 qkv: the SQNR has no value: the output is 0 throughout"), std::string::npos);
}

TEST_F(ReportTest, MissingHistogramsAreSaidNotHidden) {
    const std::string dir = writeRun("r", syntheticRun());
    writeAnalysis(dir, syntheticAnalysis({TransformKind::None, TransformKind::Bdq}), 0);
    const std::string html = renderHtml(runDocument(loadReportData(dir).value()));
    EXPECT_EQ(occurrences(html, "No histograms: "), 4U);
}

} // namespace
} // namespace bdq::report
