#include <algorithm>

#include <gtest/gtest.h>

#include "engine/report/loss_section.h"
#include "tests/engine/report/fixture.h"

namespace bdq::report {
namespace {

using analysis::LossBasis;

ReportData dataOf(AnalysisResult analysis) {
    ReportData data;
    data.analysis = std::move(analysis);
    return data;
}

AnalysisResult plain() {
    return syntheticAnalysis({TransformKind::None, TransformKind::Bdq});
}

std::vector<const Table*> tables(const Section& section) {
    std::vector<const Table*> found;
    for (const Block& block : section.blocks)
        if (const auto* table = std::get_if<Table>(&block)) found.push_back(table);
    return found;
}

std::string texts(const Section& section) {
    std::string all;
    for (const Block& block : section.blocks)
        if (const auto* paragraph = std::get_if<Paragraph>(&block)) all += paragraph->text + "\n";
    return all;
}

TEST(LossSection, RanksByEstimatedLossesAndSaysSo) {
    const ReportData data = dataOf(withLosses(plain()));
    const RankedPlan plan = rankedPlan(data);
    EXPECT_EQ(plan.ranking.basis, LossBasis::Estimated);
    EXPECT_EQ(plan.scheme, "W4A4");
    EXPECT_EQ(plan.transform, TransformKind::Bdq);
    ASSERT_EQ(costliest(plan, 2).size(), 2U);
    EXPECT_EQ(costliest(plan, 2).front(), kCostliest);
    // 0.25 at one site, 0.001 (1 + layer) at the other 23.
    const double sum = 0.25 + 4 * 0.001 * (1 + 2 + 3 + 4 + 5 + 6) - 0.004;
    EXPECT_NEAR(plan.ranking.sum, sum, 1e-12);
    const Section section = lossSection(data);
    EXPECT_NE(texts(section).find("(estimated)"), std::string::npos);
    EXPECT_NE(texts(section).find("1,024 tokens"), std::string::npos);
}

TEST(LossSection, TabulatesSumsByWeightBitsAndEverySite) {
    const ReportData data = dataOf(withLosses(plain()));
    const Section section = lossSection(data);
    const std::vector<const Table*> found = tables(section);
    ASSERT_EQ(found.size(), 2U);
    const Table& sums = *found[0];
    ASSERT_EQ(sums.columns.size(), 1U + 7U);
    EXPECT_EQ(sums.columns[1].title, "W2A4");
    ASSERT_EQ(sums.rows.size(), 5U);
    double all = 0; // of W4A4
    for (std::size_t row = 0; row < 4; ++row)
        all += std::stod(sums.rows[row][3].exact);
    EXPECT_EQ(sums.rows[4][0].text, "all");
    EXPECT_NEAR(std::stod(sums.rows[4][3].exact), all, 1e-12);
    EXPECT_NEAR(all, rankedPlan(data).ranking.sum, 1e-12);
    EXPECT_GT(std::stod(sums.rows[4][1].exact), all); // two bits cost more
    const Table& sites = *found[1];
    ASSERT_EQ(sites.rows.size(), data.analysis->sites.size());
    EXPECT_EQ(sites.rows[0][1].text + " " + sites.rows[0][2].text, "3 down");
    EXPECT_EQ(sites.rows[0][4].text.substr(0, 3), "!! ");
    EXPECT_EQ(sites.rows[0][7].text, "7.8"); // median over the tokens
    EXPECT_EQ(sites.rows[0][9].text, "! 99.9 %");
    EXPECT_EQ(sites.rows[1][9].text, "2.00 %");
    EXPECT_NEAR(std::stod(sites.rows.back()[5].exact), 100, 1e-9); // the shares are shares of all
}

TEST(LossSection, MeasuredLossesComeBeforeEstimatedOnes) {
    ReportData data = dataOf(withLosses(plain()));
    data.sensitivity = syntheticSensitivity(*data.analysis);
    RankedPlan plan = rankedPlan(data);
    EXPECT_EQ(plan.ranking.basis, LossBasis::Measured);
    EXPECT_EQ(costliest(plan, 1).front(), (SiteKey{0, Site::O}));
    EXPECT_NE(texts(lossSection(data)).find("511 tokens of measured.txt"), std::string::npos);
    const Section section = lossSection(data);
    EXPECT_EQ(tables(section)[0]->columns.size(), 2U); // only W4 was measured
    data.sensitivity->rows.pop_back();                 // one site is missing: the two are never mixed
    plan = rankedPlan(data);
    EXPECT_EQ(plan.ranking.basis, LossBasis::Estimated);
    EXPECT_EQ(costliest(plan, 1).front(), kCostliest);
}

TEST(LossSection, ASensitivityOfOtherBitsRanksWhereNothingElseDoes) {
    ReportData data = dataOf(plain());
    data.sensitivity = syntheticSensitivity(*data.analysis);
    data.sensitivity->activation = OperandScheme{}; // the analysis' schemes quantize activations
    const RankedPlan plan = rankedPlan(data);
    EXPECT_EQ(plan.ranking.basis, LossBasis::Measured);
    EXPECT_EQ(plan.scheme, "W4A16");
}

TEST(LossSection, WithoutLossesNothingIsRanked) {
    const ReportData data = dataOf(plain());
    EXPECT_EQ(rankedPlan(data).ranking.basis, LossBasis::None);
    EXPECT_TRUE(costliest(rankedPlan(data), 4).empty());
    EXPECT_TRUE(tables(lossSection(data)).empty());
    EXPECT_NE(texts(lossSection(data)).find("not ranked"), std::string::npos);
}

TEST(LossSection, ARunIsRankedByItsOwnPlan) {
    ReportData data = dataOf(withLosses(plain()));
    data.run = syntheticRun();
    data.run->spec.plan = {};
    data.run->spec.plan.base = parseScheme("W4A4KV4").value();
    EXPECT_EQ(costliest(rankedPlan(data), 1).front(), kCostliest);
    data.run->spec.plan.set(kCostliest, parseScheme("W8A8").value()); // costs 1/256 there
    EXPECT_NE(costliest(rankedPlan(data), 1).front(), kCostliest);
}

} // namespace
} // namespace bdq::report
