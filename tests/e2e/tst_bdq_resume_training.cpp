// Trained runs that are killed in every stage and continued: figures and files must be those of an
// undisturbed run, to the last bit.
#include <csignal>

#include "engine/io/tensor_file.h"
#include "tests/e2e/e2e_support.h"

namespace bdq::e2e {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr int kLayers = 4;
// As run_training.cpp: the state of the whole model is kept every so many steps.
constexpr int kStepsPerCheckpoint = 25;
constexpr int kEndToEndSteps = 70;

class BdqResumeTraining : public E2eTest {
protected:
    static void SetUpTestSuite() {
        E2eTest::SetUpTestSuite();
        writeDeepModel(kLayers);
        // Long enough a block that a signal after its first step arrives before its last.
        undisturbed("balanced");
        undisturbed("best");
    }

    static Words words(const std::string& preset, const std::string& folder) {
        const Words training = preset == "best"
                                   ? Words{"--epochs", "2", "--e2e-steps", std::to_string(kEndToEndSteps)}
                                   : Words{"--epochs", "60"};
        return Words{"run",  deepModel(),      "--out", folder,          "--scheme", "W4A4KV4", "--method",
                     "bdq",  "--preset",       preset,  "--batch",       "2",        "--json",  "--eval",
                     text(), "--eval-seq-len", "64",    "--max-windows", "1"} +
               smallCalibration("--samples") + training;
    }

    static std::string wholeRun(const std::string& preset) {
        return (s_shared / ("whole-" + preset)).string();
    }
    static void undisturbed(const std::string& preset) {
        const ProcessResult result = bdq(words(preset, wholeRun(preset)));
        ASSERT_EQ(result.exitCode, 0) << result.err;
    }

    [[nodiscard]] bool eventsContain(const std::string& text) const {
        return readFile(path("r/events.jsonl")).find(text) != std::string::npos;
    }

    void killWhen(const std::string& preset, const std::function<bool()>& condition, bool again = false) {
        Process process(Words{program("bdq")} + words(preset, path("r")) +
                        (again ? Words{"--resume"} : Words{}));
        ASSERT_TRUE(waitFor(condition));
        process.signal(SIGKILL);
        ASSERT_EQ(process.wait().signal, SIGKILL);
        ASSERT_FALSE(fs::exists(path("r/run.json")));
    }

    void resumeAndCompare(const std::string& preset) {
        const ProcessResult resumed = bdq(words(preset, path("r")) + Words{"--resume"});
        ASSERT_EQ(resumed.exitCode, 0) << resumed.err;
        const Json whole = parse(readFile(wholeRun(preset) + "/run.json"));
        const Json run = parse(resumed.out);
        for (const char* key : {"per_layer", "perplexity", "perplexity_full", "average_weight_bits"})
            EXPECT_EQ(run[key], whole[key]) << key;
        EXPECT_EQ(run["per_layer"].size(), kLayers * 6u);
        int files = 0;
        for (const char* folder : {"layers", "training"})
            for (const auto& entry : fs::directory_iterator(wholeRun(preset) + "/" + folder)) {
                const std::string name = std::string(folder) + "/" + entry.path().filename().string();
                EXPECT_EQ(readFile(path("r/" + name)), readFile(entry.path())) << name;
                ++files;
            }
        EXPECT_GE(files, 2 * kLayers);
    }

    /// Step of the whole model's training that is on disk; 0 = none yet.
    [[nodiscard]] int stepOnDisk() const {
        const auto file = io::readTensorFile(path("r/training/end_to_end.safetensors"));
        return file ? std::stoi(file->metadata.at("step")) : 0;
    }
};

TEST_F(BdqResumeTraining, killedWhileABlockIsTrained) {
    killWhen("balanced", [this] { return eventsContain("training layer 1"); });
    EXPECT_TRUE(fs::exists(path("r/training/L000.safetensors")));
    EXPECT_FALSE(fs::exists(path("r/training/L001.safetensors")));
    resumeAndCompare("balanced");
}

TEST_F(BdqResumeTraining, killedTwiceWhileLayersAreTrainedAndQuantized) {
    killWhen("balanced", [this] { return fs::exists(path("r/training/L001.safetensors")); });
    killWhen(
        "balanced", [this] { return fs::exists(path("r/layers/L002.safetensors")); }, true);
    resumeAndCompare("balanced");
}

TEST_F(BdqResumeTraining, killedBetweenCheckpointsOfTheWholeModel) {
    killWhen("best", [this] { return stepOnDisk() > 0; });
    const int step = stepOnDisk();
    EXPECT_EQ(step % kStepsPerCheckpoint, 0);
    EXPECT_LT(step, kEndToEndSteps);
    resumeAndCompare("best");
}

TEST_F(BdqResumeTraining, killedBeforeTheFirstCheckpointOfTheWholeModel) {
    killWhen("best", [this] { return eventsContain("training end to end"); });
    EXPECT_EQ(stepOnDisk(), 0);
    resumeAndCompare("best");
}

TEST_F(BdqResumeTraining, killedWhileTheTrainedModelIsQuantized) {
    killWhen("best", [this] { return eventsContain("\"checkpoint\""); });
    EXPECT_EQ(stepOnDisk(), kEndToEndSteps);
    resumeAndCompare("best");
}

} // namespace
} // namespace bdq::e2e
