#include "engine/analysis/bit_plan.h"

#include <cmath>

#include <gtest/gtest.h>

namespace bdq::analysis {
namespace {

constexpr OperandScheme kW2{2, false, 0};
constexpr OperandScheme kW3{3, true, 0};
constexpr OperandScheme kW4{4, true, 0};
constexpr OperandScheme kW8{8, true, 0};
constexpr OperandScheme kA4{4, true, 0};

/// Weight noise falls fourfold a bit from `scale`; activation noise is a tenth of it.
SiteAnalysis site(SiteKey key, std::int64_t rows, std::int64_t columns, double scale) {
    SiteAnalysis result;
    result.key = key;
    result.outFeatures = rows;
    result.inFeatures = columns;
    result.signalPower = 2;
    TransformAnalysis& transform = result.transforms[TransformKind::Bdq];
    for (std::size_t i = 0; i < transform.weightNoiseSymmetric.size(); ++i) {
        transform.weightNoiseSymmetric[i] = scale * std::pow(4.0, -static_cast<double>(i));
        transform.weightNoiseAsymmetric[i] = 0.9 * transform.weightNoiseSymmetric[i];
        transform.activationNoiseSymmetric[i] = 0.1 * transform.weightNoiseSymmetric[i];
    }
    return result;
}

AnalysisResult analysis(int layers = 3) {
    AnalysisResult result;
    result.model.layers = layers;
    result.spec.transforms = {TransformKind::Bdq};
    for (int layer = 0; layer < layers; ++layer) {
        result.sites.push_back(site({layer, Site::Qkv}, 96, 64, 1.0 + layer));
        result.sites.push_back(site({layer, Site::O}, 64, 64, 0.1 * (1 + layer)));
        result.sites.push_back(site({layer, Site::GateUp}, 320, 64, 2.0));
        result.sites.push_back(site({layer, Site::Down}, 64, 160, layer == 1 ? 50.0 : 0.5));
    }
    return result;
}

SensitivityResult sensitivity(const AnalysisResult& of) {
    SensitivityResult result;
    result.activation = kA4;
    for (const SiteAnalysis& site : of.sites)
        for (const OperandScheme& weight : {kW2, kW3, kW4, kW8})
            result.rows.push_back({site.key, TransformKind::Bdq, weight, 0.5 * std::pow(4.0, -weight.bits), 0,
                                   site.key.layer * std::pow(3.0, -weight.bits)});
    return result;
}

TEST(BitPlan, CountsBitsAsEffectiveWeightBitsDoes) {
    for (const OperandScheme& weight :
         {kW2, kW4, OperandScheme{3, false, 0}, OperandScheme{4, true, 48}, OperandScheme{16, true, 0}}) {
        const double bits = effectiveWeightBits(weight, 160) * 160 * 64;
        EXPECT_NEAR(static_cast<double>(weightBits(weight, 64, 160)), bits, 1e-6) << weightText(weight);
    }
    EXPECT_EQ(weightBits(kW4, 2, 10), 2 * (40 + 16));
    EXPECT_EQ(weightBits(kW2, 2, 10), 2 * (20 + 16 + 2));
    EXPECT_EQ(weightBits({4, true, 4}, 2, 10), 2 * (40 + 3 * 16));
}

TEST(BitPlan, GivesBitsWhereTheLossIs) {
    const AnalysisResult analysed = analysis();
    BitPlanRequest request;
    request.activation = kA4;
    request.kv = {4, false, 0};
    request.budgetOf = kW4;
    request.metric = PlanMetric::Predicted;
    const BitPlan plan = planBits(analysed, nullptr, request).value();
    EXPECT_TRUE(plan.solution.optimal);
    EXPECT_LE(plan.bits, plan.budget);
    ASSERT_NE(plan.bestUniform(), nullptr);
    EXPECT_EQ(plan.bestUniform()->weight, kW4);
    EXPECT_LT(plan.solution.loss, 0.8 * plan.bestUniform()->loss);
    // The plan's own figures, summed again from the sites.
    double loss = 0;
    double bits = 0;
    double weights = 0;
    for (const SiteAnalysis& entry : analysed.sites) {
        const Scheme& scheme = plan.plan.at(entry.key);
        EXPECT_EQ(scheme.activation, kA4);
        EXPECT_EQ(scheme.kv.bits, 4);
        loss += std::pow(10.0, -predictedSqnrDb(entry, TransformKind::Bdq, scheme) / 10.0);
        const double count = static_cast<double>(entry.inFeatures * entry.outFeatures);
        bits += count * effectiveWeightBits(scheme.weight, entry.inFeatures);
        weights += count;
    }
    EXPECT_NEAR(loss, plan.solution.loss, 1e-12 * loss);
    EXPECT_NEAR(bits / weights, plan.bits, 1e-9);
    EXPECT_EQ(plan.plan.at({1, Site::Down}).weight, kW8);
    EXPECT_TRUE(plan.notes.empty());
}

TEST(BitPlan, SumsWhatTheMetricNames) {
    const AnalysisResult analysed = analysis();
    const SensitivityResult measured = sensitivity(analysed);
    BitPlanRequest request;
    request.activation = kA4;
    request.weights = {kW4};
    request.budget = 5;
    const BitPlan kl = planBits(analysed, &measured, request).value();
    EXPECT_EQ(kl.metric, PlanMetric::Kl);
    EXPECT_NEAR(kl.solution.loss, 4 * (0 + 1 + 2) * std::pow(3.0, -4), 1e-15);
    request.metric = PlanMetric::Output;
    EXPECT_NEAR(planBits(analysed, &measured, request).value().solution.loss, 12 * 0.5 / 256, 1e-15);
}

TEST(BitPlan, WholeLayersShareTheirBits) {
    const AnalysisResult analysed = analysis();
    const SensitivityResult measured = sensitivity(analysed);
    BitPlanRequest request;
    request.activation = kA4;
    request.budget = 4.5;
    const BitPlan sites = planBits(analysed, &measured, request).value();
    request.wholeLayers = true;
    const BitPlan layers = planBits(analysed, &measured, request).value();
    EXPECT_LE(sites.solution.loss, layers.solution.loss);
    for (const BitPlanSite& entry : layers.sites)
        EXPECT_EQ(entry.weight, layers.plan.at({entry.key.layer, Site::Qkv}).weight);
    // Layer 0 loses nothing in this sensitivity, layer 2 most.
    EXPECT_EQ(layers.plan.at({0, Site::Down}).weight, kW2);
    EXPECT_GT(layers.plan.at({2, Site::Down}).weight.bits, 3);
}

/// Losses that have nothing to do with the predicted errors: layer 0 loses most.
AnalysisResult estimated() {
    AnalysisResult analysed = analysis();
    for (SiteAnalysis& entry : analysed.sites) {
        LossEstimate loss;
        for (std::size_t i = 0; i < loss.weightSymmetric.size(); ++i) {
            loss.weightSymmetricSearched[i] = std::pow(4.0, -static_cast<double>(i)) / (1 + entry.key.layer);
            loss.weightAsymmetricSearched[i] = loss.weightSymmetricSearched[i];
            loss.weightSymmetric[i] = 2 * loss.weightSymmetricSearched[i];
            loss.activationSymmetric[i] = 1;
        }
        entry.transforms.at(TransformKind::Bdq).loss = loss;
    }
    return analysed;
}

TEST(BitPlan, TakesEstimatedLossesWithoutASensitivity) {
    const AnalysisResult analysed = estimated();
    BitPlanRequest request;
    request.activation = kA4;
    request.weights = {kW4};
    request.budget = 5;
    const BitPlan searched = planBits(analysed, nullptr, request).value();
    EXPECT_EQ(searched.metric, PlanMetric::Estimated);
    EXPECT_NEAR(searched.solution.loss, 12 + 4 * (1 + 1.0 / 2 + 1.0 / 3) / 16, 1e-12);
    request.rounding = WeightRounding::Rtn;
    EXPECT_NEAR(planBits(analysed, nullptr, request).value().solution.loss,
                12 + 2 * 4 * (1 + 1.0 / 2 + 1.0 / 3) / 16, 1e-12);
    request.weights = BitPlanRequest().weights;
    request.rounding = WeightRounding::Mse;
    request.budgetOf = kW4;
    const BitPlan mixed = planBits(analysed, nullptr, request).value();
    int first = 0;
    int last = 0;
    for (const Site site : kLinearSites) {
        first += mixed.plan.at({0, site}).weight.bits;
        last += mixed.plan.at({2, site}).weight.bits;
    }
    EXPECT_GE(first, last);
    EXPECT_LE(mixed.solution.loss, mixed.bestUniform()->loss);
}

TEST(BitPlan, LockedSitesKeepTheirWeightsAndCount) {
    const AnalysisResult analysed = estimated();
    BitPlanRequest request;
    request.budgetOf = kW4;
    const BitPlan free = planBits(analysed, nullptr, request).value();
    request.locked = {{{2, Site::GateUp}, kW8}, {{0, Site::Qkv}, kW2}};
    const BitPlan locked = planBits(analysed, nullptr, request).value();
    EXPECT_EQ(locked.plan.at({2, Site::GateUp}).weight, kW8);
    EXPECT_EQ(locked.plan.at({0, Site::Qkv}).weight, kW2);
    EXPECT_LE(locked.bits, locked.budget);
    EXPECT_GE(locked.solution.loss, free.solution.loss);
    // All uniform plans hold the two, so all W8 is below 8 bits and all W2 above 2.
    EXPECT_LT(locked.uniform.back().bits, free.uniform.back().bits);
    EXPECT_GT(locked.uniform.front().bits, free.uniform.front().bits);
}

TEST(BitPlan, LayersThatWereNotAnalysedAreNamed) {
    AnalysisResult analysed = analysis();
    analysed.model.layers = 6;
    BitPlanRequest request;
    request.budget = 4.5;
    request.metric = PlanMetric::Predicted;
    const BitPlan plan = planBits(analysed, nullptr, request).value();
    ASSERT_EQ(plan.notes.size(), 1u);
    EXPECT_NE(plan.notes.front().find("3-5"), std::string::npos) << plan.notes.front();
    const SensitivityResult measured = sensitivity(analysed);
    request.metric.reset();
    const BitPlan other = planBits(analysed, &measured, request).value();
    EXPECT_NE(other.notes.back().find("A4, the plan has A16"), std::string::npos) << other.notes.back();
}

TEST(BitPlan, RefusesWithAReason) {
    const AnalysisResult analysed = analysis();
    const SensitivityResult measured = sensitivity(analysed);
    const auto refusal = [&](const AnalysisResult& of, const SensitivityResult* with,
                             const BitPlanRequest& request) {
        const Result<BitPlan> plan = planBits(of, with, request);
        EXPECT_FALSE(plan);
        return plan ? std::string() : plan.error().message;
    };
    const auto expect = [](const std::string& message, const char* part) {
        EXPECT_NE(message.find(part), std::string::npos) << message;
    };
    BitPlanRequest request;
    expect(refusal(analysed, nullptr, request), "layer 0, site qkv has no estimated loss under bdq");
    request.metric = PlanMetric::Predicted;
    request.budget = 2;
    expect(refusal(analysed, nullptr, request), "the least with W2, W3, W4, W8 is 2.2");
    request.budget = std::numeric_limits<double>::quiet_NaN();
    expect(refusal(analysed, nullptr, request), "expected more than 0, at most 16");
    request.budget = 4;
    expect(refusal(AnalysisResult(), nullptr, request), "no sites");
    request.metric = PlanMetric::Kl;
    expect(refusal(analysed, nullptr, request), "metric kl needs a measured sensitivity");
    request.weights = {{5, true, 0}};
    expect(refusal(analysed, &measured, request),
           "was not measured with W5 under bdq; measured bit widths: W2");
    request.transform = TransformKind::Hadamard;
    expect(refusal(analysed, &measured, request), "found transform hadamard, the sensitivity has bdq");
    request = {};
    request.wholeLayers = true;
    request.locked[{0, Site::Qkv}] = kW8;
    expect(refusal(analysed, nullptr, request), "1 locked sites and whole layers");
    request = {};
    request.weights.clear();
    expect(refusal(analysed, nullptr, request), "no bit widths");
    AnalysisResult hostile = analysed;
    hostile.sites.front().inFeatures = std::int64_t{1} << 40;
    request = {};
    request.metric = PlanMetric::Predicted;
    expect(refusal(hostile, nullptr, request), "found a weight of 96 x 1099511627776");
    hostile = analysed;
    hostile.sites[5].signalPower = std::numeric_limits<double>::quiet_NaN();
    expect(refusal(hostile, nullptr, request), "layer 1, site o with W2: found the loss");
}

} // namespace
} // namespace bdq::analysis
