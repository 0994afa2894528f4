// What bdq findings says, on an analysis whose answers are known.
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "engine/cli/findings.h"

namespace bdq::cli {
namespace {

constexpr int kLayers = 10;
constexpr TransformKind kTransform = TransformKind::Bdq;

/// Losses that fall by 4 with every bit.
NoiseByBits falling(double atTwoBits) {
    NoiseByBits noise{};
    for (std::size_t i = 0; i < noise.size(); ++i)
        noise[i] = atTwoBits * std::pow(4.0, -static_cast<double>(i));
    return noise;
}

/// Every site loses 16 by its weights at 2 bits and 16 by its activations, so 1 and 1 at 4 bits.
AnalysisResult analysisOf() {
    AnalysisResult analysis;
    analysis.model.name = "Known";
    analysis.model.layers = kLayers;
    for (int layer = 0; layer < kLayers; ++layer)
        for (const Site key : kLinearSites) {
            SiteAnalysis site;
            site.key = {layer, key};
            site.inFeatures = site.outFeatures = 64;
            site.topTokenEnergyShare = 0.01;
            TransformAnalysis transformed;
            transformed.kurtosisActivation = 3;
            LossEstimate loss;
            loss.weightSymmetric = loss.weightSymmetricSearched = falling(16);
            loss.weightAsymmetric = loss.weightAsymmetricSearched = falling(16);
            loss.activationSymmetric = loss.activationAsymmetric = falling(16);
            transformed.loss = loss;
            site.transforms[kTransform] = transformed;
            analysis.sites.push_back(std::move(site));
        }
    return analysis;
}

SiteAnalysis& siteAt(AnalysisResult& analysis, int layer, Site site) {
    return *std::find_if(analysis.sites.begin(), analysis.sites.end(), [&](const SiteAnalysis& one) {
        return one.key.layer == layer && one.key.site == site;
    });
}
LossEstimate& lossAt(AnalysisResult& analysis, int layer, Site site) {
    return *siteAt(analysis, layer, site).transforms.at(kTransform).loss;
}

AnalysisFindings found(const AnalysisResult& analysis, const char* scheme) {
    auto findings = findAnalysis(analysis, nullptr, parseScheme(scheme).value(), kTransform);
    EXPECT_TRUE(findings) << findings.error().text();
    return findings ? *findings : AnalysisFindings{};
}

TEST(Findings, TheWorstSitesComeFirstWithTheirReasons) {
    AnalysisResult analysis = analysisOf();
    lossAt(analysis, 2, Site::Down).activationSymmetric = falling(16 * 9); // 9 + 1
    siteAt(analysis, 2, Site::Down).topTokenEnergyShare = 0.93;
    lossAt(analysis, 3, Site::Qkv).weightSymmetricSearched = falling(16 * 7); // 1 + 7
    siteAt(analysis, 3, Site::Qkv).transforms.at(kTransform).kurtosisActivation = 45;
    lossAt(analysis, 9, Site::GateUp).activationSymmetric = falling(16 * 5);
    lossAt(analysis, 5, Site::O).weightSymmetricSearched = falling(16 * 4);
    const AnalysisFindings findings = found(analysis, "W4A4");
    // 36 sites of 2 and four of 10, 8, 6 and 5.
    EXPECT_NEAR(findings.ranking.sum, 36 * 2 + 10 + 8 + 6 + 5, 1e-9);
    ASSERT_GE(findings.worst.size(), 4U);
    const auto expect = [&](std::size_t at, SiteKey key, double loss, const std::string& reason) {
        EXPECT_EQ(findings.worst[at].ranked.key, key) << at;
        EXPECT_NEAR(findings.worst[at].ranked.loss, loss, 1e-9) << at;
        EXPECT_EQ(findings.worst[at].reason, reason) << at;
    };
    expect(0, {2, Site::Down}, 10,
           "outlier tokens: 0.5 % of them hold 93 % of its inputs' energy; 90 % of it by its activations");
    expect(1, {3, Site::Qkv}, 8,
           "heavy channels: kurtosis 45 under bdq, where a Gaussian has 3; 88 % of it by its weights");
    expect(2, {9, Site::GateUp}, 6,
           "a late layer: little comes after it that dampens its error; 83 % of it by its activations");
    expect(3, {5, Site::O}, 5, "80 % of it by its weights");
    const std::string text = describeFindings(findings, analysis, "folder");
    for (const char* part : {"Known at W4A4", "under bdq", "lose 101 nats a token", "estimated",
                             "The worst of 40", "layer 2 down", "9.9 %", "bdq plan folder --budget"})
        EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
}

// Weights of 64 x 64 take 4 bits and 0.25 for the scale of a row. 0.2 bits more on average are 8 bits for 40
// sites: 2 sites from 4 to 8 bits (of 2, 3, 4 and 8) before others give any back.
TEST(Findings, MoreBitsGoWhereTheyHelpMost) {
    AnalysisResult analysis = analysisOf();
    for (const Site site : {Site::Qkv, Site::Down})
        lossAt(analysis, 4, site).weightSymmetricSearched = falling(16 * 1000);
    const AnalysisFindings findings = found(analysis, "W4A4");
    ASSERT_TRUE(findings.moreBits);
    const MoreBits& more = *findings.moreBits;
    EXPECT_NEAR(more.bitsBefore, 4.25, 1e-9);
    EXPECT_GT(more.bitsAfter, more.bitsBefore);
    EXPECT_NEAR(more.budget, 4.45, 1e-9);
    EXPECT_LE(more.bitsAfter, more.budget + 1e-9);
    EXPECT_NEAR(more.lossBefore, 40 + 38 + 2000, 1e-6);
    // At least those two: 2000 becomes 2000 / 4^4.
    EXPECT_LE(more.lossAfter, 40 + 38 + 2000 / 256.0 + 1e-6);
    EXPECT_GE(more.sites, 2);
}

TEST(Findings, WithoutLossesNothingIsRanked) {
    AnalysisResult analysis = analysisOf();
    for (SiteAnalysis& site : analysis.sites)
        site.transforms.at(kTransform).loss.reset();
    const AnalysisFindings findings = found(analysis, "W4A4");
    EXPECT_TRUE(findings.worst.empty());
    EXPECT_FALSE(findings.moreBits);
    EXPECT_NE(describeFindings(findings, analysis, "folder").find("not ranked"), std::string::npos);
}

TEST(Findings, WeightsThatStayGetNoMoreBits) {
    const AnalysisFindings findings = found(analysisOf(), "W16A4");
    EXPECT_FALSE(findings.moreBits);
    EXPECT_FALSE(findings.worst.empty());
}

RunResult runOf(Method method, Preset preset, double full, double quantized) {
    RunResult run;
    run.spec.method = method;
    run.spec.preset = preset;
    run.spec.plan.base = parseScheme("W4A4KV4").value();
    run.text.source = "calibration.txt";
    run.text.tokens = 4096;
    run.provenance.seconds = 83;
    EvalResult eval;
    eval.text = "sample.txt";
    eval.windows = 2;
    eval.sequenceLength = 2048;
    eval.perplexity = full;
    run.full = eval;
    eval.perplexity = quantized;
    run.quantized = eval;
    return run;
}

TEST(Choices, SayWhatEachGivesOnWhichTokens) {
    RunResult trained = runOf(Method::Bdq, Preset::Balanced, 20, 22.5);
    trained.spec.training.epochs = 2;
    const std::string text = describeChoices(
        {runOf(Method::Rtn, Preset::Fast, 20, 8000), runOf(Method::Bdq, Preset::Fast, 20, 30), trained});
    for (const char* part :
         {"full precision", "20.00", "4,096 tokens of sample.txt", "4,096 tokens of calibration.txt",
          "400 times", "+50.0 %", "bdq:balanced, 2 epochs", "+12.5 %", "1:23",
          "Nearest to the full model: bdq:balanced, 2 epochs, perplexity +12.5 %"})
        EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
}

TEST(Choices, ARunWithoutAPerplexityHasNone) {
    RunResult run = runOf(Method::Rtn, Preset::Fast, 20, 25);
    run.full.reset();
    run.quantized.reset();
    const std::string text = describeChoices({run});
    EXPECT_EQ(text.find("Nearest"), std::string::npos) << text;
    EXPECT_EQ(text.find("full precision"), std::string::npos) << text;
    EXPECT_NE(text.find("rtn:fast"), std::string::npos) << text;
}

} // namespace
} // namespace bdq::cli
