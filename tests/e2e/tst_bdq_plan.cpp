// bdq sensitivity and bdq plan: from an analysis to the bits of a run.
#include <cmath>
#include <csignal>
#include <thread>

#include "tests/e2e/e2e_support.h"

namespace bdq::e2e {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

class BdqPlan : public E2eTest {
protected:
    static void SetUpTestSuite() {
        E2eTest::SetUpTestSuite();
        const ProcessResult analyzed =
            bdq(Words{"analyze", model(), "--out", analysis(), "--transforms", "none,hadamard"} +
                smallCalibration());
        ASSERT_EQ(analyzed.exitCode, 0) << analyzed.err;
        const ProcessResult measured = bdq(Words{"sensitivity", analysis()} + onText());
        ASSERT_EQ(measured.exitCode, 0) << measured.err;
        EXPECT_NE(measured.out.find("Most sensitive 8 of 8"), std::string::npos) << measured.out;
    }
    static std::string analysis() { return (s_shared / "analysis").string(); }
    static Words onText() {
        return {"--text", text(), "--sequences", "2", "--seq-len", "64", "--device", "cpu", "--threads", "1"};
    }
    static Json sensitivity() { return parse(readFile(analysis() + "/sensitivity.json")); }
    static Json rowOf(int layer, const std::string& site, const std::string& weight) {
        const Json all = sensitivity();
        for (const Json& row : all["rows"])
            if (row["layer"] == layer && row["site"] == site && row["weight"] == weight) return row;
        ADD_FAILURE() << "no row for " << layer << " " << site << " " << weight;
        return {};
    }
    [[nodiscard]] Words plan(const Words& more) const {
        return Words{"plan", analysis(), "--out", path("plan.json")} + more;
    }
    [[nodiscard]] Json planned(const Words& more) const {
        const ProcessResult result = bdq(plan(more + Words{"--json"}));
        EXPECT_EQ(result.exitCode, 0) << result.err;
        return parse(result.out);
    }
    [[nodiscard]] Json ran(const std::string& folder, const Words& what) const {
        const ProcessResult result =
            bdq(Words{"run", model(), "--out", path(folder), "--method", "quarot", "--json"} + what +
                smallCalibration("--samples"));
        EXPECT_EQ(result.exitCode, 0) << result.err;
        return parse(result.out);
    }
    static void expectRefusal(const ProcessResult& result, int code, const Words& mentions) {
        EXPECT_EQ(result.exitCode, code) << result.err;
        ASSERT_EQ(errorLines(result.err).size(), 1u) << result.err;
        for (const std::string& mention : mentions)
            EXPECT_NE(errorLines(result.err).front().find(mention), std::string::npos)
                << mention << " in " << result.err;
    }
    /// A copy of the analysis that may be damaged.
    [[nodiscard]] std::string copyOfAnalysis() const {
        fs::copy(analysis(), path("copy"), fs::copy_options::recursive);
        return path("copy");
    }
};

TEST_F(BdqPlan, sensitivityIsThatOfTheOneSite) {
    const Json found = sensitivity();
    EXPECT_EQ(found["schema"], 1);
    EXPECT_EQ(found["activation"], "A16");
    EXPECT_EQ(found["rows"].size(), 2u * 4u * 4u);
    EXPECT_EQ(found["kl_tokens"], 2 * 63);
    EXPECT_NE(found["provenance"]["command"].get<std::string>().find("--seq-len 64"), std::string::npos);
    // A run that quantizes the same site by the same transform and rounding, compared by bdq eval.
    writeFile(path("one.json"), R"({"schema": 1, "scheme": "W16A16", "overrides":
        [{"layer": 0, "site": "gate_up", "scheme": "W2A16"}]})");
    EXPECT_EQ(ran("one", {"--plan", path("one.json"), "--weights", "mse"})["status"], "finished");
    const ProcessResult evaluated =
        bdq({"eval", model(), "--run", path("one"), "--text", text(), "--seq-len", "64", "--max-windows", "2",
             "--device", "cpu", "--threads", "1", "--json"});
    ASSERT_EQ(evaluated.exitCode, 0) << evaluated.err;
    const double expected = parse(evaluated.out)["kl"].get<double>();
    const Json row = rowOf(0, "gate_up", "W2");
    EXPECT_GT(expected, 1e-5);
    // Logits in fp32 on both ways: 1e-6 a token (engine/eval/divergence.h), and the same again in eval.
    EXPECT_NEAR(row["kl"].get<double>(), expected, 2e-6 + 1e-3 * expected);
    EXPECT_EQ(row["transform"], "hadamard");
}

TEST_F(BdqPlan, errorsFallWithTheBits) {
    for (int layer = 0; layer < 2; ++layer)
        for (const char* site : {"qkv", "o", "gate_up", "down"}) {
            const Json two = rowOf(layer, site, "W2");
            const Json four = rowOf(layer, site, "W4");
            const Json eight = rowOf(layer, site, "W8");
            // Two bits more are a factor of 16 in energy; 4 leaves room for the range search.
            EXPECT_GT(two["output_error"].get<double>(), 4 * four["output_error"].get<double>());
            EXPECT_GT(four["output_error"].get<double>(), 4 * eight["output_error"].get<double>());
            EXPECT_GT(two["kl"].get<double>(), four["kl"].get<double>());
            // The prediction takes the whole range, the measurement the best part of it.
            EXPECT_NEAR(std::log10(eight["output_error_predicted"].get<double>()),
                        std::log10(eight["output_error"].get<double>()), 0.3);
        }
}

