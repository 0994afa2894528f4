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
    EXPECT_TRUE(rows[1].ends_with(",,,,,,")) << rows[1]; // nothing is known of tokens and losses
}

TEST(CsvReport, AnalysisHoldsLossesAndTokens) {
    const AnalysisResult analysis = withLosses(syntheticAnalysis({TransformKind::None, TransformKind::Bdq}));
    const std::vector<std::string> rows = lines(csvReport({{}, {}, analysis, {}, {}}));
    EXPECT_NE(rows[0].find("sqnr_token_median W4A4 (dB),sqnr_token_low W4A4 (dB),loss_estimated W4A4 (nats)"),
              std::string::npos);
    EXPECT_NE(rows[0].find("top_token_energy (0..1)"), std::string::npos);
    // W4A4 of layer 0: 7.75 dB, 4.25 dB, 0.001 nats; tokens at W8A8 are not known.
    EXPECT_NE(rows[1].find(",7.75,4.25,0.001,,,"), std::string::npos) << rows[1];
}

} // namespace
} // namespace bdq::report
