#include <cmath>

#include <gtest/gtest.h>

#include "engine/report/builders.h"
#include "tests/engine/report/fixture.h"

namespace bdq::report {
namespace {

std::size_t columns(const std::string& line) {
    return occurrences(line, ",") + 1;
}

std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> result;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        result.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return result;
}

TEST(CsvReport, RunHasOneExactRowPerSite) {
    RunResult run = syntheticRun();
    run.perLayer[1].sqnrDb = NAN;
    run.perLayer[2].scheme = "W4g128 A4asym, \"x\"";
    const std::vector<std::string> rows = lines(csvReport({{}, run, {}, {}, {}}));
    ASSERT_EQ(rows.size(), 1 + run.perLayer.size());
    EXPECT_NE(rows[0].find("sqnr (dB)"), std::string::npos);
    EXPECT_EQ(columns(rows[1]), columns(rows[0]));
    EXPECT_EQ(rows[1].find("0,qkv,W4A4KV4,18,"), 0U) << rows[1];
    EXPECT_EQ(rows[2].find("0,o,W4A4KV4,,"), 0U) << rows[2]; // NaN is an empty field
    EXPECT_EQ(rows[3].find("0,gate_up,\"W4g128 A4asym, \"\"x\"\"\","), 0U) << rows[3];
}

TEST(CsvReport, AnalysisHasOneRowPerTransform) {
    AnalysisResult analysis = syntheticAnalysis({TransformKind::None, TransformKind::Bdq});
    analysis.sites[0].transforms[TransformKind::None].sqnrDbTheorem.clear();
    const std::vector<std::string> rows = lines(csvReport({{}, {}, analysis, {}, {}}));
    ASSERT_EQ(rows.size(), 1 + 2 * analysis.sites.size());
    for (const std::string& row : rows)
        EXPECT_EQ(columns(row), columns(rows[0])) << row;
    EXPECT_NE(rows[0].find("sqnr_measured W4A4 (dB)"), std::string::npos);
    EXPECT_EQ(rows[2].find("0,qkv,bdq,"), 0U);
}

} // namespace
} // namespace bdq::report