TEST_F(BdqPlan, aRunOfThePlanHasItsBits) {
    for (const char* metric : {"kl", "estimated", "output", "predicted"}) {
        const Json found =
            planned({"--budget", "4.5", "--activation", "A8", "--kv", "KV8", "--metric", metric});
        EXPECT_EQ(found["schema"], 1);
        EXPECT_EQ(found["metric"], metric);
        EXPECT_EQ(found["transform"], "hadamard");
        EXPECT_TRUE(found["optimal"].get<bool>());
        EXPECT_LE(found["effective_bits"].get<double>(), 4.5);
        EXPECT_EQ(found["loss"], found["loss_lower_bound"]);
        EXPECT_LE(found["loss_linear_bound"].get<double>(), found["loss"].get<double>());
        EXPECT_EQ(found["sites"].size(), 8u);
        const Json run = ran(std::string("r-") + metric, {"--plan", path("plan.json"), "--weights", "rtn"});
        EXPECT_NEAR(run["average_weight_bits"].get<double>(), found["effective_bits"].get<double>(), 1e-9);
        for (const Json& row : run["per_layer"])
            EXPECT_NE(row["scheme"].get<std::string>().find(
                          row["site"].get<std::string>().find("cache") == std::string::npos ? "A8" : "KV8"),
                      std::string::npos)
                << row.dump();
    }
}

TEST_F(BdqPlan, tableForPeople) {
    const ProcessResult result = bdq(plan({"--budget", "W4", "--bits", "2,3,4,8"}));
    ASSERT_EQ(result.exitCode, 0) << result.err;
    for (const char* word : {"metric kl", "all W2", "all W8", "this plan", "times smaller than all W4",
                             "Proven: no choice within the budget has a smaller sum", "Plan in "})
        EXPECT_NE(result.out.find(word), std::string::npos) << word << "\n" << result.out;
    const Json layers = planned({"--budget", "W4", "--whole-layers"});
    const Json sites = planned({"--budget", "W4"});
    EXPECT_LE(sites["loss"].get<double>(), layers["loss"].get<double>());
    for (std::size_t i = 0; i < 8; ++i)
        EXPECT_EQ(layers["sites"][i]["weight"], layers["sites"][4 * (i / 4)]["weight"]);
}

TEST_F(BdqPlan, reportShowsTheSensitivity) {
    const ProcessResult result =
        bdq({"report", analysis(), "--format", "html", "--out", path("report.html")});
    ASSERT_EQ(result.exitCode, 0) << result.err;
    const std::string html = readFile(path("report.html"));
    EXPECT_NE(html.find("Sensitivity"), std::string::npos);
    EXPECT_NE(html.find("KL, W2A16"), std::string::npos);
}

TEST_F(BdqPlan, refusesWithAReason) {
    expectRefusal(bdq(plan({"--budget", "2"})), 2,
                  {"found a budget of 2", "the least with W2, W3, W4, W8 is"});
    expectRefusal(bdq(plan({"--budget", "5", "--bits", "5", "--metric", "kl"})), 2,
                  {"was not measured with W5", "W2, W3, W4, W8"});
    expectRefusal(bdq(plan({"--budget", "4", "--transform", "bdq"})), 2, {"found transform bdq", "hadamard"});
    expectRefusal(bdq({"plan", path("nowhere"), "--out", path("p.json"), "--budget", "4"}), 3,
                  {"nowhere/analysis.json"});
    EXPECT_FALSE(fs::exists(path("plan.json")));
    const std::string copy = copyOfAnalysis();
    writeFile(copy + "/sensitivity.json", "{\"schema\": 9}");
    expectRefusal(bdq({"plan", copy, "--out", path("p.json"), "--budget", "4"}), 3,
                  {"sensitivity.json", "schema"});
    fs::remove(copy + "/sensitivity.json");
    expectRefusal(bdq({"plan", copy, "--out", path("p.json"), "--budget", "4", "--metric", "kl"}), 2,
                  {"needs a measured sensitivity"});
    EXPECT_FALSE(fs::exists(path("p.json")));
    EXPECT_EQ(bdq({"plan", copy, "--out", path("p.json"), "--budget", "4"}).exitCode, 0);

    expectRefusal(bdq(Words{"sensitivity", copy, "--transforms", "cat-diag"} + onText()), 2,
                  {"no transform cat-diag"});
    expectRefusal(bdq(Words{"sensitivity", copy, "--layers", "7"} + onText()), 2, {"layer 7"});
    expectRefusal(bdq(Words{"sensitivity", copy, "--model", path("none.gguf")} + onText()), 3, {"none.gguf"});
    fs::remove(copy + "/sites/L001-o.safetensors");
    expectRefusal(bdq(Words{"sensitivity", copy} + onText()), 3, {"L001-o.safetensors"});
    EXPECT_FALSE(fs::exists(copy + "/sensitivity.json"));
}

TEST_F(BdqPlan, refusesAnotherModel) {
    TinyModelOptions options;
    options.layers = 3;
    writeTinyModel(path("deeper"), options);
    expectRefusal(bdq(Words{"sensitivity", analysis(), "--model", path("deeper")} + onText()), 2,
                  {"found 3 layers", "of a model with 2"});
}

TEST_F(BdqPlan, aCancelledMeasurementLeavesTheOldOne) {
    const std::string copy = copyOfAnalysis();
    const std::string before = readFile(copy + "/sensitivity.json");
    Process process({program("bdq"), "sensitivity", copy, "--text", text(), "--seq-len", "256", "--sequences",
                     "64", "--device", "cpu", "--threads", "1", "--bits", "2,3,4,5,6,7,8"});
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    process.signal(SIGINT);
    const ProcessResult result = process.wait();
    EXPECT_EQ(result.exitCode, 130) << result.err;
    EXPECT_EQ(readFile(copy + "/sensitivity.json"), before);
}

} // namespace
} // namespace bdq::e2e
