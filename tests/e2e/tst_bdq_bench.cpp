// bdq bench MODEL: what it measures, and losses of a block's training that CPU and GPU share.
#include <algorithm>
#include <cmath>

#include "tests/e2e/e2e_support.h"

namespace bdq::e2e {
namespace {

using Words = std::vector<std::string>;

constexpr std::size_t kLosses = 20;
// Sums of fp64 products in another order differ by some 1e-15, which 20 steps multiply by up to 1e6 (measured
// with 1 and 2 threads, and between CPU and GPU). With a code that falls on the other side, losses differ by
// 1e-4 and more.
constexpr double kTolerance = 1e-8;

class BdqBench : public E2eTest {
protected:
    static Words onCpu(const std::string& threads) { return {"--device", "cpu", "--threads", threads}; }
    static Json bench(const std::string& modelPath, const Words& more) {
        const ProcessResult result = bdq(Words{"bench", modelPath, "--json"} + more);
        EXPECT_EQ(result.exitCode, 0) << result.err;
        return parse(result.out);
    }
    static std::vector<double> losses(const Json& report) {
        return report["train"]["losses_fp64"].get<std::vector<double>>();
    }
    static void expectTimes(const Json& part, int timed) {
        EXPECT_EQ(part["steps_timed"], timed);
        EXPECT_GT(part["ms_per_step"].get<double>(), 0);
        const double tokens = part["batch"].get<double>() * part["tokens_per_sequence"].get<double>();
        EXPECT_NEAR(part["tokens_per_second"].get<double>() * part["ms_per_step"].get<double>() / 1e3, tokens,
                    1e-6 * tokens);
        EXPECT_NEAR(part["flops_per_second"].get<double>() / part["matmul_flops_per_second"].get<double>(),
                    part["share_of_matmul"].get<double>(), 1e-6);
    }
    static void refused(const Words& words, const Words& mentions) {
        expectRefusal(bdq(Words{"bench", model()} + words), 2, mentions);
    }
    static void expectSame(const std::vector<double>& found, const std::vector<double>& expected) {
        ASSERT_EQ(found.size(), kLosses);
        ASSERT_EQ(expected.size(), kLosses);
        for (std::size_t i = 0; i < kLosses; ++i)
            EXPECT_NEAR(found[i], expected[i], kTolerance * expected[i]) << "step " << i;
    }
};

TEST_F(BdqBench, trainingOfABlock) {
    const Words words{"--parts", "train", "--train-tokens", "6x64", "--batch", "2", "--losses", "20"};
    const Json report = bench(model(), words + onCpu("1"));
    EXPECT_EQ(report["schema"], 1);
    EXPECT_FALSE(report.contains("eval"));
    EXPECT_FALSE(report.contains("e2e"));
    EXPECT_GT(report["peak_host_bytes"].get<double>(), 0);
    const Json& part = report["train"];
    EXPECT_EQ(part["method"], "bdq");
    EXPECT_EQ(part["preset"], "balanced");
    EXPECT_EQ(part["scheme"], "W4A4KV4");
    EXPECT_EQ(part["sequences"], 6);
    // 20 steps are 7 epochs of 3; the first step warms up.
    expectTimes(part, 20);
    const std::vector<double> found = losses(report);
    ASSERT_EQ(found.size(), kLosses);
    for (const double loss : found) {
        EXPECT_TRUE(std::isfinite(loss));
        EXPECT_GT(loss, 0);
    }
    // The same three batches in every epoch.
    EXPECT_LT(found[17], found[2]);
    EXPECT_EQ(losses(bench(model(), words + onCpu("1"))), found);
    expectSame(losses(bench(model(), words + onCpu("2"))), found);
}

TEST_F(BdqBench, trainingOfTheWholeModelOnAText) {
    const Json report =
        bench(model(), Words{"--parts", "e2e", "--methods", "bdq:best", "--schemes", "W3A3KV3", "--e2e-steps",
                             "5", "--train-tokens", "4x64", "--calibration", text()} +
                           onCpu("1"));
    EXPECT_FALSE(report.contains("train"));
    EXPECT_EQ(report["e2e"]["preset"], "best");
    EXPECT_EQ(report["e2e"]["scheme"], "W3A3KV3");
    expectTimes(report["e2e"], 4);
}

TEST_F(BdqBench, whatCannotBeMeasuredIsRefused) {
    refused({"--parts", "eval,trian"}, {"trian", "kernels", "e2e"});
    refused({"--parts", "train", "--methods", "quarot"}, {"quarot", "single blocks"});
    refused({"--parts", "e2e"}, {"balanced", "whole model"});
    refused({"--methods", "bdq,rtn"}, {"quality"});
    for (const char* tokens : {"8", "x64", "8x", "0x64", "8x64k", "99999x99999"})
        refused({"--train-tokens", tokens}, {"--train-tokens", tokens});
    refused({"--losses", "-1"}, {"--losses"});
}

TEST_F(BdqBench, cpuAndGpuShareTheLosses) {
    if (parse(bdq({"devices", "--json"}).out)["devices"].size() < 2)
        GTEST_SKIP() << "this machine has no GPU";
    const std::string real = demoModel().empty() ? model() : demoModel();
    const Words words{"--parts", "train", "--train-tokens", "8x512", "--losses", "20"};
    expectSame(losses(bench(real, words + Words{"--device", "cuda"})),
               losses(bench(real, words + Words{"--device", "cpu"})));
}

} // namespace
} // namespace bdq::e2e
