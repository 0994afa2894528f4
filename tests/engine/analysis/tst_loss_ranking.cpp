#include "engine/analysis/loss_ranking.h"

#include <cmath>

#include <gtest/gtest.h>

namespace bdq::analysis {
namespace {

const Scheme kW4A4 = parseScheme("W4A4").value();

SiteAnalysis site(SiteKey key, double weightLoss, double activationLoss) {
    SiteAnalysis site;
    site.key = key;
    LossEstimate loss;
    loss.weightSymmetric.fill(10 * weightLoss);
    loss.weightSymmetricSearched.fill(weightLoss);
    loss.activationSymmetric.fill(activationLoss);
    site.transforms[TransformKind::Bdq].loss = loss;
    return site;
}

AnalysisResult analysis() {
    AnalysisResult result;
    result.sites = {site({0, Site::Qkv}, 0.01, 0.02), site({0, Site::O}, 0.04, 0.01),
                    site({1, Site::Qkv}, 0.01, 0.01), site({1, Site::O}, 0.02, 0.01)};
    return result;
}

SensitivityResult sensitivity(std::initializer_list<double> losses) {
    SensitivityResult result;
    result.activation = kW4A4.activation;
    std::size_t i = 0;
    for (const double loss : losses) {
        SensitivityRow row;
        row.key = analysis().sites[i++].key;
        row.transform = TransformKind::Bdq;
        row.weight = kW4A4.weight;
        row.klDivergence = loss;
        result.rows.push_back(row);
    }
    return result;
}

LossRanking rank(const AnalysisResult& result, const SensitivityResult* measured,
                 WeightRounding rounding = WeightRounding::Gptq, const Scheme& scheme = kW4A4) {
    return rankByLoss(result, measured, scheme, TransformKind::Bdq, rounding);
}

TEST(LossRanking, TakesEstimatesWhereNothingWasMeasured) {
    const LossRanking ranking = rank(analysis(), nullptr);
    EXPECT_EQ(ranking.basis, LossBasis::Estimated);
    ASSERT_EQ(ranking.sites.size(), 4u);
    EXPECT_EQ(ranking.sites[0].key, (SiteKey{0, Site::O}));
    // Equal losses stay in the order of the model.
    EXPECT_EQ(ranking.sites[1].key, (SiteKey{0, Site::Qkv}));
    EXPECT_EQ(ranking.sites[2].key, (SiteKey{1, Site::O}));
    EXPECT_NEAR(ranking.sum, 0.13, 1e-12);
    EXPECT_NEAR(ranking.sites[0].share, 0.05 / 0.13, 1e-12);
    EXPECT_EQ(ranking.find({1, Site::Qkv})->loss, 0.02);
    EXPECT_EQ(ranking.find({7, Site::Qkv}), nullptr);
}

TEST(LossRanking, EstimatesFollowTheRounding) {
    EXPECT_NEAR(rank(analysis(), nullptr, WeightRounding::Rtn).find({0, Site::O})->loss, 0.41, 1e-12);
}

TEST(LossRanking, TakesMeasuredLossesWhereAllSitesHaveThem) {
    const SensitivityResult measured = sensitivity({0.1, 0.2, -1e-9, 0.4});
    const LossRanking ranking = rank(analysis(), &measured);
    EXPECT_EQ(ranking.basis, LossBasis::Measured);
    EXPECT_EQ(ranking.sites[0].key, (SiteKey{1, Site::O}));
    EXPECT_EQ(ranking.sites[3].loss, 0.0); // rounding below 0
    EXPECT_NEAR(ranking.sum, 0.7, 1e-12);
}

TEST(LossRanking, NeverMixesTheTwo) {
    const SensitivityResult part = sensitivity({0.1, 0.2, 0.3});
    EXPECT_EQ(rank(analysis(), &part).basis, LossBasis::Estimated);
    const SensitivityResult other = sensitivity({0.1, 0.2, 0.3, 0.4});
    // Measured with A4: says nothing about A8.
    EXPECT_EQ(rank(analysis(), &other, WeightRounding::Mse, parseScheme("W4A8").value()).basis,
              LossBasis::Estimated);
}

TEST(LossRanking, WithoutEitherTheSitesStayInTheirOrder) {
    AnalysisResult result = analysis();
    result.sites[1].transforms[TransformKind::Bdq].loss.reset();
    const LossRanking ranking = rank(result, nullptr);
    EXPECT_EQ(ranking.basis, LossBasis::None);
    ASSERT_EQ(ranking.sites.size(), 4u);
    EXPECT_EQ(ranking.sites[1].key, (SiteKey{0, Site::O}));
    EXPECT_TRUE(std::isnan(ranking.sum));
    EXPECT_TRUE(std::isnan(ranking.sites[0].share));
    EXPECT_EQ(lossBasisName(ranking.basis), "not ranked");
}

} // namespace
} // namespace bdq::analysis
