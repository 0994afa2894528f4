// Bad input, row by row: the exit code, one line that names what is wrong, and nothing left behind.
#include "tests/e2e/e2e_support.h"

namespace bdq::e2e {
namespace {

class BadInput : public E2eTest {
protected:
    /// A copy of the tiny model that a test may damage.
    std::string copyOfModel() {
        std::filesystem::copy(model(), m_folder / "model");
        return path("model");
    }

    ProcessResult runOn(const std::string& modelPath, const std::vector<std::string>& more = {}) {
        return bdq(std::vector<std::string>{"run", modelPath, "--out", path("r"), "--scheme", "W4A4"} +
                   smallCalibration("--samples") + more);
    }
    static ProcessResult evalOn(const std::string& modelPath, const std::string& textPath,
                                const std::vector<std::string>& more = {}) {
        return bdq(std::vector<std::string>{"eval", modelPath, "--text", textPath, "--seq-len", "64"} + more);
    }
};

TEST_F(BadInput, missingModel) {
    expectRefusal(bdq({"info", path("absent.gguf")}), 3, {path("absent.gguf")});
    expectRefusal(runOn(path("absent.gguf")), 3, {path("absent.gguf")});
    EXPECT_FALSE(std::filesystem::exists(path("r")));
}

TEST_F(BadInput, emptyFolder) {
    std::filesystem::create_directory(path("empty"));
    expectRefusal(bdq({"info", path("empty")}), 3, {path("empty")});
}

TEST_F(BadInput, truncatedSafetensors) {
    const std::string damaged = copyOfModel();
    const auto file = std::filesystem::path(damaged) / "model.safetensors";
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1000);
    expectRefusal(bdq({"info", damaged}), 3, {"model.safetensors"});
    expectRefusal(runOn(damaged), 3, {"model.safetensors"});
}

TEST_F(BadInput, truncatedGguf) {
    if (demoModel().empty()) GTEST_SKIP() << "build/models/SmolLM2-135M-Instruct.Q4_1.gguf is not there";
    for (const std::size_t size : {std::size_t{3}, std::size_t{100}, std::size_t{1} << 20}) {
        const std::string file = path("cut.gguf");
        writeFile(file, readFile(demoModel()).substr(0, size));
        expectRefusal(bdq({"info", file}), 3, {"cut.gguf"});
    }
}

TEST_F(BadInput, hostileHeaderLength) {
    const std::string damaged = copyOfModel();
    writeFile(damaged + "/model.safetensors", std::string("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10));
    expectRefusal(bdq({"info", damaged}), 3, {"model.safetensors"});
}

TEST_F(BadInput, notAModel) {
    writeFile(path("notes.gguf"),
              "these are notes, not a model, and long enough to hold any header that it might have");
    expectRefusal(bdq({"info", path("notes.gguf")}), 3, {"notes.gguf"});
}

TEST_F(BadInput, unknownArchitecture) {
    const std::string damaged = copyOfModel();
    Json config = parse(readFile(damaged + "/config.json"));
    config["architectures"] = {"MambaForCausalLM"};
    config["model_type"] = "mamba";
    writeFile(damaged + "/config.json", config.dump());
    EXPECT_EQ(bdq({"info", damaged}).exitCode, 0) << "what is in the file can be listed";
    expectRefusal(evalOn(damaged, text()), 4, {"mamba", "llama"});
}

TEST_F(BadInput, configThatContradictsTheTensors) {
    const std::string damaged = copyOfModel();
    Json config = parse(readFile(damaged + "/config.json"));
    config["intermediate_size"] = 96;
    writeFile(damaged + "/config.json", config.dump());
    expectRefusal(runOn(damaged), 3, {"mlp", "96"});
}

TEST_F(BadInput, missingTensor) {
    const std::string damaged = copyOfModel();
    Json config = parse(readFile(damaged + "/config.json"));
    config["num_hidden_layers"] = 3;
    writeFile(damaged + "/config.json", config.dump());
    expectRefusal(runOn(damaged), 3, {"model.layers.2"});
}

TEST_F(BadInput, missingTokenizer) {
    const std::string damaged = copyOfModel();
    std::filesystem::remove(damaged + "/tokenizer.json");
    expectRefusal(evalOn(damaged, text()), 3, {"tokenizer"});
}

TEST_F(BadInput, missingEmptyAndShortText) {
    expectRefusal(evalOn(model(), path("absent.txt")), 3, {path("absent.txt")});
    writeFile(path("empty.txt"), "");
    expectRefusal(evalOn(model(), path("empty.txt")), 3, {path("empty.txt")});
    writeFile(path("short.txt"), "the river");
    expectRefusal(evalOn(model(), path("short.txt")), 3, {path("short.txt"), "64"});
    expectRefusal(
        bdq({"analyze", model(), "--out", path("a"), "--calibration", path("short.txt"), "--seq-len", "64"}),
        3, {path("short.txt")});
    expectRefusal(runOn(model(), {"--eval", path("absent.txt")}), 3, {path("absent.txt")});
    EXPECT_FALSE(std::filesystem::exists(path("r")));
}

TEST_F(BadInput, textThatIsNotUtf8) {
    writeFile(path("latin1.txt"), "caf\xe9 " + sampleText(500));
    expectRefusal(evalOn(model(), path("latin1.txt")), 3, {"UTF-8"});
}

TEST_F(BadInput, unwritableFolder) {
    writeFile(path("file"), "in the way");
    const std::vector<std::string> words{"run", model(), "--out", path("file/r"), "--scheme", "W4A4"};
    expectRefusal(bdq(words + smallCalibration("--samples")), 3, {path("file/r")});
    const std::vector<std::string> analyze{"analyze", model(), "--out", "/proc/bdq-analysis"};
    expectRefusal(bdq(analyze + smallCalibration()), 3, {"/proc/bdq-analysis"});
    EXPECT_EQ(readFile(path("file")), "in the way");
}

TEST_F(BadInput, reportIntoAMissingFolder) {
    ASSERT_EQ(runOn(model()).exitCode, 0);
    expectRefusal(bdq({"report", path("r"), "--out", path("absent/report.html")}), 3, {path("absent")});
    expectRefusal(bdq({"report", path("absent"), "--out", path("report.html")}), 3, {path("absent")});
    EXPECT_FALSE(std::filesystem::exists(path("report.html")));
}

TEST_F(BadInput, newerAndBrokenResults) {
    ASSERT_EQ(runOn(model()).exitCode, 0);
    Json run = parse(readFile(path("r/run.json")));
    run["schema"] = 99;
    writeFile(path("r/run.json"), run.dump());
    const ProcessResult newer = bdq({"report", path("r"), "--out", path("report.html")});
    EXPECT_TRUE(newer.exitCode == 3 || newer.exitCode == 4) << newer.exitCode;
    ASSERT_EQ(errorLines(newer.err).size(), 1u) << newer.err;
    EXPECT_NE(newer.err.find("99"), std::string::npos) << newer.err;
    writeFile(path("r/run.json"), "{\"schema\": 1, ");
    expectRefusal(bdq({"compare", path("r")}), 3, {"run.json"});
    expectRefusal(bdq({"compare", path("r"), path("r")}), 3, {"run.json"});
}

TEST_F(BadInput, evalOfAnUnfinishedRun) {
    std::filesystem::create_directory(path("unfinished"));
    expectRefusal(evalOn(model(), text(), {"--run", path("unfinished")}), 3, {path("unfinished")});
}

TEST_F(BadInput, layerThatTheModelDoesNotHave) {
    expectRefusal(runOn(model(), {"--layers", "1,7"}), 2, {"7"});
}

TEST_F(BadInput, planThatCannotBeRead) {
    writeFile(path("plan.json"),
              R"({"schema":1,"scheme":"W4A4","overrides":[{"layer":1,"site":"elbow","scheme":"W8A8"}]})");
    const ProcessResult result = bdq({"run", model(), "--out", path("r"), "--plan", path("plan.json")});
    EXPECT_TRUE(result.exitCode == 2 || result.exitCode == 3) << result.exitCode;
    ASSERT_EQ(errorLines(result.err).size(), 1u) << result.err;
    EXPECT_NE(result.err.find("plan.json"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("elbow"), std::string::npos) << result.err;
}

TEST_F(BadInput, absentGpu) {
    if (parse(bdq({"devices", "--json"}).out)["devices"].size() > 1) GTEST_SKIP() << "this machine has a GPU";
    for (const char* device : {"cuda", "cuda:3"})
        expectRefusal(evalOn(model(), text(), {"--device", device}), 4, {"cuda"});
}

TEST_F(BadInput, folderWithoutRoom) {
    // Files of more than 64 blocks of 512 bytes cannot be written: as a full disk, but for this process
    // alone.
    const std::string line = "ulimit -f 64; trap '' XFSZ; exec \"$@\"";
    const std::vector<std::string> command{"/bin/sh", "-c",    line,      "sh",       program("bdq"), "run",
                                           model(),   "--out", path("r"), "--scheme", "W4A4"};
    const ProcessResult result = runProcess(command + smallCalibration("--samples"));
    EXPECT_EQ(result.exitCode, 3) << result.err;
    EXPECT_EQ(errorLines(result.err).size(), 1u) << result.err;
    EXPECT_FALSE(std::filesystem::exists(path("r/run.json")));
}

} // namespace
} // namespace bdq::e2e
