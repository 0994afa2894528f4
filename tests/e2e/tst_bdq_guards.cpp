// What keeps results honest and ends from being silent: results belong to their weights, a folder to one job,
// and every end has a message and one of our exit codes.
#include <csignal>
#include <cstring>

#include <unistd.h>

#include "engine/io/tensor_file.h"
#include "tests/e2e/e2e_support.h"

namespace bdq::e2e {
namespace {

class BdqGuards : public E2eTest {
protected:
    static std::vector<std::string> onCpu() { return {"--device", "cpu", "--threads", "1"}; }
    std::string otherModel() {
        TinyModelOptions options;
        options.seed = 99; // the same shapes
        writeTinyModel(m_folder / "other", options);
        return path("other");
    }
    std::vector<std::string> run(const std::string& modelPath, const std::string& out) const {
        return std::vector<std::string>{"run",      modelPath, "--out",    path(out),
                                        "--scheme", "W8A8",    "--method", "rtn"} +
               smallCalibration("--samples");
    }
    std::vector<std::string> analysis(const std::string& out) const {
        return std::vector<std::string>{"analyze", model(),        "--out",
                                        path(out), "--transforms", "none,hadamard"} +
               smallCalibration();
    }
    static std::vector<std::string> onText() {
        return std::vector<std::string>{"--text", text(), "--seq-len", "64", "--max-windows", "1"} + onCpu();
    }
};

TEST_F(BdqGuards, aRunIsOfItsWeights) {
    ASSERT_EQ(bdq(run(model(), "r")).exitCode, 0);
    const std::string other = otherModel();
    const Json stored = parse(readFile(path("r/run.json")));
    EXPECT_FALSE(stored["model_fingerprint"].get<std::string>().empty());
    EXPECT_EQ(bdq(std::vector<std::string>{"eval", model(), "--run", path("r")} + onText()).exitCode, 0);
    expectRefusal(bdq(std::vector<std::string>{"eval", other, "--run", path("r")} + onText()), 2,
                  {other, path("r"), "other weights"});
    expectRefusal(bdq(run(other, "r") + std::vector<std::string>{"--resume"}), 2, {path("r"), "differs"});

    // A layer from another model's run among ours: the file's own word counts.
    ASSERT_EQ(bdq(run(other, "r2")).exitCode, 0);
    std::filesystem::copy_file(path("r2/layers/L001.safetensors"), path("r/layers/L001.safetensors"),
                               std::filesystem::copy_options::overwrite_existing);
    expectRefusal(bdq(std::vector<std::string>{"eval", model(), "--run", path("r")} + onText()), 2,
                  {"L001.safetensors", "other weights"});
    std::filesystem::remove(path("r/layers/L001.safetensors"));
    expectRefusal(bdq(std::vector<std::string>{"eval", model(), "--run", path("r")} + onText()), 3,
                  {"L001.safetensors"});

    const ProcessResult compared = bdq({"compare", path("r"), path("r2")});
    EXPECT_EQ(compared.exitCode, 0) << compared.err;
    EXPECT_NE(compared.out.find("fingerprint of the weights"), std::string::npos) << compared.out;
}

TEST_F(BdqGuards, resultsFromBeforeFingerprintsOpenWithANote) {
    ASSERT_EQ(bdq(run(model(), "r")).exitCode, 0);
    Json stored = parse(readFile(path("r/run.json")));
    stored.erase("model_fingerprint");
    writeFile(path("r/run.json"), stored.dump());
    const ProcessResult eval =
        bdq(std::vector<std::string>{"eval", model(), "--run", path("r"), "--json"} + onText());
    EXPECT_EQ(eval.exitCode, 0) << eval.err;
    EXPECT_NE(parse(eval.out)["warnings"].dump().find("did not note the weights"), std::string::npos);
}

TEST_F(BdqGuards, anAnalysisIsOfItsWeights) {
    ASSERT_EQ(bdq(analysis("a")).exitCode, 0);
    EXPECT_FALSE(parse(readFile(path("a/analysis.json")))["model_fingerprint"].get<std::string>().empty());
    const std::vector<std::string> sensitivity{"sensitivity", path("a"), "--bits", "4", "--seq-len", "32"};
    const std::string other = otherModel();
    expectRefusal(bdq(sensitivity + std::vector<std::string>{"--model", other} + onCpu()), 2,
                  {other, path("a"), "other weights"});
    EXPECT_FALSE(std::filesystem::exists(path("a/sensitivity.json")));
    ASSERT_EQ(bdq(sensitivity + onCpu()).exitCode, 0);
    Json measured = parse(readFile(path("a/sensitivity.json")));
    measured["model_fingerprint"] = "another";
    writeFile(path("a/sensitivity.json"), measured.dump());
    const ProcessResult report = bdq({"report", path("a"), "--format", "md", "--out", "-"});
    EXPECT_EQ(report.exitCode, 0) << report.err;
    EXPECT_NE(report.out.find("measured with other weights"), std::string::npos);
    EXPECT_EQ(report.out.find("## Sensitivity"), std::string::npos);
}

TEST_F(BdqGuards, tokensOfACheckpointAreCheckedAgainstTheEmbedding) {
    ASSERT_EQ(bdq(run(model(), "r")).exitCode, 0);
    std::filesystem::remove(path("r/run.json"));
    std::filesystem::remove(path("r/layers/L001.safetensors"));
    io::TensorFile tokens = io::readTensorFile(path("r/tokens.safetensors")).value();
    const std::int32_t wrong = kTinyVocabSize;
    std::memcpy(tokens.tensors.at("ids").bytes.data() + 4, &wrong, sizeof wrong);
    std::filesystem::remove(path("r/tokens.safetensors"));
    ASSERT_TRUE(io::writeTensorFile(path("r/tokens.safetensors"), tokens));
    expectRefusal(bdq(run(model(), "r") + std::vector<std::string>{"--resume"}), 3,
                  {"tokens.safetensors", std::to_string(wrong)});
}

TEST_F(BdqGuards, idsOfTheConfigurationAreCheckedAgainstTheEmbedding) {
    std::filesystem::copy(model(), path("m"));
    Json config = parse(readFile(path("m/config.json")));
    config["bos_token_id"] = 7777;
    config["eos_token_id"] = 7777;
    writeFile(path("m/config.json"), config.dump());
    const ProcessResult result = bdq(std::vector<std::string>{"analyze", path("m"), "--out", path("a"),
                                                              "--sequences", "1", "--seq-len", "32"} +
                                     onCpu());
    // Either the tokenizer's own ids count, or the wrong ones are named; libtorch's words never show.
    EXPECT_TRUE(result.exitCode == 0 || result.exitCode == 3) << result.err;
    EXPECT_EQ(result.err.find("libtorch"), std::string::npos) << result.err;
    EXPECT_TRUE(result.exitCode == 0 || result.err.find("7777") != std::string::npos) << result.err;
}

TEST_F(BdqGuards, aFolderBelongsToOneJob) {
    writeDeepModel();
    const std::vector<std::string> words =
        std::vector<std::string>{"run",      deepModel(), "--out",    path("r"),  "--scheme", "W4A4KV4",
                                 "--method", "bdq",       "--preset", "balanced", "--epochs", "4"} +
        smallCalibration("--samples");
    Process first(std::vector<std::string>{program("bdq")} + words);
    ASSERT_TRUE(waitFor([&] { return std::filesystem::exists(path("r/tokens.safetensors")); }));
    const std::string events = readFile(path("r/events.jsonl"));
    writeFile(path("r/spec.before"), readFile(path("r/spec.json")));
    expectRefusal(bdq(words + std::vector<std::string>{"--resume"}), 2,
                  {path("r"), "another job", "process"});
    expectRefusal(bdq(std::vector<std::string>{"analyze", model(), "--out", path("r")} + smallCalibration()),
                  2, {path("r"), "another job"});
    EXPECT_EQ(readFile(path("r/spec.json")), readFile(path("r/spec.before")));
    EXPECT_EQ(readFile(path("r/events.jsonl")).substr(0, events.size()), events);
    const ProcessResult finished = first.wait(std::chrono::seconds(200));
    EXPECT_EQ(finished.exitCode, 0) << finished.err;
    EXPECT_FALSE(std::filesystem::exists(path("r/lock")));
}

TEST_F(BdqGuards, theCancelFileOfAnotherJobStays) {
    writeDeepModel();
    const std::vector<std::string> words =
        std::vector<std::string>{"run", deepModel(), "--out", path("r"), "--scheme", "W4A4KV4"} +
        smallCalibration("--samples");
    Process first(std::vector<std::string>{program("bdq")} + words);
    ASSERT_TRUE(waitFor([&] { return std::filesystem::exists(path("r/tokens.safetensors")); }));
    first.signal(SIGSTOP);
    writeFile(path("r/cancel"), "");
    expectRefusal(bdq(words + std::vector<std::string>{"--resume"}), 2, {"another job"});
    EXPECT_TRUE(std::filesystem::exists(path("r/cancel")));
    first.signal(SIGCONT);
    EXPECT_EQ(first.wait().exitCode, 130);
}

TEST_F(BdqGuards, aLimitOnTheSizeOfFilesIsAnErrorInWords) {
    const std::string line = "ulimit -f 16; exec \"$@\"";
    const std::vector<std::string> shell{"/bin/sh", "-c", line, "sh", program("bdq")};
    for (const std::vector<std::string>& words : {run(model(), "r"), analysis("a")}) {
        const ProcessResult result = runProcess(shell + words);
        EXPECT_EQ(result.signal, 0);
        EXPECT_EQ(result.exitCode, 3) << result.err;
        ASSERT_EQ(errorLines(result.err).size(), 1u) << result.err;
        EXPECT_NE(errorLines(result.err).front().find("too large"), std::string::npos) << result.err;
    }
}

TEST_F(BdqGuards, aReaderThatWentAwayIsAnErrorInWords) {
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"info", model()}, std::vector<std::string>{"eval", model()} + onText()}) {
        Process process(std::vector<std::string>{program("bdq")} + words);
        process.closeOutput();
        const ProcessResult result = process.wait();
        EXPECT_EQ(result.signal, 0);
        if (result.exitCode == 0) continue; // it was faster than we
        EXPECT_EQ(result.exitCode, 3) << result.err;
        EXPECT_NE(result.err.find("stdout"), std::string::npos) << result.err;
    }
}

