#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engine/report/common_sections.h"
#include "engine/report/report.h"
#include "tests/engine/report/fixture.h"
#include "tests/engine/report/markup_check.h"

namespace bdq::report {
namespace {

using Json = nlohmann::json;

TEST_F(ReportTest, ComparesLayerByLayerAgainstTheFirst) {
    RunResult better = syntheticRun();
    better.spec.method = Method::QuaRot;
    better.quantized->perplexity = 30;
    for (RunSiteResult& row : better.perLayer)
        row.sqnrDb += 2.5;
    better.perLayer.pop_back();
    const std::vector<std::string> dirs{writeRun("one", syntheticRun()), writeRun("two", better)};
    const Json json = Json::parse(renderComparison(dirs, ReportFormat::Json).value());
    EXPECT_TRUE(json.at("warnings").empty()) << json.at("warnings");
    EXPECT_EQ(json.at("runs").at(1).at("perplexity"), 30);
    ASSERT_EQ(json.at("per_layer").size(), 36U);
    EXPECT_NEAR(json.at("per_layer").at(0).at("sqnr_db_difference").at(0).get<double>(), 2.5, 1e-12);
    EXPECT_TRUE(json.at("per_layer").at(35).at("sqnr_db_difference").at(0).is_null());
    const std::string html = renderComparison(dirs, ReportFormat::Html).value();
    EXPECT_EQ(markupProblem(html, true), "");
    EXPECT_EQ(outsideReference(html), "");
    EXPECT_EQ(occurrences(html, "<svg"), 1U);
    EXPECT_EQ(occurrences(html, ">+2.5<"), 35U);
    EXPECT_NE(html.find(">-9.50<"), std::string::npos); // perplexity against #1
    const std::string csv = renderComparison(dirs, ReportFormat::Csv).value();
    EXPECT_EQ(occurrences(csv, "\n"), 37U);
    const std::string markdown = renderComparison(dirs, ReportFormat::Markdown).value();
    EXPECT_NE(markdown.find("## Summary"), std::string::npos);
    EXPECT_NE(markdown.find("quarot W4A4KV4: perplexity 30.00"), std::string::npos);
}

TEST_F(ReportTest, ComparisonNamesFoldersAsShortAsTellsThemApart) {
    const std::vector<std::string> dirs{writeRun("one", syntheticRun()), writeRun("two", syntheticRun())};
    for (const ReportFormat format : {ReportFormat::Markdown, ReportFormat::Html, ReportFormat::Csv}) {
        const std::string text = renderComparison(dirs, format).value();
        EXPECT_EQ(text.find(folder.string()), std::string::npos);
        EXPECT_NE(text.find("two"), std::string::npos);
    }
    using Names = std::vector<std::string>;
    EXPECT_EQ(shortNames({"/x/a/run", "/x/b/run/", "/x/b/other"}), (Names{"a/run", "b/run", "other"}));
    EXPECT_EQ(shortNames({"/x/run", "/x/run"}), (Names{"run", "run"}));
    EXPECT_EQ(shortNames({"run", "b/run"}), (Names{"run", "b/run"}));
    EXPECT_EQ(lastName("/models/llama/"), "llama");
    EXPECT_EQ(lastName(""), "");
}

TEST_F(ReportTest, WarnsWhereRunsDoNotCompare) {
    RunResult other = syntheticRun();
    other.model.name = "Other";
    other.parameters = 5;
    other.text.sha256 = "ff";
    other.quantized->text = "c4.txt";
    other.quantized->sequenceLength = 1024;
    other.quantized->windows = 9;
    other.quantized->tokens = 1;
    other.status = "cancelled";
    const Json json = Json::parse(
        renderComparison({writeRun("one", syntheticRun()), writeRun("two", other)}, ReportFormat::Json)
            .value());
    EXPECT_EQ(json.at("warnings").size(), 8U) << json.at("warnings").dump(1);
    for (const char* part : {"Other", "c4.txt", "1024", "window length", "cancelled"})
        EXPECT_NE(json.at("warnings").dump().find(part), std::string::npos) << part;
    other.quantized.reset();
    const Json without = Json::parse(
        renderComparison({writeRun("one", syntheticRun()), writeRun("two", other)}, ReportFormat::Json)
            .value());
    EXPECT_NE(without.at("warnings").dump().find("whether perplexity was measured"), std::string::npos);
}

TEST_F(ReportTest, RefusesFewerThanTwoRuns) {
    EXPECT_EQ(renderComparison({}, ReportFormat::Html).error().code, ErrorCode::InvalidSpec);
    EXPECT_EQ(renderComparison({writeRun("one", syntheticRun())}, ReportFormat::Html).error().code,
              ErrorCode::InvalidSpec);
    EXPECT_EQ(
        renderComparison({writeRun("one", syntheticRun()), (folder / "none").string()}, ReportFormat::Html)
            .error()
            .code,
        ErrorCode::NotFound);
}

} // namespace
} // namespace bdq::report
