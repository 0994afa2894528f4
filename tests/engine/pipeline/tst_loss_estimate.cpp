#include "engine/pipeline/loss_estimate.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>

#include <unistd.h>

#include <gtest/gtest.h>

#include "engine/pipeline/jobs.h"
#include "engine/pipeline/sensitivity.h"
#include "tests/e2e/tiny_model.h"

namespace bdq {
namespace {

constexpr int kLayers = 6;
const std::vector<TransformKind> kTransforms{TransformKind::None, TransformKind::Hadamard,
                                             TransformKind::CatBlock64};

/// One tiny model, analysed and measured once for all tests.
class LossEstimates : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        s_folder = std::filesystem::temp_directory_path() / ("bdq-losses-" + std::to_string(::getpid()));
        std::filesystem::create_directories(s_folder);
        e2e::TinyModelOptions options;
        options.layers = kLayers;
        e2e::writeTinyModel(s_folder / "model", options);
        std::ofstream(s_folder / "text.txt") << e2e::sampleText(3000);
        s_analysis = analysed("analysis", {});
        SensitivitySpec spec;
        spec.analysisDir = s_folder / "analysis";
        spec.transforms = kTransforms;
        spec.weights = {{7, true, 0}, {8, true, 0}, {16, true, 0}};
        spec.activation = {8, true, 0};
        spec.text = {{}, 8, 64};
        spec.device = {"cpu", 1};
        JobContext context;
        const auto measured = measureSensitivity(spec, context);
        ASSERT_TRUE(measured) << measured.error().text();
        s_measured = *measured;
    }
    static void TearDownTestSuite() { std::filesystem::remove_all(s_folder); }

    static AnalysisResult analysed(const std::string& name, const std::vector<int>& layers,
                                   bool estimate = true) {
        AnalyzeSpec spec;
        spec.modelPath = s_folder / "model";
        spec.outDir = s_folder / name;
        spec.calibration = {s_folder / "text.txt", 8, 64};
        spec.transforms = kTransforms;
        spec.schemes = {"W4A4"};
        spec.layers = layers;
        spec.estimateLosses = estimate;
        spec.device = {"cpu", 1};
        JobContext context;
        const auto result = analyze(spec, context);
        EXPECT_TRUE(result) << result.error().text();
        return result ? *result : AnalysisResult();
    }

    struct Losses {
        std::vector<double> estimated;
        std::vector<double> measured;
    };
    static Losses losses(TransformKind transform, const OperandScheme& weight) {
        Losses found;
        for (const SiteAnalysis& site : s_analysis.sites) {
            found.estimated.push_back(estimatedLoss(site, transform, {weight, s_measured.activation, {}}));
            found.measured.push_back(s_measured.find(site.key, transform, weight)->klDivergence);
        }
        return found;
    }

    static std::filesystem::path s_folder;
    static AnalysisResult s_analysis;
    static SensitivityResult s_measured;
};
std::filesystem::path LossEstimates::s_folder;
AnalysisResult LossEstimates::s_analysis;
SensitivityResult LossEstimates::s_measured;

double sum(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
}

std::vector<double> ranks(const std::vector<double>& values) {
    std::vector<double> found;
    for (const double value : values)
        found.push_back(
            static_cast<double>(std::ranges::count_if(values, [&](double v) { return v < value; })));
    return found;
}

double spearman(const std::vector<double>& a, const std::vector<double>& b) {
    const std::vector<double> x = ranks(a);
    const std::vector<double> y = ranks(b);
    const double mean = sum(x) / static_cast<double>(x.size());
    double xy = 0, xx = 0, yy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        xy += (x[i] - mean) * (y[i] - mean);
        xx += (x[i] - mean) * (x[i] - mean);
        yy += (y[i] - mean) * (y[i] - mean);
    }
    return xy / std::sqrt(xx * yy);
}

// Eight bits: with fewer this random model is far from second order (a third too much without a transform
// already here). 8 x 63 tokens and 2 labels a token: the sum over 24 sites has a standard error of about 10
// %; 50 % are that third and two of them, on any processor.
TEST_F(LossEstimates, AddUpToTheMeasuredLosses) {
    for (const TransformKind transform : kTransforms)
        for (const OperandScheme weight : {OperandScheme{8, true, 0}, OperandScheme{16, true, 0}}) {
            const Losses found = losses(transform, weight);
            ASSERT_EQ(found.estimated.size(), 4u * kLayers);
            EXPECT_NEAR(sum(found.estimated) / sum(found.measured), 1.0, 0.5)
                << transformInfo(transform).id << " " << weight.bits << " " << sum(found.measured);
        }
}

// A permutation of 24 sites at random has a correlation above 0.7 once in 10,000.
TEST_F(LossEstimates, RankTheSites) {
    for (const TransformKind transform : kTransforms)
        for (const OperandScheme weight : {OperandScheme{7, true, 0}, OperandScheme{8, true, 0}}) {
            const Losses found = losses(transform, weight);
            EXPECT_GT(spearman(found.estimated, found.measured), 0.7)
                << transformInfo(transform).id << " " << weight.bits;
        }
}

TEST_F(LossEstimates, FallWithTheBits) {
    for (const SiteAnalysis& site : s_analysis.sites)
        for (const auto& [kind, stats] : site.transforms) {
            ASSERT_TRUE(stats.loss);
            for (std::size_t i = 1; i < stats.loss->weightSymmetric.size(); ++i) {
                EXPECT_LT(stats.loss->weightSymmetric[i], stats.loss->weightSymmetric[i - 1]);
                EXPECT_LT(stats.loss->activationSymmetric[i], stats.loss->activationSymmetric[i - 1]);
                EXPECT_LT(stats.loss->weightSymmetricSearched[i], stats.loss->weightSymmetricSearched[i - 1]);
            }
            ASSERT_TRUE(stats.weightNoiseSymmetricSearched);
            // The search takes the whole range where nothing is better in its norm; in squares it may lose a
            // little.
            EXPECT_LT((*stats.weightNoiseSymmetricSearched)[2], 1.1 * stats.weightNoiseSymmetric[2]);
        }
}

TEST_F(LossEstimates, OfSomeLayersAreThoseOfTheWhole) {
    const AnalysisResult some = analysed("some", {2, 4});
    ASSERT_EQ(some.sites.size(), 8u);
    for (const SiteAnalysis& site : some.sites)
        EXPECT_EQ(site.transforms.at(TransformKind::None).loss,
                  s_analysis.find(site.key)->transforms.at(TransformKind::None).loss);
}

TEST_F(LossEstimates, SayWhatTheyRestOnAndCanBeLeftOut) {
    ASSERT_TRUE(s_analysis.lossEstimate);
    EXPECT_EQ(s_analysis.lossEstimate->sequences, 8);
    EXPECT_EQ(s_analysis.lossEstimate->sequenceLength, 64);
    EXPECT_EQ(s_analysis.lossEstimate->labels, 2);
    const AnalysisResult without = analysed("without", {0}, false);
    EXPECT_FALSE(without.lossEstimate);
    EXPECT_FALSE(without.sites.front().transforms.begin()->second.loss);
}

} // namespace
} // namespace bdq
