#include "engine/report/report_data.h"

#include <fstream>

#include "tests/engine/report/fixture.h"

namespace bdq::report {
namespace {

TEST_F(ReportTest, RefusesAFolderWithoutAResult) {
    for (const std::filesystem::path& dir : {folder, folder / "none"}) {
        const Result<ReportData> data = loadReportData(dir);
        ASSERT_FALSE(data);
        EXPECT_EQ(data.error().code, ErrorCode::NotFound);
        EXPECT_NE(data.error().message.find(dir.string()), std::string::npos);
        EXPECT_NE(data.error().message.find("run.json"), std::string::npos);
    }
}

TEST_F(ReportTest, RefusesADamagedResultNamingTheFile) {
    const std::string dir = writeRun("r", syntheticRun());
    std::filesystem::resize_file(dir + "/run.json", 1000);
    const Result<ReportData> data = loadReportData(dir);
    ASSERT_FALSE(data);
    EXPECT_EQ(data.error().code, ErrorCode::BadFormat);
    EXPECT_NE(data.error().message.find("run.json"), std::string::npos);
}

TEST_F(ReportTest, TakesTheRunsOwnAnalysis) {
    const std::string dir = writeRun("r", syntheticRun());
    EXPECT_FALSE(loadReportData(dir)->analysis);
    writeAnalysis(dir, syntheticAnalysis({TransformKind::None, TransformKind::Bdq}));
    EXPECT_EQ(loadReportData(dir)->analysisDir, dir);
    writeAnalysis(std::filesystem::path(dir) / "analysis",
                  syntheticAnalysis({TransformKind::None, TransformKind::Bdq}));
    const Result<ReportData> data = loadReportData(dir);
    EXPECT_EQ(data->analysisDir, std::filesystem::path(dir) / "analysis");
    EXPECT_TRUE(data->problems.empty());
    EXPECT_TRUE(loadSiteDetail(*data, data->analysis->sites[0]));
}

TEST_F(ReportTest, ABrokenAnalysisIsAProblemNotAnError) {
    const std::string dir = writeRun("r", syntheticRun());
    std::ofstream(dir + "/analysis.json") << "{";
    const Result<ReportData> data = loadReportData(dir);
    ASSERT_TRUE(data);
    EXPECT_FALSE(data->analysis);
    ASSERT_EQ(data->problems.size(), 1U);
    EXPECT_NE(data->problems[0].find("analysis.json"), std::string::npos);
    AnalysisResult other = syntheticAnalysis({TransformKind::None});
    other.model.layers = 99;
    writeAnalysis(dir, other, 0);
    const Result<ReportData> again = loadReportData(dir);
    ASSERT_EQ(again->problems.size(), 1U);
    EXPECT_NE(again->problems[0].find("99"), std::string::npos) << again->problems[0];
}

TEST_F(ReportTest, WhatIsOfOtherWeightsIsLeftOutWithWords) {
    const std::string dir = writeRun("r", syntheticRun());
    AnalysisResult other = syntheticAnalysis({TransformKind::None});
    other.modelFingerprint = "another";
    writeAnalysis(dir, other, 0);
    const Result<ReportData> data = loadReportData(dir);
    ASSERT_TRUE(data);
    EXPECT_FALSE(data->analysis);
    ASSERT_EQ(data->problems.size(), 1U);
    EXPECT_NE(data->problems[0].find("other weights"), std::string::npos) << data->problems[0];
    other.modelFingerprint.clear(); // made before results named their weights
    writeAnalysis(dir, other, 0);
    EXPECT_TRUE(loadReportData(dir)->analysis);
}

} // namespace
} // namespace bdq::report
