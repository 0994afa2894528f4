// The fake worker itself: what it says and leaves behind is what a real worker might.
#include <csignal>
#include <thread>

#include <unistd.h>

#include "engine/api/job_event.h"
#include "engine/api/results.h"
#include "engine/api/sensitivity.h"
#include "engine/io/tensor_file.h"
#include "tests/e2e/e2e_support.h"

namespace bdq::e2e {
namespace {

using namespace std::chrono_literals;

class FakeWorker : public ::testing::Test {
protected:
    void SetUp() override {
        m_folder = ::testing::TempDir() + "bdq-fake-" + std::to_string(::getpid());
        std::filesystem::create_directories(m_folder);
    }
    void TearDown() override { std::filesystem::remove_all(m_folder); }

    static std::vector<std::string> command() { return {BDQ_FAKE_WORKER, "worker"}; }
    static std::string line(const JobCommand& command) { return encodeCommand(command) + "\n"; }

    [[nodiscard]] AnalyzeSpec analyzeSpec() const {
        AnalyzeSpec spec;
        spec.modelPath = "model.gguf";
        spec.outDir = (m_folder / "a").string();
        return spec;
    }

    /// Starts `spec` in a mode and returns how that ends; stdin stays open until then.
    static ProcessResult runMode(const std::string& mode, const JobSpec& spec) {
        Process process(command(), {{"FAKE_WORKER_MODE", mode}});
        process.write(line(StartCommand{spec}));
        return process.wait(20s);
    }
    /// Last event of a worker that spoke well.
    static JobEvent last(const std::string& out) {
        std::istringstream stream(out);
        std::string text;
        JobEvent event;
        while (std::getline(stream, text)) {
            const Result<SequencedEvent> decoded = decodeEvent(text);
            EXPECT_TRUE(decoded.has_value()) << text;
            if (decoded) event = decoded->event;
        }
        return event;
    }

