#include "engine/report/sensitivity_section.h"

#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engine/report/builders.h"
#include "engine/report/report.h"
#include "tests/engine/report/fixture.h"
#include "tests/engine/report/markup_check.h"

namespace bdq::report {
namespace {

SensitivityResult sensitivityOf(const AnalysisResult& analysis) {
    SensitivityResult result;
    result.activation = {4, true, 0};
    result.klTokens = 1234;
    result.text.source = "t.txt";
    for (const SiteAnalysis& site : analysis.sites)
        for (const int bits : {3, 8})
            result.rows.push_back({site.key, TransformKind::Bdq, {bits, true, 0}, 0.01, 0.1, 0.5 / bits});
    return result;
}

class SensitivitySection : public ReportTest {
protected:
    void write(const std::string& sensitivity) {
        writeAnalysis(folder, syntheticAnalysis({TransformKind::None, TransformKind::Bdq}));
        std::ofstream(folder / kSensitivityFileName) << sensitivity;
    }
};

TEST_F(SensitivitySection, IsPartOfTheReport) {
    const AnalysisResult analysis = syntheticAnalysis({TransformKind::None, TransformKind::Bdq});
    write(encodeSensitivity(sensitivityOf(analysis)));
    const ReportData data = loadReportData(folder).value();
    const std::string html = renderHtml(analysisDocument(data));
    EXPECT_EQ(markupProblem(html, true), "");
    for (const char* part :
         {"Sensitivity", "KL, W3A4", "KL, W8A4", "1,234 tokens of t.txt", "KL of one site"})
        EXPECT_NE(html.find(part), std::string::npos) << part;
    EXPECT_EQ(renderHtml(analysisDocument(data, {ReportSection::Table})).find("KL, W3A4"), std::string::npos);
    const auto json = nlohmann::json::parse(jsonReport(data).value());
    EXPECT_EQ(json["sensitivity"]["kl_tokens"], 1234);
}

TEST_F(SensitivitySection, HasARowForEverySite) {
    const AnalysisResult analysis = syntheticAnalysis({TransformKind::None, TransformKind::Bdq});
    const Section section = sensitivitySection(sensitivityOf(analysis));
    const Table& table = std::get<Table>(section.blocks.back());
    ASSERT_EQ(table.rows.size(), analysis.sites.size());
    ASSERT_EQ(table.columns.size(), 9U);
    EXPECT_EQ(table.rows[0][2].text, "bdq");
    EXPECT_EQ(table.rows[0][4].exact, "0.0625");         // 0.5 / 8
    EXPECT_EQ(table.rows[0][5].text.substr(0, 2), "20"); // an error of 1 % in energy
    EXPECT_EQ(table.rows[0][6].text.substr(0, 2), "10");
}

TEST_F(SensitivitySection, ADamagedFileIsAProblemNotAnError) {
    write("{");
    ReportData data = loadReportData(folder).value();
    EXPECT_FALSE(data.sensitivity);
    ASSERT_EQ(data.problems.size(), 1U);
    EXPECT_NE(data.problems[0].find("sensitivity.json"), std::string::npos);
    write(encodeSensitivity({}));
    data = loadReportData(folder).value();
    EXPECT_FALSE(data.sensitivity);
    ASSERT_EQ(data.problems.size(), 1U);
    EXPECT_NE(data.problems[0].find("no rows"), std::string::npos);
}

} // namespace
} // namespace bdq::report
