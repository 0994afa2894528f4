#include "engine/pipeline/sensitivity.h"

#include <cmath>
#include <fstream>
#include <stop_token>

#include <unistd.h>

#include <gtest/gtest.h>

#include "engine/pipeline/jobs.h"
#include "tests/e2e/tiny_model.h"

namespace bdq {
namespace {

constexpr int kLayers = 4;
// Rounding of fp32 logits, 1e-6 a token (engine/eval/divergence.h), once on either side.
constexpr double kTolerance = 2e-6;

/// One tiny model, analysed once for all tests.
class SensitivityJob : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        s_folder = std::filesystem::temp_directory_path() / ("bdq-sensitivity-" + std::to_string(::getpid()));
        std::filesystem::create_directories(s_folder);
        e2e::TinyModelOptions options;
        options.layers = kLayers;
        e2e::writeTinyModel(s_folder / "model", options);
        std::ofstream(s_folder / "text.txt") << e2e::sampleText(1500);
        AnalyzeSpec spec;
        spec.modelPath = s_folder / "model";
        spec.outDir = s_folder / "analysis";
        spec.calibration = {s_folder / "text.txt", 4, 64};
        spec.transforms = {TransformKind::None, TransformKind::Hadamard};
        spec.schemes = {"W4A4"};
        spec.device = {"cpu", 1};
        JobContext context;
        const auto analysed = analyze(spec, context);
        ASSERT_TRUE(analysed) << analysed.error().text();
    }
    static void TearDownTestSuite() { std::filesystem::remove_all(s_folder); }

    static SensitivitySpec spec() {
        SensitivitySpec spec;
        spec.analysisDir = s_folder / "analysis";
        spec.weights = {{2, false, 0}, {8, true, 0}};
        spec.text = {{}, 3, 32};
        spec.device = {"cpu", 1};
        return spec;
    }
    static SensitivityResult measured(const SensitivitySpec& spec, double stateBytes = 0) {
        JobContext context;
        auto result = measureSensitivity(spec, context, stateBytes);
        EXPECT_TRUE(result) << result.error().text();
        return result ? *result : SensitivityResult{};
    }

    static std::filesystem::path s_folder;
};
std::filesystem::path SensitivityJob::s_folder;

void expectSameRows(const SensitivityResult& a, const SensitivityResult& b) {
    ASSERT_EQ(a.rows.size(), b.rows.size());
    for (std::size_t i = 0; i < a.rows.size(); ++i) {
        EXPECT_EQ(a.rows[i].key, b.rows[i].key);
        EXPECT_EQ(a.rows[i].outputError, b.rows[i].outputError);
        EXPECT_NEAR(a.rows[i].klDivergence, b.rows[i].klDivergence, kTolerance);
    }
}

TEST_F(SensitivityJob, DoesNotDependOnHowManyLayersGoTogether) {
    const SensitivityResult together = measured(spec());
    EXPECT_EQ(together.rows.size(), kLayers * 4u * 2u);
    expectSameRows(together, measured(spec(), 1)); // a layer at a time
    const double twoLayers = 2.5 * 4 * 2 * 3 * 32 * 64 * sizeof(float);
    expectSameRows(together, measured(spec(), twoLayers));
}

TEST_F(SensitivityJob, ChosenLayersAreThoseOfTheWhole) {
    const SensitivityResult whole = measured(spec());
    SensitivitySpec some = spec();
    some.layers = {1, 3};
    const SensitivityResult part = measured(some, 1);
    ASSERT_EQ(part.rows.size(), 2u * 4u * 2u);
    for (const SensitivityRow& row : part.rows) {
        const SensitivityRow* same = whole.find(row.key, row.transform, row.weight);
        ASSERT_NE(same, nullptr);
        EXPECT_NEAR(same->klDivergence, row.klDivergence, kTolerance);
    }
}

TEST_F(SensitivityJob, NothingQuantizedLosesNothing) {
    SensitivitySpec untouched = spec();
    untouched.weights = {{16, true, 0}};
    untouched.transforms = {TransformKind::None, TransformKind::Hadamard};
    for (const SensitivityRow& row : measured(untouched).rows) {
        EXPECT_EQ(row.outputError, 0);
        EXPECT_EQ(row.predictedError, 0);
        EXPECT_LT(row.klDivergence, kTolerance);
    }
}

TEST_F(SensitivityJob, CoarserActivationsLoseMore) {
    SensitivitySpec coarse = spec();
    coarse.activation = {3, true, 0};
    const SensitivityResult with = measured(coarse);
    const SensitivityResult without = measured(spec());
    for (std::size_t i = 0; i < with.rows.size(); ++i)
        if (with.rows[i].weight.bits == 8) {
            EXPECT_GT(with.rows[i].klDivergence, without.rows[i].klDivergence);
            EXPECT_GT(with.rows[i].outputError, 10 * without.rows[i].outputError);
            // The prediction treats channels as uncorrelated (engine/analysis/sqnr_model.h).
            EXPECT_NEAR(std::log10(with.rows[i].predictedError), std::log10(with.rows[i].outputError), 0.2);
        }
}

TEST_F(SensitivityJob, ProgressReachesItsEndAndCancelStops) {
    double done = 0;
    double total = 0;
    const auto listen = [&](const JobEvent& event) {
        if (const auto* progress = std::get_if<ProgressEvent>(&event)) {
            EXPECT_GE(progress->done, done);
            done = progress->done;
            total = progress->total;
        }
    };
    JobContext context({}, listen);
    ASSERT_TRUE(measureSensitivity(spec(), context, 1));
    EXPECT_NEAR(done, total, 1e-6 * total);
    EXPECT_GT(total, kLayers);
    std::stop_source stop;
    stop.request_stop();
    JobContext cancelled(stop.get_token(), {});
    const auto result = measureSensitivity(spec(), cancelled);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::Cancelled);
}

} // namespace
} // namespace bdq
