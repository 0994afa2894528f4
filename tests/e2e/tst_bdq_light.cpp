// The commands of `bdq` that need no libtorch, and the reading of its command line.
#include "tests/e2e/e2e_support.h"

namespace bdq::e2e {
namespace {

class BdqLight : public E2eTest {};

TEST_F(BdqLight, helpNamesEveryCommandAndNothingElse) {
    const ProcessResult result = bdq({"--help"});
    EXPECT_EQ(result.exitCode, 0);
    EXPECT_EQ(result.err, "");
    for (const char* name : {"devices", "info", "analyze", "sensitivity", "plan", "run", "eval", "compare",
                             "report", "bench", "worker"})
        EXPECT_NE(result.out.find("\n  " + std::string(name)), std::string::npos) << name << "\n"
                                                                                  << result.out;
    EXPECT_EQ(result.out.find("\n  export"), std::string::npos) << result.out;
}

TEST_F(BdqLight, everyCommandExplainsItself) {
    for (const char* name : {"devices", "info", "analyze", "sensitivity", "plan", "run", "eval", "compare",
                             "report", "bench", "worker"}) {
        const ProcessResult result = bdq({name, "--help"});
        EXPECT_EQ(result.exitCode, 0) << name;
        EXPECT_NE(result.out.find("Usage: bdq " + std::string(name)), std::string::npos) << result.out;
    }
    const std::string run = bdq({"run", "--help"}).out;
    for (const char* word : {"--scheme",  "--method", "--preset", "--epochs",  "--e2e-steps", "--loss",
                             "--rate",    "--batch",  "--plan",   "--weights", "--samples",   "--sequences",
                             "--seq-len", "--seed",   "--eval",   "--resume",  "--device",    "--threads",
                             "--layers",  "--json",   "quarot",   "cat-block"})
        EXPECT_NE(run.find(word), std::string::npos) << word;
}

TEST_F(BdqLight, version) {
    const ProcessResult result = bdq({"--version"});
    EXPECT_EQ(result.exitCode, 0);
    EXPECT_EQ(result.out.rfind("bdq 0.", 0), 0u) << result.out;
}

TEST_F(BdqLight, infoOfTheTinyModel) {
    const ProcessResult result = bdq({"info", model(), "--json"});
    ASSERT_EQ(result.exitCode, 0) << result.err;
    EXPECT_EQ(result.err, "");
    const Json info = parse(result.out);
    ASSERT_TRUE(info.is_object()) << result.out;
    EXPECT_EQ(info["schema"], 1);
    EXPECT_EQ(info["architecture"], "llama");
    EXPECT_EQ(info["layers"], 2);
    EXPECT_EQ(info["hidden_size"], 64);
    EXPECT_EQ(info["intermediate_size"], 128);
    EXPECT_EQ(info["heads"], 4);
    EXPECT_EQ(info["kv_heads"], 2);
    EXPECT_EQ(info["vocab_size"], 300);
    // Embedding; per layer two norms, q and o, k and v of half the width, three MLP matrices; last norm.
    EXPECT_EQ(info["parameters"], 300 * 64 + 2 * (2 * 64 + 2 * 64 * 64 + 2 * 32 * 64 + 3 * 64 * 128) + 64);
    EXPECT_EQ(info["tensors"], 2 * 9 + 2);
    EXPECT_EQ(info["file_bytes"], std::filesystem::file_size(model() + "/model.safetensors"));
}

TEST_F(BdqLight, infoForPeopleNamesTheModelsNumbers) {
    const ProcessResult result = bdq({"info", model()});
    ASSERT_EQ(result.exitCode, 0) << result.err;
    for (const char* word : {"llama", "64", "128", "20 F32", "safetensors"})
        EXPECT_NE(result.out.find(word), std::string::npos) << word << "\n" << result.out;
}

TEST_F(BdqLight, infoOfTheDemoModel) {
    if (demoModel().empty()) GTEST_SKIP() << "build/models/SmolLM2-135M-Instruct.Q4_1.gguf is not there";
    const ProcessResult result = bdq({"info", demoModel(), "--json"});
    ASSERT_EQ(result.exitCode, 0) << result.err;
    const Json info = parse(result.out);
    EXPECT_EQ(info["architecture"], "llama");
    EXPECT_EQ(info["layers"], 30);
    EXPECT_EQ(info["hidden_size"], 576);
    EXPECT_EQ(info["intermediate_size"], 1536);
    EXPECT_EQ(info["heads"], 9);
    EXPECT_EQ(info["kv_heads"], 3);
    EXPECT_EQ(info["vocab_size"], 49152);
    EXPECT_EQ(info["parameters"], 134515008);
    EXPECT_EQ(info["tensors"], 272);
    EXPECT_EQ(info["file_bytes"], 98362432);
}

TEST_F(BdqLight, fullStdoutIsAnError) {
    const ProcessResult result =
        runProcess({"/bin/sh", "-c", "exec \"$0\" info \"$1\" > /dev/full", program("bdq"), model()});
    EXPECT_EQ(result.exitCode, 3);
    ASSERT_EQ(errorLines(result.err).size(), 1u) << result.err;
    EXPECT_NE(result.err.find("stdout"), std::string::npos);
}

struct UsageRow {
    const char* name;
    std::vector<std::string> words;
    std::vector<std::string> mentions;
};

class Usage : public E2eTest, public ::testing::WithParamInterface<UsageRow> {};

TEST_P(Usage, isRefusedInOneLineWithCode2) {
    const ProcessResult result = bdq(GetParam().words);
    EXPECT_EQ(result.exitCode, 2) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    ASSERT_EQ(errorLines(result.err).size(), 1u) << result.err;
    for (const std::string& mention : GetParam().mentions)
        EXPECT_NE(result.err.find(mention), std::string::npos) << mention << " in " << result.err;
    EXPECT_EQ(result.out, "");
}

const std::vector<UsageRow> kUsageRows{
    {"nothing", {}, {"no command"}},
    {"unknownCommand", {"frobnicate"}, {"frobnicate", "analyze"}},
    {"unknownOption", {"info", "m", "--frobnicate"}, {"--frobnicate"}},
    {"missingModel", {"info"}, {"MODEL", "bdq info --help"}},
    {"missingOut", {"analyze", "m"}, {"--out"}},
    {"missingScheme", {"run", "m", "--out", "o"}, {"--scheme", "--plan"}},
    {"missingBudget", {"plan", "a", "--out", "p.json"}, {"--budget"}},
    {"budgetWithoutSense", {"plan", "a", "--out", "p", "--budget", "four"}, {"--budget", "four", "W4"}},
    {"unknownMetric",
     {"plan", "a", "--out", "p", "--budget", "4", "--metric", "best"},
     {"best", "kl, estimated, output, predicted"}},
    {"planOfNineBits", {"plan", "a", "--out", "p", "--budget", "4", "--bits", "2,9"}, {"--bits", "9"}},
    {"activationIsNotACache",
     {"plan", "a", "--out", "p", "--budget", "4", "--activation", "KV4"},
     {"--activation", "KV4"}},
    {"cacheIsNotAnActivation", {"plan", "a", "--out", "p", "--budget", "4", "--kv", "A4KV4"}, {"--kv"}},
    {"sensitivityByGptq", {"sensitivity", "a", "--weights", "gptq"}, {"gptq", "rtn or mse"}},
    {"sensitivityUnderMagic", {"sensitivity", "a", "--transforms", "magic"}, {"magic", "hadamard"}},
    {"unknownScheme", {"run", "m", "--out", "o", "--scheme", "W4Q7"}, {"W4Q7"}},
    {"tooFewBits", {"run", "m", "--out", "o", "--scheme", "W1A4"}, {"W1A4", "2..8"}},
    {"unknownMethod",
     {"run", "m", "--out", "o", "--scheme", "W4A4", "--method", "magic"},
     {"magic", "quarot"}},
    {"unknownPreset", {"run", "m", "--out", "o", "--scheme", "W4A4", "--preset", "slow"}, {"slow", "fast"}},
    {"presetOfAnotherMethod",
     {"run", "m", "--out", "o", "--scheme", "W4A4", "--method", "rtn", "--preset", "best"},
     {"best", "expected fast", "rtn"}},
    {"epochsWithoutTraining",
     {"run", "m", "--out", "o", "--scheme", "W4A4", "--preset", "fast", "--epochs", "3"},
     {"epochs: found 3", "does not train"}},
    {"unknownLoss", {"run", "m", "--out", "o", "--scheme", "W4A4", "--loss", "mse"}, {"mse", "rce-safe"}},
    {"rateTooLarge", {"run", "m", "--out", "o", "--scheme", "W4A4", "--rate", "2"}, {"--rate", "\"2\""}},
    {"halfABatch", {"run", "m", "--out", "o", "--scheme", "W4A4", "--batch", "1.5"}, {"--batch", "1.5"}},
    {"unknownRounding", {"run", "m", "--out", "o", "--scheme", "W4A4", "--weights", "up"}, {"up", "gptq"}},
    {"unknownTransform", {"analyze", "m", "--out", "o", "--transforms", "none,spin"}, {"spin", "hadamard"}},
    {"badLayers", {"run", "m", "--out", "o", "--scheme", "W4A4", "--layers", "3-1"}, {"3-1"}},
    {"wordForNumber", {"analyze", "m", "--out", "o", "--sequences", "many"}, {"--sequences", "many"}},
    {"numberTooSmall", {"analyze", "m", "--out", "o", "--seq-len", "3"}, {"--seq-len", "3", "16"}},
    {"negativeSeed", {"analyze", "m", "--out", "o", "--seed=-1"}, {"--seed", "-1"}},
    {"unknownDevice", {"eval", "m", "--text", "t", "--device", "tpu"}, {"tpu", "cuda"}},
    {"unknownFormat", {"report", "d", "--out", "o", "--format", "docx"}, {"docx", "html"}},
    {"evalWithoutText", {"eval", "m"}, {"--text"}},
    {"optionTwice", {"analyze", "m", "--out", "o", "--out", "p"}, {"--out"}},
    {"compareNothing", {"compare"}, {"RUN"}},
};

INSTANTIATE_TEST_SUITE_P(Rows, Usage, ::testing::ValuesIn(kUsageRows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(BdqLight, jsonFailureIsOneObject) {
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"info", path("absent.gguf"), "--json"}, {"frobnicate", "--json"}}) {
        const ProcessResult result = bdq(words);
        const Json object = parse(result.out);
        ASSERT_TRUE(object.is_object()) << result.out;
        EXPECT_EQ(object["schema"], 1);
        EXPECT_EQ(object["status"], "failed");
        EXPECT_EQ(result.exitCode, words.front() == "info" ? 3 : 2);
        EXPECT_TRUE(object["error"]["code"].is_string());
    }
}

TEST_F(BdqLight, saysWhatIsMissingWithoutItsEngine) {
    std::filesystem::copy_file(program("bdq"), m_folder / "bdq");
    const ProcessResult result = runProcess({path("bdq"), "devices"});
    EXPECT_EQ(result.exitCode, 1);
    ASSERT_EQ(errorLines(result.err).size(), 1u) << result.err;
    EXPECT_NE(result.err.find(path("bdq-engine")), std::string::npos) << result.err;
}

} // namespace
} // namespace bdq::e2e
