#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/engine/api/samples.h"

namespace bdq {
namespace {

using Json = nlohmann::json;

TEST(JsonResults, AnalysisSurvivesItsText) {
    const std::string text = encodeAnalysis(samples::analysis());
    const Result<AnalysisResult> again = decodeAnalysis(text, "analysis.json");
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_EQ(encodeAnalysis(*again), text);
    EXPECT_EQ(again->sites.size(), 2U);
    EXPECT_EQ(again->model.permutedQk, true);
    EXPECT_EQ(again->model.ropeScaling, "linear factor 4");
    EXPECT_EQ(again->model.slidingWindow, 512);
    EXPECT_EQ(again->model.firstSlidingLayer, 1);
    EXPECT_EQ(again->provenance.peakHostBytes, 1ULL << 40);
    EXPECT_EQ(again->text.sha256, "00ff");
    EXPECT_EQ(again->parameters, 123456);
    EXPECT_TRUE(again->text.bos);
    EXPECT_EQ(again->text.bosMode, BosMode::On);
    EXPECT_EQ(again->text.form, "60 texts of JSON lines");
    EXPECT_EQ(again->modelFingerprint, "f1");
    EXPECT_EQ(again->warnings, (std::vector<std::string>{"one", "two"}));
}

TEST(JsonResults, FilesOfBeforeTextsHadABosRead) {
    Json old = Json::parse(encodeAnalysis(samples::analysis()));
    for (const char* key : {"model_fingerprint", "warnings"})
        EXPECT_EQ(old.erase(key), 1U) << key;
    for (const char* key : {"bos", "bos_mode", "form"})
        EXPECT_EQ(old["text"].erase(key), 1U) << key;
    EXPECT_EQ(old["spec"].erase("bos"), 1U);
    const Result<AnalysisResult> read = decodeAnalysis(old.dump(), "analysis.json");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_FALSE(read->text.bos);
    EXPECT_EQ(read->text.bosMode, BosMode::Off);
    EXPECT_EQ(read->spec.calibration.bos, BosMode::Off);
    EXPECT_TRUE(read->modelFingerprint.empty());
    // A text that the model wrote has always begun with one.
    old["text"]["source"] = "self";
    EXPECT_TRUE(decodeAnalysis(old.dump(), "analysis.json").value().text.bos);

    Json eval = Json::parse(encodeEval(samples::eval()));
    for (const char* key : {"bos", "bos_mode", "form", "nll_stderr", "perplexity_stderr", "warnings"})
        EXPECT_EQ(eval.erase(key), 1U) << key;
    const Result<EvalResult> again = decodeEval(eval.dump(), "eval");
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_FALSE(again->bos);
    EXPECT_TRUE(std::isnan(again->nllError));

    Json run = Json::parse(encodeRun(samples::run()));
    for (const char* key : {"quantized_layer_bits", "quantized_layers", "model_fingerprint", "warnings"})
        EXPECT_EQ(run.erase(key), 1U) << key;
    const Result<RunResult> runAgain = decodeRun(run.dump(), "run.json");
    ASSERT_TRUE(runAgain) << runAgain.error().text();
    EXPECT_TRUE(std::isnan(runAgain->quantizedLayerBits));
    EXPECT_EQ(runAgain->quantizedLayers(), 2);
}

TEST(JsonResults, FilesOfBeforePositionsWereKeptRead) {
    Json old = Json::parse(encodeAnalysis(samples::analysis()));
    for (const char* key : {"rope_scaling", "sliding_window", "first_sliding_layer"})
        EXPECT_EQ(old["model"].erase(key), 1U) << key;
    const Result<AnalysisResult> read = decodeAnalysis(old.dump(), "analysis.json");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->model.ropeScaling, "");
    EXPECT_EQ(read->model.slidingWindow, 0);
    EXPECT_EQ(read->model.firstSlidingLayer, 0);
}

TEST(JsonResults, RunSurvivesItsText) {
    const std::string text = encodeRun(samples::run());
    const Result<RunResult> again = decodeRun(text, "run.json");
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_EQ(encodeRun(*again), text);
    ASSERT_TRUE(again->full && again->quantized);
    EXPECT_EQ(again->quantized->perplexity, 39.5);
    EXPECT_EQ(again->averageWeightBits, 12.25);
    EXPECT_EQ(again->quantizedLayerBits, 4.28);
    EXPECT_EQ(again->modelFingerprint, "f1");
    EXPECT_EQ(again->warnings, std::vector<std::string>{"a warning"});
    EXPECT_EQ(again->perLayer[1].key, (SiteKey{0, Site::KCache}));
    RunResult plain = samples::run();
    plain.full.reset();
    plain.quantized.reset();
    plain.perLayer.clear();
    const Result<RunResult> bare = decodeRun(encodeRun(plain), "run.json");
    ASSERT_TRUE(bare) << bare.error().text();
    EXPECT_FALSE(bare->full);
    EXPECT_FALSE(bare->quantized);
}

TEST(JsonResults, RunHasTheKeysThatScriptsRead) {
    const Json run = Json::parse(encodeRun(samples::run()));
    EXPECT_EQ(run.at("schema"), 1);
    EXPECT_EQ(run.at("status"), "finished");
    EXPECT_EQ(run.at("method"), "cat-block");
    EXPECT_EQ(run.at("scheme"), "W4A4KV4");
    EXPECT_EQ(run.at("seconds"), 1.5);
    EXPECT_EQ(run.at("peak_host_bytes"), 1ULL << 40);
    EXPECT_EQ(run.at("peak_device_bytes"), 77);
    EXPECT_EQ(run.at("perplexity_full"), 24.145);
    EXPECT_EQ(run.at("perplexity"), 39.5);
    const Json& row = run.at("per_layer").at(0);
    EXPECT_EQ(row.at("layer"), 0);
    EXPECT_EQ(row.at("site"), "qkv");
    EXPECT_EQ(row.at("sqnr_db"), 18.25);
    EXPECT_EQ(row.at("mse"), 1e-3);
    EXPECT_EQ(row.at("flatness_before"), 0.5);
    EXPECT_EQ(row.at("flatness_after"), 0.125);
    RunResult plain = samples::run();
    plain.quantized.reset();
    EXPECT_FALSE(Json::parse(encodeRun(plain)).contains("perplexity"));
}

TEST(JsonResults, EvalSurvivesAndHasItsKeys) {
    const std::string text = encodeEval(samples::eval());
    const Result<EvalResult> again = decodeEval(text, "eval");
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_EQ(encodeEval(*again), text);
    const Json eval = Json::parse(text);
    EXPECT_EQ(eval.at("schema"), 1);
    EXPECT_EQ(eval.at("perplexity"), 24.145);
    EXPECT_EQ(eval.at("windows"), 4);
    EXPECT_EQ(eval.at("tokens"), 304978);
    EXPECT_EQ(eval.at("nll"), 3.18);
    EXPECT_EQ(eval.at("nll_stderr"), 0.0625);
    EXPECT_EQ(eval.at("perplexity_stderr"), 24.145 * 0.0625);
    EXPECT_EQ(eval.at("bos"), true);
    EXPECT_EQ(eval.at("bos_mode"), "on");
    EXPECT_EQ(eval.at("warnings").at(0), "a warning");
    EXPECT_EQ(eval.at("kl"), 0.125);
    EXPECT_EQ(eval.at("top1_agreement"), 0.875);
    EXPECT_EQ(eval.at("perplexity_full"), 21.625);
    const Json task = eval.at("tasks").at(0);
    EXPECT_EQ(task.at("name"), "arc");
    EXPECT_EQ(task.at("items"), 40);
    EXPECT_EQ(task.at("acc"), 0.5);
    EXPECT_EQ(task.at("acc_norm"), 0.25);
    EXPECT_EQ(task.at("acc_stderr"), 0.0625);
    EXPECT_EQ(task.at("acc_norm_stderr"), 0.03125);
    EXPECT_EQ(task.at("truncated"), 2);
}

TEST(JsonResults, EvalHoldsOnlyWhatWasMeasured) {
    EvalResult result = samples::eval();
    result.text.clear();
    result.comparison.reset();
    const Json tasksOnly = Json::parse(encodeEval(result));
    for (const char* key : {"text", "perplexity", "nll", "windows", "kl"})
        EXPECT_FALSE(tasksOnly.contains(key)) << key;
    const Result<EvalResult> again = decodeEval(tasksOnly.dump(), "eval");
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_EQ(again->tasks.size(), 2U);
    EXPECT_EQ(again->tasks[1].name, "piqa");
    Json neither = tasksOnly;
    neither.erase("tasks");
    const Result<EvalResult> refused = decodeEval(neither.dump(), "eval");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("text"), std::string::npos) << refused.error().message;
}

