// Runs that are killed or cancelled, and continued: the figures must be those of an undisturbed run.
#include <csignal>
#include <thread>

#include "tests/e2e/e2e_support.h"

namespace bdq::e2e {
namespace {

using namespace std::chrono_literals;

class BdqResume : public E2eTest {
protected:
    static void SetUpTestSuite() {
        E2eTest::SetUpTestSuite();
        writeDeepModel();
    }

    [[nodiscard]] std::vector<std::string> words(const std::string& out,
                                                 const std::vector<std::string>& more = {}) const {
        return std::vector<std::string>{"run",     deepModel(),      "--out", path(out),       "--scheme",
                                        "W4A4KV4", "--method",       "bdq",   "--json",        "--eval",
                                        text(),    "--eval-seq-len", "64",    "--max-windows", "1"} +
               smallCalibration("--samples") + more;
    }

    static std::vector<std::string> command(const std::vector<std::string>& words) {
        return std::vector<std::string>{program("bdq")} + words;
    }

    /// Waits until events.jsonl names `count` checkpoints.
    [[nodiscard]] bool waitForCheckpoints(const std::string& out, int count) const {
        const auto deadline = std::chrono::steady_clock::now() + 60s;
        while (std::chrono::steady_clock::now() < deadline) {
            const std::string events = readFile(path(out + "/events.jsonl"));
            int found = 0;
            for (std::size_t at = events.find("\"checkpoint\""); at != std::string::npos;
                 at = events.find("\"checkpoint\"", at + 1))
                ++found;
            if (found >= count) return true;
            std::this_thread::sleep_for(1ms);
        }
        return false;
    }

    /// The figures of run.json that must not depend on interruptions.
    static Json figures(const Json& run) {
        return {run["per_layer"], run["perplexity"], run["perplexity_full"], run["average_weight_bits"]};
    }

    Json undisturbed() {
        const ProcessResult result = bdq(words("whole"));
        EXPECT_EQ(result.exitCode, 0) << result.err;
        return parse(result.out);
    }

    void resumeAndCompare(const std::string& out) {
        const ProcessResult resumed = bdq(words(out, {"--resume"}));
        ASSERT_EQ(resumed.exitCode, 0) << resumed.err;
        const Json run = parse(resumed.out);
        const Json whole = undisturbed();
        EXPECT_EQ(run["per_layer"].size(), kDeepModelLayers * 6u);
        EXPECT_EQ(figures(run), figures(whole));
        EXPECT_EQ(figures(parse(readFile(path(out + "/run.json")))), figures(whole));
    }
};

TEST_F(BdqResume, killedBetweenLayers) {
    Process process(command(words("r")));
    ASSERT_TRUE(waitForCheckpoints("r", 1));
    process.signal(SIGKILL);
    const ProcessResult result = process.wait();
    ASSERT_EQ(result.signal, SIGKILL) << result.err;
    EXPECT_FALSE(std::filesystem::exists(path("r/run.json")));
    resumeAndCompare("r");
    // What the killed process had said stays in front of what the next one says.
    const std::vector<Json> events = parseLines(readFile(path("r/events.jsonl")));
    int hellos = 0;
    for (const Json& event : events)
        hellos += event.is_object() && event["type"] == "hello" ? 1 : 0;
    EXPECT_EQ(hellos, 2);
    EXPECT_EQ(events.back()["type"], "finished");
}

TEST_F(BdqResume, interruptedByTheKeyboard) {
    Process process(command(words("r")));
    ASSERT_TRUE(waitForCheckpoints("r", 1));
    process.signal(SIGINT);
    const ProcessResult result = process.wait();
    ASSERT_EQ(result.exitCode, 130) << result.err;
    EXPECT_EQ(parse(result.out)["status"], "cancelled") << result.out;
    EXPECT_NE(result.err.find("--resume"), std::string::npos) << result.err;
    EXPECT_TRUE(errorLines(result.err).empty()) << result.err;
    EXPECT_EQ(parseLines(readFile(path("r/events.jsonl"))).back()["type"], "cancelled");
    resumeAndCompare("r");
}

TEST_F(BdqResume, terminated) {
    Process process(command(words("r")));
    ASSERT_TRUE(waitForCheckpoints("r", 1));
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait().exitCode, 130);
}

TEST_F(BdqResume, cancelFileStopsTheRun) {
    Process process(command(words("r")));
    ASSERT_TRUE(waitForCheckpoints("r", 1));
    writeFile(path("r/cancel"), "");
    const ProcessResult result = process.wait();
    EXPECT_EQ(result.exitCode, 130) << result.err;
    EXPECT_FALSE(std::filesystem::exists(path("r/cancel")));
    const ProcessResult resumed = bdq(words("r", {"--resume"}));
    EXPECT_EQ(resumed.exitCode, 0) << resumed.err;
}

TEST_F(BdqResume, anIgnoredInterruptStaysIgnored) {
    // As a shell starts background jobs.
    const std::string line = "trap '' INT; exec \"$@\"";
    Process process(std::vector<std::string>{"/bin/sh", "-c", line, "sh"} + command(words("r")));
    ASSERT_TRUE(waitForCheckpoints("r", 1));
    process.signal(SIGINT);
    EXPECT_EQ(process.wait().exitCode, 0);
}

TEST_F(BdqResume, nothingIsOverwrittenAndNothingElseIsContinued) {
    const std::vector<std::string> small =
        std::vector<std::string>{"run", model(), "--out", path("r"), "--scheme", "W4A4"} +
        smallCalibration("--samples");
    ASSERT_EQ(bdq(small).exitCode, 0);
    const std::string run = readFile(path("r/run.json"));
    const std::string events = readFile(path("r/events.jsonl"));

    const ProcessResult again = bdq(small);
    EXPECT_EQ(again.exitCode, 2);
    ASSERT_EQ(errorLines(again.err).size(), 1u) << again.err;
    EXPECT_NE(again.err.find("--resume"), std::string::npos) << again.err;

    const ProcessResult other = bdq(small + std::vector<std::string>{"--seed", "9", "--resume"});
    EXPECT_EQ(other.exitCode, 2);
    EXPECT_EQ(errorLines(other.err).size(), 1u) << other.err;

    const ProcessResult nothing =
        bdq(std::vector<std::string>{"run", model(), "--out", path("empty"), "--scheme", "W4A4", "--resume"} +
            smallCalibration("--samples"));
    EXPECT_EQ(nothing.exitCode, 2);
    EXPECT_EQ(readFile(path("r/run.json")), run);
    EXPECT_EQ(readFile(path("r/events.jsonl")), events);
}

} // namespace
} // namespace bdq::e2e
