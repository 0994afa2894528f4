#include "engine/api/results.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/engine/api/samples.h"

namespace bdq {
namespace {

TEST(Results, FindsSites) {
    const AnalysisResult result = samples::analysis();
    ASSERT_NE(result.find({2, Site::Down}), nullptr);
    EXPECT_EQ(result.find({2, Site::Down})->key.layer, 2);
    EXPECT_EQ(result.find({2, Site::O}), nullptr);
}

TEST(Results, PredictsFromTheStoredNoise) {
    const SiteAnalysis site = samples::site({0, Site::Qkv});
    const auto sqnr = [&](std::string_view scheme) {
        return predictedSqnrDb(site, TransformKind::None, parseScheme(scheme).value());
    };
    // samples.h: signal 1000; noise at b bits: activation 8 (sym), 4 (asym), weight 2 (sym), 1 (asym), times
    // 4^(2 - b).
    const double quarterNoise = std::pow(4.0, -2.0);
    EXPECT_NEAR(sqnr("W4A4"), 10 * std::log10(1000 / (10 * quarterNoise)), 1e-12);
    EXPECT_NEAR(sqnr("W4 A4asym"), 10 * std::log10(1000 / (6 * quarterNoise)), 1e-12);
    EXPECT_NEAR(sqnr("W2A16"), 10 * std::log10(1000 / 1.0), 1e-12); // asymmetric at 2 bits
    EXPECT_NEAR(sqnr("W2sym"), 10 * std::log10(1000 / 2.0), 1e-12);
    EXPECT_NEAR(sqnr("W16A8"), 10 * std::log10(1000 / (8 * std::pow(4.0, -6.0))), 1e-12);
    EXPECT_NEAR(sqnr("W4A4:g128"), sqnr("W4A4"), 0.0);
    EXPECT_TRUE(std::isinf(sqnr("W16KV4")) && sqnr("W16KV4") > 0);
}

TEST(Results, PredictsWithTheRangesOfTheRounding) {
    const SiteAnalysis site = samples::site({0, Site::Qkv});
    const Scheme scheme = parseScheme("W4A16").value();
    // Searched noise of symmetric weights in samples.h: half of the noise with ranges from the extremes.
    EXPECT_NEAR(predictedSqnrDb(site, TransformKind::None, scheme, WeightRounding::Gptq) -
                    predictedSqnrDb(site, TransformKind::None, scheme),
                10 * std::log10(2.0), 1e-12);
}

TEST(Results, EstimatesTheLossFromBothOperands) {
    const SiteAnalysis site = samples::site({0, Site::Qkv});
    const auto loss = [&](std::string_view scheme, WeightRounding rounding) {
        return estimatedLoss(site, TransformKind::Bdq, parseScheme(scheme).value(), rounding);
    };
    // samples.h: bdq starts at 2; at 4 bits a sixteenth.
    EXPECT_NEAR(loss("W4A4", WeightRounding::Rtn), 2 * (0.6 + 0.4) / 16, 1e-12);
    EXPECT_NEAR(loss("W4A4", WeightRounding::Mse), 2 * (0.6 + 0.2) / 16, 1e-12);
    EXPECT_NEAR(loss("W2A16", WeightRounding::Mse), 2 * 0.1, 1e-12); // asymmetric at 2 bits
    EXPECT_NEAR(loss("W16 A8asym", WeightRounding::Rtn), 2 * 0.5 / 4096, 1e-12);
    EXPECT_EQ(loss("W16", WeightRounding::Rtn), 0.0);
    EXPECT_TRUE(std::isnan(estimatedLoss(site, TransformKind::Hadamard, parseScheme("W4A4").value())));
}

TEST(Results, PredictsNothingForAnUnknownTransform) {
    const SiteAnalysis site = samples::site({0, Site::Qkv});
    EXPECT_TRUE(std::isnan(predictedSqnrDb(site, TransformKind::Hadamard, parseScheme("W4A4").value())));
    Scheme broken;
    broken.weight.bits = 9;
    EXPECT_TRUE(std::isnan(predictedSqnrDb(site, TransformKind::None, broken)));
}

TEST(Results, AnOutputOfZerosHasNoPrediction) {
    SiteAnalysis site = samples::site({0, Site::Qkv});
    site.signalPower = 0;
    for (const char* scheme : {"W4A4", "W16KV4"})
        EXPECT_TRUE(std::isnan(predictedSqnrDb(site, TransformKind::None, parseScheme(scheme).value())));
}

TEST(Results, OneDefinitionOfAverageBits) {
    RunResult run = samples::run(); // layers 1 and 2 of 3
    EXPECT_EQ(averageBitsText(run), "12.25 bit (4.28 in the 2 quantized layers of 3)");
    run.spec.layers = {1};
    EXPECT_EQ(averageBitsText(run), "12.25 bit (4.28 in the 1 quantized layer of 3)");
    run.spec.layers = {};
    EXPECT_EQ(averageBitsText(run), "12.25 bit");
}

TEST(Results, SaysWhatStandsInFrontOfAText) {
    TextInfo text = samples::text();
    EXPECT_EQ(bosText(text), "BOS in front");
    text.source = "self";
    EXPECT_EQ(bosText(text), "BOS in front of every sequence");
    text.bos = false;
    EXPECT_EQ(bosText(text), "no BOS");
}

TEST(Results, TheErrorOfAPerplexityFollowsFromThatOfItsLogarithm) {
    const EvalResult eval = samples::eval();
    EXPECT_EQ(eval.perplexityError(), 24.145 * 0.0625);
    EXPECT_EQ(eval.measuredTokens(), 4 * 2048);
}

} // namespace
} // namespace bdq