TEST(JsonResults, InfoHasTheKeysThatScriptsRead) {
    ModelIndex index;
    index.path = "m.gguf";
    index.format = "gguf";
    index.files = {"m.gguf"};
    index.fileBytes = 1234;
    index.parameters = 99;
    index.config = samples::model();
    index.tensors = {{"a", TensorType::F32, {3}, 0, 0, 12},
                     {"b", TensorType::Q4_1, {32, 3}, 0, 12, 60},
                     {"c", TensorType::Q4_1, {32}, 0, 72, 20}};
    const Json info = Json::parse(encodeModelInfo(index));
    EXPECT_EQ(info.at("schema"), 1);
    EXPECT_EQ(info.at("architecture"), "llama");
    EXPECT_EQ(info.at("layers"), 3);
    EXPECT_EQ(info.at("hidden_size"), 64);
    EXPECT_EQ(info.at("intermediate_size"), 160);
    EXPECT_EQ(info.at("heads"), 4);
    EXPECT_EQ(info.at("kv_heads"), 2);
    EXPECT_EQ(info.at("vocab_size"), 1000);
    EXPECT_EQ(info.at("parameters"), 99);
    EXPECT_EQ(info.at("tensors"), 3);
    EXPECT_EQ(info.at("file_bytes"), 1234);
    EXPECT_EQ(info.at("head_dim"), 16);
    EXPECT_EQ(info.at("context_length"), 2048);
    EXPECT_EQ(info.at("rope_scaling"), "linear factor 4");
    EXPECT_EQ(info.at("sliding_window"), 512);
    EXPECT_EQ(info.at("first_sliding_layer"), 1);
    EXPECT_EQ(info.at("tensor_types"), Json({{"F32", 1}, {"Q4_1", 2}}));
}

