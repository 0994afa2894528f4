#include "engine/api/job_spec.h"

#include <functional>
#include <limits>

#include <gtest/gtest.h>

#include "tests/engine/api/samples.h"

namespace bdq {
namespace {

TEST(JobSpec, AcceptsTheSamples) {
    for (const JobSpec& spec : {JobSpec(samples::analyzeSpec()), JobSpec(samples::runSpec()),
                                JobSpec(samples::evalSpec()), JobSpec(samples::reportSpec()),
                                JobSpec(samples::inspectSpec()), JobSpec(samples::sensitivitySpec())}) {
        const Status status = validate(spec);
        EXPECT_TRUE(status) << jobName(spec) << ": " << status.error().text();
    }
}

template <class Spec>
void expectRefused(const Spec& good, std::string_view field, const std::function<void(Spec&)>& spoil) {
    Spec spec = good;
    spoil(spec);
    const Status status = validate(JobSpec(spec));
    ASSERT_FALSE(status) << field;
    EXPECT_EQ(status.error().code, ErrorCode::InvalidSpec);
    EXPECT_NE(status.error().text().find(field), std::string::npos) << status.error().text();
    EXPECT_NE(status.error().text().find("expected"), std::string::npos) << status.error().text();
}

TEST(JobSpec, RefusesBadRunsNamingTheField) {
    const auto refused = [](std::string_view field, const std::function<void(RunSpec&)>& spoil) {
        expectRefused(samples::runSpec(), field, spoil);
    };
    refused("model", [](RunSpec& spec) { spec.modelPath.clear(); });
    refused("model", [](RunSpec& spec) { spec.modelPath = std::string("a\0b", 3); });
    refused("out", [](RunSpec& spec) { spec.outDir.clear(); });
    refused("scheme", [](RunSpec& spec) { spec.plan.base.weight.bits = 1; });
    refused("scheme", [](RunSpec& spec) { spec.plan.base.kv.bits = 12; });
    refused("scheme", [](RunSpec& spec) { spec.plan.base.weight.groupSize = 1; });
    refused("overrides", [](RunSpec& spec) { spec.plan.overrides[{1, Site::O}].activation.bits = 9; });
    refused("overrides", [](RunSpec& spec) { spec.plan.overrides[{-1, Site::O}] = {}; });
    refused("calibration", [](RunSpec& spec) { spec.calibration.source.clear(); });
    refused("sequences", [](RunSpec& spec) { spec.calibration.sequences = 0; });
    refused("seq_len", [](RunSpec& spec) { spec.calibration.sequenceLength = 15; });
    refused("layers", [](RunSpec& spec) { spec.layers = {0, -2}; });
    refused("text", [](RunSpec& spec) { spec.evaluation->textPath.clear(); });
    refused("max_windows", [](RunSpec& spec) { spec.evaluation->maxWindows = -1; });
    refused("threads", [](RunSpec& spec) { spec.device.threads = -1; });
    for (const char* device : {"", "gpu", "cuda:", "cuda:x", "cuda:1234", "cuda:-1", "CPU", "cpu:0"})
        refused("device", [&](RunSpec& spec) { spec.device.device = device; });
}

RunSpec trained(Method method, Preset preset, int sequences) {
    RunSpec spec = samples::runSpec();
    spec.method = method;
    spec.preset = preset;
    spec.calibration.sequences = sequences;
    return spec;
}

TEST(JobSpec, TrainingIsRefusedWhereNothingTrains) {
    const auto refused = [](std::string_view field, const std::function<void(RunSpec&)>& spoil) {
        expectRefused(samples::runSpec(), field, spoil);
    };
    refused("cat-block", [](RunSpec& spec) { spec.preset = Preset::Best; });
    refused("epochs: found 8", [](RunSpec& spec) { spec.training.epochs = 8; });
    refused("e2e_steps: found 5", [](RunSpec& spec) { spec.training.endToEndSteps = 5; });
    refused("loss: found rce", [](RunSpec& spec) { spec.training.loss = LogitLoss::RcePrinted; });
    refused("rate", [](RunSpec& spec) { spec.training.rate = 1e-3; });
    refused("batch: found 2", [](RunSpec& spec) { spec.training.batch = 2; });
    refused("learn_rounding: found true", [](RunSpec& spec) { spec.training.learnRounding = true; });
    refused("quantized_inputs: found true", [](RunSpec& spec) { spec.training.quantizedInputs = true; });
    refused("autocast: found true", [](RunSpec& spec) { spec.training.autocast = true; });
    expectRefused<AnalyzeSpec>(samples::analyzeSpec(), "flatquant",
                               [](auto& spec) { spec.transforms = {TransformKind::FlatQuant}; });
}

TEST(JobSpec, TrainingIsBounded) {
    const auto refused = [](std::string_view field, const std::function<void(RunSpec&)>& spoil) {
        expectRefused(trained(Method::Bdq, Preset::Balanced, 8), field, spoil);
    };
    refused("epochs: found -1", [](RunSpec& spec) { spec.training.epochs = -1; });
    refused("epochs: found 0", [](RunSpec& spec) { spec.training.epochs = 0; }); // nothing left to train
    refused("e2e_steps: found -1", [](RunSpec& spec) { spec.training.endToEndSteps = -1; });
    refused("loss: found ce", [](RunSpec& spec) { spec.training.loss = LogitLoss::CrossEntropy; });
    refused("batch: found 0", [](RunSpec& spec) { spec.training.batch = 0; });
    for (const double rate : {0.0, -1.0, 2.0, std::numeric_limits<double>::quiet_NaN()})
        refused("rate: found", [rate](RunSpec& spec) { spec.training.rate = rate; });
    RunSpec good = trained(Method::Bdq, Preset::Balanced, 8);
    good.training = {2, 10, LogitLoss::CrossEntropy, 1e-3, 2, true, true, true};
    EXPECT_TRUE(validate(good).has_value());
}

TEST(JobSpec, EffectiveRecipeTakesTheChanges) {
    EXPECT_EQ(effectiveRecipe(trained(Method::Bdq, Preset::Best, 64)),
              trainingRecipe(Method::Bdq, Preset::Best));
    RunSpec spec = trained(Method::Bdq, Preset::Best, 3);
    EXPECT_EQ(effectiveRecipe(spec).batch, 3); // there are no four sequences
    spec.training = {2, 10, LogitLoss::CrossEntropy, 1e-2, 2, true, {}, false};
    const TrainingRecipe changed = effectiveRecipe(spec);
    EXPECT_EQ(changed.epochs, 2);
    EXPECT_EQ(changed.endToEndSteps, 10);
    EXPECT_EQ(changed.loss, LogitLoss::CrossEntropy);
    EXPECT_EQ(changed.batch, 2);
    EXPECT_TRUE(changed.learnRounding);
    EXPECT_FALSE(changed.quantizedInputs); // the preset's
    EXPECT_FALSE(changed.autocast);
    EXPECT_DOUBLE_EQ(changed.rate, 1e-2); // twice the preset's, and so are the others
    EXPECT_DOUBLE_EQ(changed.clippingRate, 1e-1);
    EXPECT_DOUBLE_EQ(changed.endToEndRate, 2e-3);
    EXPECT_DOUBLE_EQ(changed.endToEndClippingRate, 2e-2);
    EXPECT_FALSE(effectiveRecipe(samples::runSpec()).trains());
}

TEST(JobSpec, PassesOverTheWholeModelAreCountedInSteps) {
    RunSpec spec = trained(Method::Bdq, Preset::Paper, 128);
    EXPECT_EQ(effectiveRecipe(spec).endToEndSteps, 150 * 32);
    EXPECT_EQ(effectiveRecipe(spec).endToEndEpochs, 0);
    EXPECT_EQ(effectiveRecipe(spec).epochs, 0);
    spec.calibration.sequences = 9;
    spec.training.epochs = 2;
    EXPECT_EQ(effectiveRecipe(spec).endToEndSteps, 2 * 3); // 4 + 4 + 1 sequences
    EXPECT_EQ(effectiveRecipe(spec).epochs, 0);
    spec.training.rate = 1e-3;
    EXPECT_DOUBLE_EQ(effectiveRecipe(spec).endToEndRate, 1e-3);
    EXPECT_DOUBLE_EQ(effectiveRecipe(spec).endToEndClippingRate, 1e-2);
    spec.training.endToEndSteps = 7;
    EXPECT_EQ(effectiveRecipe(spec).endToEndSteps, 7);
    spec = trained(Method::Bdq, Preset::Paper, 1 << 20);
    spec.training = {10000, {}, {}, {}, 1, {}, {}, {}};
    EXPECT_EQ(effectiveRecipe(spec).endToEndSteps, 10'000'000); // bounded, no overflow
}

TEST(JobSpec, RoundingIsThePresetsUnlessChosen) {
    EXPECT_EQ(effectiveRounding(trained(Method::CatBlock, Preset::Fast, 8)),
              WeightRounding::Rtn); // the sample's
    RunSpec spec = trained(Method::Bdq, Preset::Fast, 8);
    spec.rounding.reset();
    EXPECT_EQ(effectiveRounding(spec), WeightRounding::Gptq);
    spec.preset = Preset::Best;
    EXPECT_EQ(effectiveRounding(spec), WeightRounding::Rtn);
}

TEST(JobSpec, RefusesBadOtherJobs) {
    expectRefused<AnalyzeSpec>(samples::analyzeSpec(), "transforms",
                               [](auto& spec) { spec.transforms.clear(); });
    expectRefused<AnalyzeSpec>(samples::analyzeSpec(), "schemes", [](auto& spec) { spec.schemes = {"W44"}; });
    expectRefused<EvalSpec>(samples::evalSpec(), "text", [](auto& spec) {
        spec.evaluation.textPath.clear();
        spec.tasks.clear();
    });
    expectRefused<EvalSpec>(samples::evalSpec(), "tasks", [](auto& spec) { spec.tasks.emplace_back(); });
    expectRefused<EvalSpec>(samples::evalSpec(), "limit", [](auto& spec) { spec.taskLimit = -1; });
    EvalSpec tasksOnly = samples::evalSpec();
    tasksOnly.evaluation.textPath.clear();
    EXPECT_TRUE(validate(tasksOnly));
    expectRefused<ReportSpec>(samples::reportSpec(), "dir", [](auto& spec) { spec.dir.clear(); });
    expectRefused<ReportSpec>(samples::reportSpec(), "out", [](auto& spec) { spec.outFile.clear(); });
    expectRefused<InspectSpec>(samples::inspectSpec(), "analysis",
                               [](auto& spec) { spec.analysisDir.clear(); });
}

} // namespace
} // namespace bdq
