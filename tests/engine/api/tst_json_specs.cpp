#include <gtest/gtest.h>

#include "tests/engine/api/samples.h"

namespace bdq {
namespace {

TEST(JsonSpecs, EverySpecSurvivesItsText) {
    std::vector<JobSpec> specs{samples::analyzeSpec(), samples::runSpec(),     samples::evalSpec(),
                               samples::reportSpec(),  samples::inspectSpec(), samples::sensitivitySpec()};
    specs.emplace_back(std::in_place_type<RunSpec>);
    specs.emplace_back(std::in_place_type<AnalyzeSpec>);
    specs.emplace_back(std::in_place_type<SensitivitySpec>);
    for (const JobSpec& spec : specs) {
        const std::string text = encodeSpec(spec);
        const Result<JobSpec> again = decodeSpec(text);
        ASSERT_TRUE(again) << again.error().text();
        EXPECT_EQ(again->index(), spec.index());
        EXPECT_EQ(encodeSpec(*again), text);
        EXPECT_EQ(text.find("{\"schema\":1,\"job\":\"" + std::string(jobName(spec)) + "\""), 0U) << text;
    }
}

TEST(JsonSpecs, FieldsLandWhereTheyBelong) {
    const JobSpec spec = decodeSpec(encodeSpec(samples::runSpec())).value();
    const auto& run = std::get<RunSpec>(spec);
    EXPECT_EQ(run.plan, samples::plan());
    EXPECT_EQ(run.method, Method::CatBlock);
    EXPECT_EQ(run.rounding, WeightRounding::Rtn);
    EXPECT_EQ(run.calibration.source, "c.txt");
    EXPECT_EQ(run.calibration.sequences, 9);
    EXPECT_EQ(run.calibration.sequenceLength, 64);
    EXPECT_EQ(run.layers, (std::vector<int>{1, 2}));
    ASSERT_TRUE(run.evaluation);
    EXPECT_EQ(run.evaluation->textPath, "t.txt");
    EXPECT_EQ(run.evaluation->sequenceLength, 256);
    EXPECT_EQ(run.evaluation->maxWindows, 4);
    EXPECT_EQ(run.seed, 42U);
    EXPECT_TRUE(run.resume);
    EXPECT_EQ(run.device.device, "cpu");
    EXPECT_EQ(run.device.threads, 2);
    const JobSpec other = decodeSpec(encodeSpec(samples::analyzeSpec())).value();
    const auto& analysis = std::get<AnalyzeSpec>(other);
    EXPECT_EQ(analysis.seed, 0xffffffffffffffffULL);
    EXPECT_EQ(analysis.transforms, samples::analyzeSpec().transforms);
    EXPECT_EQ(analysis.schemes, samples::analyzeSpec().schemes);
    EXPECT_EQ(analysis.layers, samples::analyzeSpec().layers);
}

TEST(JsonSpecs, SensitivitySurvivesFieldByField) {
    const SensitivitySpec before = samples::sensitivitySpec();
    const JobSpec spec = decodeSpec(encodeSpec(before)).value();
    const auto& after = std::get<SensitivitySpec>(spec);
    EXPECT_EQ(after.analysisDir, before.analysisDir);
    EXPECT_EQ(after.modelPath, before.modelPath);
    EXPECT_EQ(after.weights, before.weights);
    EXPECT_EQ(after.activation, before.activation);
    EXPECT_EQ(after.transforms, before.transforms);
    EXPECT_EQ(after.layers, before.layers);
    EXPECT_EQ(after.rounding, before.rounding);
    EXPECT_EQ(after.text.source, before.text.source);
    EXPECT_EQ(after.text.sequences, before.text.sequences);
    EXPECT_EQ(after.text.sequenceLength, before.text.sequenceLength);
    EXPECT_EQ(after.device.device, before.device.device);
    EXPECT_EQ(after.device.threads, before.device.threads);
    SensitivitySpec standard;
    standard.analysisDir = "a";
    const JobSpec least = decodeSpec(R"({"schema": 1, "job": "sensitivity", "analysis": "a"})").value();
    EXPECT_EQ(encodeSpec(least), encodeSpec(standard));
}

TEST(JsonSpecs, LeftOutOptionsHaveTheirDefaults) {
    const JobSpec spec =
        decodeSpec(R"({"schema": 1, "job": "run", "model": "m", "out": "o", "scheme": "W4A4"})").value();
    RunSpec expected;
    expected.modelPath = "m";
    expected.outDir = "o";
    expected.plan.base = parseScheme("W4A4").value();
    expected.calibration.bos = BosMode::Off; // a spec without it is from before there was a choice
    EXPECT_EQ(encodeSpec(spec), encodeSpec(expected));
}

TEST(JsonSpecs, TrainingChangesSurvive) {
    RunSpec run = samples::runSpec();
    EXPECT_EQ(encodeSpec(run).find("epochs"), std::string::npos); // reads as before there was training
    run.method = Method::Bdq;
    run.preset = Preset::Best;
    run.training = {2, 10, LogitLoss::RceSafe, 1.0 / 3, 8, true, false, true};
    const JobSpec again = decodeSpec(encodeSpec(run)).value();
    EXPECT_EQ(std::get<RunSpec>(again).training, run.training);
    EXPECT_EQ(std::get<RunSpec>(again).preset, Preset::Best);
    run.training = {};
    run.training.endToEndSteps = 0;
    const JobSpec none = decodeSpec(encodeSpec(run)).value();
    EXPECT_EQ(std::get<RunSpec>(none).training, run.training);
}

TEST(JsonSpecs, PresetGivesWhatIsLeftOut) {
    const std::string head = R"({"schema": 1, "job": "run", "model": "m", "out": "o", "scheme": "W4A4", )";
    const JobSpec first = decodeSpec(head + R"("method": "flatquant"})").value();
    EXPECT_EQ(std::get<RunSpec>(first).preset, Preset::Balanced);
    EXPECT_EQ(std::get<RunSpec>(first).calibration.sequences, 64);
    const JobSpec paper = decodeSpec(head + R"("method": "flatquant", "preset": "paper"})").value();
    EXPECT_EQ(std::get<RunSpec>(paper).calibration.sequences, 128);
}

// A spec.json as version 0.1 wrote it.
TEST(JsonSpecs, SpecsOfTheFirstVersionStillRead) {
    const std::string_view old =
        R"({"schema":1,"job":"run","model":"m.gguf","out":"o","scheme":"W4A4KV4","overrides":[],"method":"cat-block",)"
        R"("preset":"fast","weights":null,"calibration":"self","samples":8,"seq_len":512,"layers":[],"eval":null,)"
        R"("seed":0,"resume":false,"device":"cpu","threads":2})";
    const Result<JobSpec> spec = decodeSpec(old);
    ASSERT_TRUE(spec) << spec.error().text();
    EXPECT_EQ(std::get<RunSpec>(*spec).method, Method::CatBlock);
    EXPECT_EQ(std::get<RunSpec>(*spec).training, TrainingOverrides{});
    EXPECT_EQ(encodeSpec(*spec), old); // so that its run can be resumed
}

TEST(JsonSpecs, BothTextsOfARunAreReadAlike) {
    RunSpec run = samples::runSpec();
    run.calibration.bos = BosMode::On;
    const Status mixed = validate(run);
    ASSERT_FALSE(mixed);
    EXPECT_NE(mixed.error().message.find("bos"), std::string::npos) << mixed.error().message;
    run.evaluation->bos = BosMode::On;
    const JobSpec again = decodeSpec(encodeSpec(run)).value();
    EXPECT_EQ(std::get<RunSpec>(again).calibration.bos, BosMode::On);
    EXPECT_EQ(std::get<RunSpec>(again).evaluation->bos, BosMode::On);
}

TEST(JsonSpecs, StandardOutputIsNoFolder) {
    RunSpec run = samples::runSpec();
    run.outDir = "-";
    AnalyzeSpec analyze = samples::analyzeSpec();
    analyze.outDir = "-";
    SensitivitySpec sensitivity = samples::sensitivitySpec();
    sensitivity.analysisDir = "-";
    for (const JobSpec& spec : {JobSpec(run), JobSpec(analyze), JobSpec(sensitivity)}) {
        const Status status = validate(spec);
        ASSERT_FALSE(status);
        EXPECT_NE(status.error().message.find("standard output"), std::string::npos)
            << status.error().message;
    }
    run.outDir = "./-";
    EXPECT_TRUE(validate(run));
}

struct HostileText {
    std::string text;
    std::string_view named;
};

void expectRefused(const std::vector<HostileText>& rows) {
    for (const HostileText& row : rows) {
        const Result<JobSpec> spec = decodeSpec(row.text);
        ASSERT_FALSE(spec) << row.text;
        EXPECT_EQ(spec.error().code, ErrorCode::InvalidSpec);
        EXPECT_NE(spec.error().message.find(row.named), std::string::npos) << row.text << "\n"
                                                                           << spec.error().message;
    }
}

TEST(JsonSpecs, RefusesHostileTextNamingThePlace) {
    const std::string run = R"({"schema": 1, "job": "run", "model": "m", "out": "o", "scheme": "W4A4")";
    const std::string analyze = R"({"schema": 1, "job": "analyze", "model": "m", "out": "o")";
    expectRefused({
        {"", "JSON"},
        {"{}", "schema"},
        {R"({"schema": 2, "job": "run"})", "schema: found 2"},
        {R"({"schema": 1})", "job"},
        {R"({"schema": 1, "job": "fly"})", "fly"},
        {R"({"schema": 1, "job": "run", "out": "o", "scheme": "W4A4"})", "model"},
        {R"({"schema": 1, "job": "run", "model": "m", "out": "o"})", "scheme"},
        {R"({"schema": 1, "job": "run", "model": "m", "out": "o", "scheme": "W5.5"})", "W5.5"},
        {run + R"(, "methud": "bdq"})", "methud"},
        {run + R"(, "method": "magic"})", "magic"},
        {run + R"(, "preset": "slow"})", "slow"},
        {run + R"(, "method": "rtn", "preset": "paper"})", "preset: found \"paper\", expected fast"},
        {run + R"(, "epochs": -1})", "epochs"},
        {run + R"(, "e2e_steps": 1.5})", "e2e_steps"},
        {run + R"(, "loss": "mse"})", "mse"},
        {run + R"(, "rate": 0})", "rate"},
        {run + R"(, "rate": "fast"})", "rate"},
        {run + R"(, "batch": 0})", "batch"},
        {run + R"(, "weights": "best"})", "best"},
        {run + R"(, "bos": "maybe"})", "bos: found \"maybe\", expected auto, on or off"},
        {run + R"(, "samples": 0})", "samples"},
        {run + R"(, "samples": 1e3})", "samples"},
        {run + R"(, "seq_len": 99999999999})", "seq_len"},
        {run + R"(, "layers": [0, -1]})", "layers"},
        {run + R"(, "layers": "0-3"})", "layers"},
        {run + R"(, "seed": -1})", "seed"},
        {run + R"(, "resume": 1})", "resume"},
        {run + R"(, "eval": "t", "max_windows": -1})", "max_windows"},
        {run + R"(, "threads": 100000})", "threads"},
        {run + R"(, "overrides": [{"layer": 0, "site": "mlp", "scheme": "W8"}]})", "overrides[0].site"},
        {run +
             R"(, "overrides": [{"layer": 0, "site": "o", "scheme": "W8"}, {"layer": 0, "site": "o", "scheme": "W7"}]})",
         "second entry"},
        {run + R"(, "overrides": [{"layer": 0, "site": "o", "scheme": "W8", "x": 1}]})", "unknown member"},
        {analyze + R"(, "transforms": ["none", "magic"]})", "magic"},
        {analyze + R"(, "schemes": ["W4A4", "W1"]})", "W1"},
        {R"({"schema": 1, "job": "report", "dir": "d", "format": "pdf", "out": "o"})", "pdf"},
    });
}

TEST(JsonSpecs, RefusesHostileSensitivitiesNamingThePlace) {
    const std::string sensitivity = R"({"schema": 1, "job": "sensitivity", "analysis": "a")";
    expectRefused({
        {R"({"schema": 1, "job": "sensitivity"})", "analysis"},
        {sensitivity + R"(, "out": "o"})", "out"},
        {sensitivity + R"(, "bits": "W4"})", "bits"},
        {sensitivity + R"(, "bits": ["W4", "4"]})", "bits: found \"4\""},
        {sensitivity + R"(, "bits": ["W4A4"]})", "bits: found \"W4A4\""},
        {sensitivity + R"(, "activation": "W4"})", "activation"},
        {sensitivity + R"(, "weights": "best"})", "weights"},
        {sensitivity + R"(, "transforms": ["magic"]})", "magic"},
        {sensitivity + R"(, "sequences": 0})", "sequences"},
        {sensitivity + R"(, "seq_len": 15})", "seq_len"},
        {sensitivity + R"(, "layers": [-1]})", "layers"},
    });
}

TEST(JsonSpecs, PlansSurviveAndReadFromRunFolders) {
    const std::string text = encodePlan(samples::plan());
    EXPECT_EQ(decodePlan(text, "plan.json").value(), samples::plan());
    EXPECT_EQ(decodePlan(encodeSpec(samples::runSpec()), "spec.json").value(), samples::plan());
    const Result<Plan> wrongJob = decodePlan(encodeSpec(samples::evalSpec()), "spec.json");
    ASSERT_FALSE(wrongJob);
    EXPECT_EQ(wrongJob.error().message, "spec.json: job: found \"eval\", expected run");
    EXPECT_FALSE(decodePlan(R"({"schema": 1, "scheme": "W4", "bits": 3})", "p"));
    EXPECT_EQ(decodePlan("[]", "p").error().code, ErrorCode::BadFormat);
}

} // namespace
} // namespace bdq