TEST(JsonResults, RowsSurvive) {
    const RunSiteResult row = samples::runRow({5, Site::VCache});
    const RunSiteResult again = decodeRunRow(encodeRunRow(row), "row").value();
    EXPECT_EQ(again.key, row.key);
    EXPECT_EQ(again.weightFlatnessAfter, row.weightFlatnessAfter);
    EXPECT_EQ(encodeRunRow(again), encodeRunRow(row));
    EXPECT_EQ(encodeRunRow(row).find('\n'), std::string::npos);
}

TEST(JsonResults, RefusesHostileResults) {
    struct Row {
        const char* pointer;
        Json value;
        std::string_view named;
    };
    const Row rows[] = {
        {"/schema", 2, "found 2, expected 1"},
        {"/schema", nullptr, "schema"},
        {"/status", "great", "great"},
        {"/model", 1, "model"},
        {"/model/layers", 1e99, "model.layers"},
        {"/text/tokens", -1, "text.tokens"},
        {"/spec/job", "eval", "spec"},
        {"/spec/scheme", "W1A1", "W1A1"},
        {"/full/windows", 3000000000U, "full.windows"},
        {"/quantized/perplexity", "low", "quantized.perplexity"},
        {"/provenance/peak_host_bytes", -1, "peak_host_bytes"},
        {"/per_layer", "none", "per_layer"},
        {"/per_layer/1/site", "x", "per_layer[1].site"},
        {"/per_layer/0/mse", true, "per_layer[0].mse"},
    };
    for (const Row& row : rows) {
        Json document = Json::parse(encodeRun(samples::run()));
        document[Json::json_pointer(row.pointer)] = row.value;
        const Result<RunResult> run = decodeRun(document.dump(), "out/run.json");
        ASSERT_FALSE(run) << row.pointer;
        EXPECT_EQ(run.error().code, ErrorCode::BadFormat);
        EXPECT_EQ(run.error().message.find("out/run.json: "), 0U) << run.error().message;
        EXPECT_NE(run.error().message.find(row.named), std::string::npos)
            << row.pointer << ": " << run.error().message;
    }
}

TEST(JsonResults, EveryTruncationIsRefused) {
    const std::string text = encodeAnalysis(samples::analysis());
    for (std::size_t length = 0; length < text.size(); length += 7)
        EXPECT_FALSE(decodeAnalysis(text.substr(0, length), "a")) << length;
}

} // namespace
} // namespace bdq