    std::filesystem::path m_folder;
};

TEST_F(FakeWorker, analysisCanBeOpened) {
    const ProcessResult result = runMode("ok", analyzeSpec());
    EXPECT_EQ(result.exitCode, 0) << result.err;
    EXPECT_TRUE(std::holds_alternative<FinishedEvent>(last(result.out)));
    const Result<AnalysisResult> analysis =
        decodeAnalysis(readFile(m_folder / "a/analysis.json"), "analysis.json");
    ASSERT_TRUE(analysis.has_value()) << analysis.error().text();
    ASSERT_EQ(analysis->sites.size(), 8u);
    for (const SiteAnalysis& site : analysis->sites) {
        EXPECT_EQ(site.transforms.size(), analyzeSpec().transforms.size());
        const Result<SiteDetail> detail = io::readSiteDetail(m_folder / "a" / site.detailFile);
        ASSERT_TRUE(detail.has_value()) << detail.error().text();
        EXPECT_EQ(detail->inFeatures, site.inFeatures);
        EXPECT_EQ(detail->transforms.size(), site.transforms.size());
    }
}

TEST_F(FakeWorker, runCanBeOpened) {
    RunSpec spec;
    spec.modelPath = "model.gguf";
    spec.outDir = (m_folder / "r").string();
    spec.plan.base = *parseScheme("W4A4KV4");
    spec.evaluation = EvaluationOptions{"text.txt", 2048, 4};
    const ProcessResult result = runMode("ok", spec);
    EXPECT_EQ(result.exitCode, 0) << result.err;
    EXPECT_TRUE(std::holds_alternative<FinishedEvent>(last(result.out)));
    const Result<RunResult> run = decodeRun(readFile(m_folder / "r/run.json"), "run.json");
    ASSERT_TRUE(run.has_value()) << run.error().text();
    EXPECT_EQ(run->perLayer.size(), 12u);
    EXPECT_GT(run->quantized->perplexity, run->full->perplexity);
}

TEST_F(FakeWorker, sensitivityCanBeOpened) {
    SensitivitySpec spec;
    spec.analysisDir = m_folder.string();
    const ProcessResult result = runMode("ok", spec);
    EXPECT_EQ(result.exitCode, 0) << result.err;
    EXPECT_TRUE(std::holds_alternative<FinishedEvent>(last(result.out)));
    const Result<SensitivityResult> sensitivity =
        decodeSensitivity(readFile(m_folder / "sensitivity.json"), "sensitivity.json");
    ASSERT_TRUE(sensitivity.has_value()) << sensitivity.error().text();
    EXPECT_EQ(sensitivity->rows.size(), 8u * spec.weights.size());
    EXPECT_EQ(sensitivity->weights(), spec.weights);
}

TEST_F(FakeWorker, slowGoesOnUntilCancelled) {
    Process process(command(), {{"FAKE_WORKER_MODE", "slow"}});
    process.write(line(StartCommand{analyzeSpec()}));
    ASSERT_TRUE(process.waitForOut(
        [](const std::string& out) { return out.find("\"progress\"") != std::string::npos; }));
    process.write(line(CancelCommand{}));
    const ProcessResult result = process.wait(20s);
    EXPECT_EQ(result.exitCode, 0);
    EXPECT_TRUE(std::holds_alternative<CancelledEvent>(last(result.out)));
}

TEST_F(FakeWorker, failsWithAReason) {
    const ProcessResult result = runMode("failed", analyzeSpec());
    EXPECT_EQ(result.exitCode, 0);
    const JobEvent event = last(result.out);
    ASSERT_TRUE(std::holds_alternative<FailedEvent>(event));
    EXPECT_EQ(std::get<FailedEvent>(event).error.code, ErrorCode::DeviceOom);
    EXPECT_FALSE(result.err.empty());
}

TEST_F(FakeWorker, dies) {
    EXPECT_EQ(runMode("abort", analyzeSpec()).signal, SIGABRT);
    EXPECT_EQ(runMode("segv", analyzeSpec()).signal, SIGSEGV);
    EXPECT_EQ(runMode("kill", analyzeSpec()).signal, SIGKILL);
}

TEST_F(FakeWorker, endsWithoutATerminalEvent) {
    const ProcessResult silent = runMode("exit_without_terminal", analyzeSpec());
    EXPECT_EQ(silent.exitCode, 0);
    EXPECT_FALSE(isTerminal(last(silent.out)));
    const ProcessResult half = runMode("half_line", analyzeSpec());
    EXPECT_EQ(half.exitCode, 0);
    EXPECT_NE(half.out.back(), '\n');
}

TEST_F(FakeWorker, breaksTheProtocol) {
    for (const char* mode : {"garbage", "over_long_line"}) {
        Process process(command(), {{"FAKE_WORKER_MODE", mode}});
        process.write(line(StartCommand{analyzeSpec()}));
        const bool garbage = std::string(mode) == "garbage";
        EXPECT_TRUE(process.waitForOut(
            [garbage](const std::string& out) {
                return garbage ? out.find("this is no event\n") != std::string::npos
                               : out.size() > kMaxLineBytes;
            },
            20s))
            << mode;
        process.closeInput();
        EXPECT_EQ(process.wait(20s).exitCode, 0) << "lives until its parent is gone";
    }
}

TEST_F(FakeWorker, hangsThroughCancelAndTerminate) {
    for (const char* mode : {"hang", "hang_hard"}) {
        Process process(command(), {{"FAKE_WORKER_MODE", mode}});
        process.write(line(StartCommand{analyzeSpec()}));
        ASSERT_TRUE(process.waitForOut(
            [](const std::string& out) { return out.find("\"accepted\"") != std::string::npos; }));
        process.write(line(CancelCommand{}));
        std::this_thread::sleep_for(200ms);
        process.signal(SIGTERM);
        std::this_thread::sleep_for(100ms);
        process.signal(SIGKILL);
        EXPECT_EQ(process.wait(20s).signal, std::string(mode) == "hang" ? SIGTERM : SIGKILL) << mode;
    }
}

TEST_F(FakeWorker, silentSaysNothing) {
    const ProcessResult result = runProcess(command(), {{"FAKE_WORKER_MODE", "silent"}}, 20s);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.exitCode, 2);
}

TEST_F(FakeWorker, answersRequests) {
    Process process(command(), {{"FAKE_WORKER_MODE", "request"}});
    process.write(line(StartCommand{InspectSpec{"model.gguf", "analysis", {}}}));
    SiteRequest request{5, {1, Site::Down}, TransformKind::Bdq, *parseScheme("W4A4"), WeightRounding::Rtn};
    process.write(line(RequestCommand{request}));
    ASSERT_TRUE(process.waitForOut(
        [](const std::string& out) { return out.find("site_answer") != std::string::npos; }));
    process.closeInput();
    const ProcessResult result = process.wait(20s);
    EXPECT_TRUE(std::holds_alternative<CancelledEvent>(last(result.out)));
}

} // namespace
} // namespace bdq::e2e
