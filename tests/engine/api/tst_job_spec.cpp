#include "engine/api/job_spec.h"

#include <functional>

#include <gtest/gtest.h>

#include "tests/engine/api/samples.h"

namespace bdq {
namespace {

TEST(JobSpec, AcceptsTheSamples) {
    for (const JobSpec& spec :
         {JobSpec(samples::analyzeSpec()), JobSpec(samples::runSpec()), JobSpec(samples::evalSpec()),
          JobSpec(samples::reportSpec()), JobSpec(samples::inspectSpec())}) {
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

TEST(JobSpec, RefusesBadOtherJobs) {
    expectRefused<AnalyzeSpec>(samples::analyzeSpec(), "transforms",
                               [](auto& spec) { spec.transforms.clear(); });
    expectRefused<AnalyzeSpec>(samples::analyzeSpec(), "schemes", [](auto& spec) { spec.schemes = {"W44"}; });
    expectRefused<EvalSpec>(samples::evalSpec(), "text",
                            [](auto& spec) { spec.evaluation.textPath.clear(); });
    expectRefused<ReportSpec>(samples::reportSpec(), "dir", [](auto& spec) { spec.dir.clear(); });
    expectRefused<ReportSpec>(samples::reportSpec(), "out", [](auto& spec) { spec.outFile.clear(); });
    expectRefused<InspectSpec>(samples::inspectSpec(), "analysis",
                               [](auto& spec) { spec.analysisDir.clear(); });
}

} // namespace
} // namespace bdq
