#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include <ATen/ATen.h>

#include "engine/pipeline/site_analyzer.h"
#include "engine/pipeline/site_measurement.h"
#include "engine/quant/affine.h"
#include "tests/engine/model/random_block.h"

namespace bdq {
namespace {

at::Tensor heavyTailed(std::int64_t rows, std::int64_t n, std::uint64_t seed) {
    return testing::randomTensor({rows, n}, seed) * at::exp(testing::randomTensor({n}, seed + 1));
}

TEST(QuantizedOutputError, IntegerProductEqualsTheFloatingPointOne) {
    const at::Tensor x = heavyTailed(1300, 96, 1);
    const at::Tensor w = heavyTailed(64, 96, 5);
    const at::Tensor y = at::linear(x, w);
    for (int bits : {2, 4, 8}) {
        const auto rounded = quant::roundWeights(w, {bits, true, 0}, WeightRounding::Rtn);
        ASSERT_TRUE(rounded) << rounded.error().text();
        const OutputError fast = quantizedOutputError(y, x, *rounded, {bits, true, 0});
        const OutputError plain = outputErrorWithFullWeight(y, x, rounded->dequantize(), {bits, true, 0});
        // The same integers; only the fp32 sum of 96 products differs: sqrt(96) 2^-24 of the output per
        // entry, which at 8 bits (40 dB) is 1e-4 of the noise energy.
        EXPECT_NEAR(fast.noise, plain.noise, 2e-4 * plain.noise) << bits;
        EXPECT_EQ(fast.count, 1300.0 * 64);
    }
}

TEST(QuantizedOutputError, SqnrIsSignalOverNoise) {
    const at::Tensor y = at::ones({2, 2});
    const OutputError error = outputErrorWithFullWeight(y, at::ones({2, 1}), at::full({2, 1}, 0.9), {});
    EXPECT_NEAR(error.sqnrDb(), 20.0, 1e-5); // 0.1 of the amplitude
    EXPECT_NEAR(error.mse(), 0.01, 1e-7);
    EXPECT_TRUE(std::isinf(outputErrorWithFullWeight(y, at::ones({2, 1}), at::ones({2, 1}), {}).sqnrDb()));
}

TEST(DescribeTransformed, KnownNumbers) {
    // One outlier of 10 among 7 x 1: rms^2 = 107/8, kurtosis = (10007/8) / (107/8)^2.
    at::Tensor x = at::ones({2, 4});
    x[1][3] = 10;
    const at::Tensor w = at::ones({3, 4});
    TransformDetail detail;
    const auto found = describeTransformed(x, w, at::linear(x, w).square().sum().item<double>() / 2, detail);
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_NEAR(found->kurtosisActivation, 10007.0 / 8 / std::pow(107.0 / 8, 2), 1e-6);
    EXPECT_EQ(found->absmaxActivation, 10);
    EXPECT_EQ(found->outlierShare, 0);
    // C = sum |x|^2 / sum (2 max)^2 = 107 / (4 + 400).
    EXPECT_NEAR(found->concentrationActivationDb, 10 * std::log10(107.0 / 404), 1e-6);
    EXPECT_NEAR(found->weight.entropyNormalized, 0, 1e-7);
    EXPECT_NEAR(found->weight.channel, 0, 1e-4);
    // All rows of W are equal: y = 3 identical sums. A = E|Wx|^2 / (|W|^2 E|x|^2) with sums 4 and 13.
    EXPECT_NEAR(found->alignmentDb, 10 * std::log10(3 * (16 + 169) / 2.0 / (12 * 107 / 2.0)), 1e-5);
    EXPECT_EQ(detail.noiseActivation.size(), 7U * 4);
    EXPECT_EQ(detail.channelRmsWeight, std::vector<float>(4, 1));
    EXPECT_EQ(detail.channelAbsmaxWeight, std::vector<float>(4, 1));
}

TEST(SiteAnalyzer, PredictionIsCloseToTheMeasurementAndTheHadamardHelps) {
    const at::Tensor x = heavyTailed(2000, 128, 11);
    const at::Tensor w = heavyTailed(96, 128, 13);
    InputStatistics statistics;
    statistics.add(x);
    SiteAnalyzerOptions options;
    options.transforms = {TransformKind::None, TransformKind::Hadamard, TransformKind::CatDiag};
    options.schemes = {parseScheme("W4A4").value(), parseScheme("W8A8").value()};
    auto analyzer = SiteAnalyzer::create({3, Site::Down}, statistics, w, options);
    ASSERT_TRUE(analyzer) << analyzer.error().text();
    analyzer->add(x.narrow(0, 0, 700));
    analyzer->add(x.narrow(0, 700, 1300));
    const auto site = analyzer->finish();
    ASSERT_TRUE(site) << site.error().text();
    EXPECT_EQ(site->sampleTokens, 2000);
    EXPECT_EQ(site->tensors.front(), "model.layers.3.mlp.down_proj");
    for (TransformKind kind : {TransformKind::Hadamard, TransformKind::CatDiag})
        for (const char* scheme : {"W4A4", "W8A8"}) {
            const TransformAnalysis& transformed = site->transforms.at(kind);
            EXPECT_NEAR(transformed.sqnrDbPredicted.at(scheme), transformed.sqnrDbMeasured.at(scheme), 0.3);
            EXPECT_NEAR(transformed.sqnrDbTheorem.at(scheme), transformed.sqnrDbMeasured.at(scheme), 0.3);
        }
    const auto& plain = site->transforms.at(TransformKind::None);
    const auto& cat = site->transforms.at(TransformKind::CatDiag);
    EXPECT_GT(cat.sqnrDbMeasured.at("W4A4"), plain.sqnrDbMeasured.at("W4A4") + 1);
    EXPECT_LT(cat.activation.entropyNormalized, plain.activation.entropyNormalized);
    for (const auto& [kind, detail] : analyzer->detail().transforms) {
        EXPECT_EQ(detail.histogramActivation.total(), 2000 * 128);
        EXPECT_EQ(detail.histogramWeight.total(), 96 * 128);
        EXPECT_EQ(detail.channelRmsActivation.size(), 128U);
    }
    EXPECT_EQ(analyzer->detail().keptTokens, 128);
    const auto& weights = analyzer->detail().keptWeights;
    EXPECT_NEAR(std::accumulate(weights.begin(), weights.end(), 0.0), 2000, 1e-2)
        << "they stand for the whole sample";
    EXPECT_EQ(analyzer->detail().tokenMax.size(), 2000U);
}

TEST(SiteAnalyzer, KeptTokensRepresentASiteThatOneTokenDominates) {
    at::Tensor x = testing::randomTensor({1000, 64}, 21);
    x[777] *= 1000;
    const at::Tensor w = testing::randomTensor({32, 64}, 22);
    InputStatistics statistics;
    statistics.add(x);
    SiteAnalyzerOptions options;
    options.transforms = {TransformKind::None};
    auto analyzer = SiteAnalyzer::create({0, Site::Down}, statistics, w, options);
    ASSERT_TRUE(analyzer);
    analyzer->add(x);
    ASSERT_TRUE(analyzer->finish());
    const SiteDetail& detail = analyzer->detail();
    const at::Tensor kept = at::tensor(at::ArrayRef<float>(detail.keptInputs)).view({detail.keptTokens, 64});
    const at::Tensor weighted = kept.square().sum(1) * at::tensor(at::ArrayRef<float>(detail.keptWeights));
    // 96 of 968 like tokens stand for the rest; they hold a thousandth of the energy: the sum agrees to 1e-4.
    EXPECT_NEAR(weighted.sum().item<double>() / x.square().sum().item<double>(), 1, 1e-4);
}

TEST(SiteAnalyzer, TheSampleIsSpreadOverAllTokens) {
    const at::Tensor x = at::arange(1000).to(at::kFloat).unsqueeze(1).expand({1000, 4}).contiguous() + 1;
    InputStatistics statistics;
    statistics.add(x);
    SiteAnalyzerOptions options;
    options.transforms = {TransformKind::None};
    options.sampleTokens = 100;
    auto analyzer = SiteAnalyzer::create({0, Site::O}, statistics, at::ones({2, 4}), options);
    ASSERT_TRUE(analyzer);
    for (std::int64_t first = 0; first < 1000; first += 125) // not a multiple of the stride 10
        analyzer->add(x.narrow(0, first, 125));
    const at::Tensor expected = at::arange(0, 1000, 10).to(at::kFloat) + 1;
    EXPECT_TRUE(at::equal(analyzer->sample().select(1, 0), expected));
}

} // namespace
} // namespace bdq