TEST_F(BdqGuards, aDashIsStandardOutputAndNoFolder) {
    ASSERT_EQ(bdq(analysis("a")).exitCode, 0);
    for (const char* format : {"html", "md", "csv", "json"}) {
        const ProcessResult report = bdq({"report", path("a"), "--format", format, "--out", "-"});
        EXPECT_EQ(report.exitCode, 0) << report.err;
        ASSERT_EQ(bdq({"report", path("a"), "--format", format, "--out", path("file")}).exitCode, 0);
        EXPECT_EQ(report.out, readFile(path("file"))) << format;
    }
    const ProcessResult plan =
        bdq({"plan", path("a"), "--budget", "W4", "--metric", "predicted", "--out", "-"});
    EXPECT_EQ(plan.exitCode, 0) << plan.err;
    EXPECT_TRUE(parse(plan.out).contains("scheme")) << plan.out;
    const ProcessResult both = bdq({"report", path("a"), "--out", "-", "--json"});
    EXPECT_EQ(both.exitCode, 2);
    EXPECT_NE(both.err.find("--out"), std::string::npos) << both.err;
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"run", model(), "--scheme", "W4A4", "--out", "-"} +
              smallCalibration("--samples"),
          std::vector<std::string>{"analyze", model(), "--out", "-"} + smallCalibration(),
          std::vector<std::string>{"bench", "quality", model(), "--methods", "rtn", "--schemes", "W4A4",
                                   "--eval", text(), "--out", "-"}})
        expectRefusal(bdq(words), 2, {"out", "standard output"});
}

