#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engine/report/builders.h"
#include "tests/engine/report/fixture.h"

namespace bdq::report {
namespace {

using Json = nlohmann::json;

TEST(JsonReport, HoldsTheStoredRunAndWhatFollowsFromIt) {
    RunResult run = syntheticRun();
    run.perLayer.resize(3);
    run.perLayer[0].sqnrDb = 10;
    run.perLayer[1].sqnrDb = NAN;
    run.perLayer[2].sqnrDb = 5;
    const Json report = Json::parse(jsonReport({{}, run, {}, {}, {"a problem"}}).value());
    EXPECT_EQ(report.at("schema"), 1);
    EXPECT_EQ(report.at("kind"), "run");
    EXPECT_EQ(report.at("result"), Json::parse(encodeRun(run)));
    EXPECT_DOUBLE_EQ(report.at("derived").at("perplexity_gap"), 39.5 - 24.145);
    EXPECT_DOUBLE_EQ(report.at("derived").at("perplexity_ratio"), 39.5 / 24.145);
    EXPECT_DOUBLE_EQ(report.at("derived").at("mean_sqnr_db"), 7.5);
    EXPECT_EQ(report.at("derived").at("sites_without_finite_sqnr"), 1);
    EXPECT_EQ(report.at("derived").at("worst_sites").at(0), Json({{"layer", 0}, {"site", "gate_up"}}));
    EXPECT_EQ(report.at("problems").at(0), "a problem");
}

TEST(JsonReport, RanksTheSitesByLoss) {
    ReportData data;
    data.analysis = withLosses(syntheticAnalysis({TransformKind::None, TransformKind::Bdq}));
    const Json ranking = Json::parse(jsonReport(data).value()).at("derived").at("ranking");
    EXPECT_EQ(ranking.at("basis"), "estimated");
    EXPECT_EQ(ranking.at("scheme"), "W4A4");
    EXPECT_EQ(ranking.at("sites").size(), data.analysis->sites.size());
    EXPECT_EQ(ranking.at("sites").at(0).at("site"), "down");
    double sum = 0;
    for (const Json& site : ranking.at("sites"))
        sum += site.at("loss_nats").get<double>();
    EXPECT_NEAR(ranking.at("sum_nats"), sum, 1e-12);
    data.run = syntheticRun();
    data.run->spec.plan = {};
    data.run->spec.plan.base = parseScheme("W4A4").value();
    const Json derived = Json::parse(jsonReport(data).value()).at("derived");
    EXPECT_EQ(derived.at("worst_sites_by"), "loss");
    EXPECT_EQ(derived.at("worst_sites").at(0), Json({{"layer", 3}, {"site", "down"}}));
    data.analysis->lossEstimate.reset();
    for (SiteAnalysis& site : data.analysis->sites)
        for (auto& [kind, value] : site.transforms)
            value.loss.reset();
    const Json unranked = Json::parse(jsonReport(data).value()).at("derived");
    EXPECT_EQ(unranked.at("worst_sites_by"), "sqnr_db");
    EXPECT_EQ(unranked.at("ranking").at("basis"), "not ranked");
    EXPECT_TRUE(unranked.at("ranking").at("sites").empty());
}

TEST(JsonReport, HoldsTheStoredAnalysis) {
    AnalysisResult analysis = syntheticAnalysis({TransformKind::None});
    double sum = 0;
    for (const SiteAnalysis& site : analysis.sites)
        sum += site.transforms.at(TransformKind::None).sqnrDbMeasured.at("W4A4");
    const Json report = Json::parse(jsonReport({{}, {}, analysis, {}, {}}).value());
    EXPECT_EQ(report.at("kind"), "analysis");
    EXPECT_EQ(report.at("result"), Json::parse(encodeAnalysis(analysis)));
    EXPECT_DOUBLE_EQ(report.at("derived").at("mean_sqnr_db_measured").at("none").at("W4A4"),
                     sum / static_cast<double>(analysis.sites.size()));
}

} // namespace
} // namespace bdq::report