TEST_F(BdqGuards, bareNamesArePaths) {
    std::filesystem::copy_file(model() + "/config.json", path("config.json"));
    std::filesystem::copy_file(model() + "/tokenizer.json", path("tokenizer.json"));
    std::filesystem::copy_file(model() + "/model.safetensors", path("model.safetensors"));
    std::filesystem::copy_file(text(), path("t.txt"));
    const auto here = [&](const std::vector<std::string>& words) {
        const std::vector<std::string> shell{"/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", m_folder.string(),
                                             std::filesystem::absolute(program("bdq")).string()};
        const ProcessResult result = runProcess(shell + words);
        EXPECT_EQ(result.exitCode, 0) << words.front() << ": " << result.err;
    };
    const std::vector<std::string> small{"--seq-len", "64", "--device", "cpu", "--threads", "1"};
    here({"info", "model.safetensors"});
    here(std::vector<std::string>{"eval", "model.safetensors", "--text", "t.txt", "--max-windows", "1"} +
         small);
    here(std::vector<std::string>{"analyze", "model.safetensors", "--out", "a", "--calibration", "t.txt",
                                  "--sequences", "2", "--transforms", "none"} +
         small);
    here(std::vector<std::string>{"run", "model.safetensors", "--out", "r", "--calibration", "t.txt",
                                  "--samples", "2", "--scheme", "W8A8", "--method", "rtn"} +
         small);
    here(std::vector<std::string>{"sensitivity", "a", "--bits", "4"} + small);
    here({"plan", "a", "--budget", "W4", "--metric", "predicted", "--out", "plan.json"});
    here({"report", "a", "--out", "report.html"});
    here({"compare", "r"});
}

} // namespace
} // namespace bdq::e2e
