// The computing commands on the tiny model: what they print, what they leave in their folders.
#include <cmath>
#include <set>

#include "tests/e2e/e2e_support.h"

namespace bdq::e2e {
namespace {

class BdqJobs : public E2eTest {
protected:
    [[nodiscard]] std::vector<std::string> runWords(const std::string& out, const std::string& scheme,
                                                    const std::string& method) const {
        return std::vector<std::string>{"run",  model(),    "--out", path(out), "--scheme",
                                        scheme, "--method", method,  "--json"} +
               smallCalibration("--samples");
    }
    static std::vector<std::string> evaluation() {
        return {"--eval", text(), "--eval-seq-len", "64", "--max-windows", "2"};
    }
    /// A finished run to look at.
    void finishRun(const std::string& out, const std::string& method) {
        const ProcessResult result = bdq(runWords(out, "W4A4KV4", method) + evaluation());
        ASSERT_EQ(result.exitCode, 0) << result.err;
    }
};

TEST_F(BdqJobs, devicesBeginWithTheCpu) {
    const ProcessResult result = bdq({"devices", "--json"});
    ASSERT_EQ(result.exitCode, 0) << result.err;
    const Json object = parse(result.out);
    EXPECT_EQ(object["schema"], 1);
    EXPECT_EQ(object["devices"][0]["id"], "cpu");
    EXPECT_GT(object["devices"][0]["memory_bytes"], 0);
    EXPECT_TRUE(object["torch"].is_string());
    EXPECT_NE(bdq({"devices"}).out.find("libtorch"), std::string::npos);
}

TEST_F(BdqJobs, analyzeWritesWhatItPrints) {
    const ProcessResult result =
        bdq(std::vector<std::string>{"analyze", model(), "--out", path("a"), "--json"} + smallCalibration());
    ASSERT_EQ(result.exitCode, 0) << result.err;
    const Json printed = parse(result.out);
    ASSERT_TRUE(printed.is_object());
    EXPECT_EQ(printed["schema"], 1);
    ASSERT_EQ(printed["sites"].size(), 2u * 4u);
    const Json stored = parse(readFile(path("a/analysis.json")));
    EXPECT_EQ(stored["sites"], printed["sites"]);
    for (const Json& site : printed["sites"]) {
        for (const char* name : {"none", "smoothquant", "hadamard", "cat-diag", "cat-block", "bdq"}) {
            const Json& transform = site["transforms"][name];
            ASSERT_TRUE(transform.is_object()) << name;
            EXPECT_TRUE(std::isfinite(transform["sqnr_db_measured"]["W4A4"].get<double>()));
            EXPECT_TRUE(transform["sqnr_db_predicted"].contains("W4A4"));
            for (const char* key : {"flatness_activation", "flatness_weight", "concentration_activation_db",
                                    "concentration_weight_db", "alignment_db"})
                EXPECT_TRUE(transform.contains(key)) << key;
        }
    }
    const std::vector<Json> events = parseLines(readFile(path("a/events.jsonl")));
    ASSERT_GT(events.size(), 10u);
    EXPECT_EQ(events.front()["type"], "hello");
    EXPECT_EQ(events[1]["type"], "accepted");
    EXPECT_EQ(events.back()["type"], "finished");
}

TEST_F(BdqJobs, analyzeForPeopleShowsTheWorstSites) {
    const ProcessResult result =
        bdq(std::vector<std::string>{"analyze", model(), "--out", path("a"), "--layers", "1", "--transforms",
                                     "none,hadamard"} +
            smallCalibration());
    ASSERT_EQ(result.exitCode, 0) << result.err;
    for (const char* word : {"W4A4", "none", "hadamard", "gate_up", "flatness", "peak memory"})
        EXPECT_NE(result.out.find(word), std::string::npos) << word << "\n" << result.out;
    EXPECT_NE(result.err.find("layer 1"), std::string::npos) << result.err;
    EXPECT_EQ(parse(readFile(path("a/analysis.json")))["sites"].size(), 4u);
}

TEST_F(BdqJobs, resultsNameTheirInputsWithWholePaths) {
    const std::string relative = std::filesystem::relative(model()).string();
    ASSERT_NE(relative, model());
    const ProcessResult result = bdq(
        {"analyze", relative, "--out", path("a"), "--layers", "0", "--transforms", "none", "--calibration",
         std::filesystem::relative(text()).string(), "--sequences", "1", "--seq-len", "32"});
    ASSERT_EQ(result.exitCode, 0) << result.err;
    const Json spec = parse(readFile(path("a/analysis.json")))["spec"];
    EXPECT_EQ(spec["model"], model());
    EXPECT_EQ(spec["calibration"], text());
}

TEST_F(BdqJobs, selfGeneratedTextNeedsNoFile) {
    const ProcessResult result =
        bdq({"analyze", model(), "--out", path("a"), "--sequences", "2", "--seq-len", "32", "--layers", "0",
             "--transforms", "none", "--device", "cpu", "--threads", "1", "--seed", "5", "--json"});
    ASSERT_EQ(result.exitCode, 0) << result.err;
    const ProcessResult again =
        bdq({"analyze", model(), "--out", path("b"), "--sequences", "2", "--seq-len", "32", "--layers", "0",
             "--transforms", "none", "--device", "cpu", "--threads", "1", "--seed", "5", "--json"});
    EXPECT_EQ(parse(result.out)["sites"], parse(again.out)["sites"]);
}

TEST_F(BdqJobs, everyMethodRuns) {
    for (const char* method :
         {"rtn", "smoothquant", "gptq", "quarot", "cat-diag", "cat-block", "cat", "bdq"}) {
        const ProcessResult result = bdq(runWords(method, "W4A4KV4", method));
        ASSERT_EQ(result.exitCode, 0) << method << ": " << result.err;
        const Json run = parse(result.out);
        EXPECT_EQ(run["schema"], 1);
        EXPECT_EQ(run["status"], "finished");
        EXPECT_EQ(run["method"], method);
        EXPECT_EQ(run["scheme"], "W4A4KV4");
        std::set<std::pair<int, std::string>> sites;
        for (const Json& row : run["per_layer"]) {
            sites.insert({row["layer"].get<int>(), row["site"].get<std::string>()});
            EXPECT_TRUE(std::isfinite(row["sqnr_db"].get<double>()));
            EXPECT_GT(row["mse"].get<double>(), 0);
        }
        EXPECT_EQ(sites.size(), 2u * 6u) << method;
        EXPECT_EQ(parse(readFile(path(method) + "/run.json"))["per_layer"], run["per_layer"]);
    }
}

TEST_F(BdqJobs, everySchemeRuns) {
    for (const char* scheme : {"W2A4KV16", "W4A16", "W8A8KV8", "W4A4:g32", "W3g32asym A5asym KV4sym"}) {
        const ProcessResult result =
            bdq(runWords(scheme, scheme, "quarot") + std::vector<std::string>{"--weights", "rtn"});
        EXPECT_EQ(result.exitCode, 0) << scheme << ": " << result.err;
        EXPECT_EQ(parse(result.out)["status"], "finished") << scheme;
    }
}

TEST_F(BdqJobs, moreBitsAreBetter) {
    double last = -100;
    for (const char* scheme : {"W3A3", "W4A4", "W8A8"}) {
        const Json run = parse(bdq(runWords(scheme, scheme, "bdq")).out);
        const double sqnr = run["per_layer"][0]["sqnr_db"].get<double>();
        // One bit is worth 6 dB; half of it is a safe lower bound for noise that is not the range's alone.
        EXPECT_GT(sqnr, last + 3.0) << scheme;
        last = sqnr;
    }
}

TEST_F(BdqJobs, onlyChosenLayersAreQuantized) {
    const Json run = parse(bdq(runWords("r", "W4A4", "rtn") + std::vector<std::string>{"--layers", "1"}).out);
    ASSERT_FALSE(run["per_layer"].empty());
    for (const Json& row : run["per_layer"])
        EXPECT_EQ(row["layer"], 1);
}

TEST_F(BdqJobs, planSetsBitsSiteBySite) {
    writeFile(path("plan.json"),
              R"({"schema":1,"scheme":"W4A4","overrides":[{"layer":1,"site":"down","scheme":"W8A8"}]})");
    const std::vector<std::string> words{"run",    model(),           "--out", path("r"),
                                         "--plan", path("plan.json"), "--json"};
    const ProcessResult result = bdq(words + smallCalibration("--samples"));
    ASSERT_EQ(result.exitCode, 0) << result.err;
    const Json run = parse(result.out);
    for (const Json& row : run["per_layer"])
        EXPECT_EQ(row["scheme"], row["layer"] == 1 && row["site"] == "down" ? "W8A8" : "W4A4");
    // The exact spec of the run is a plan, too.
    const std::vector<std::string> again{"run",   model(), "--out", path("r2"), "--plan", path("r/spec.json"),
                                         "--json"};
    EXPECT_EQ(parse(bdq(again + smallCalibration("--samples")).out)["per_layer"], run["per_layer"]);
}

TEST_F(BdqJobs, evalMeasuresTheModelAndARun) {
    finishRun("r", "quarot");
    const std::vector<std::string> words{"eval",          model(), "--text",   text(), "--seq-len", "64",
                                         "--max-windows", "2",     "--device", "cpu",  "--threads", "1"};
    const ProcessResult full = bdq(words + std::vector<std::string>{"--json"});
    ASSERT_EQ(full.exitCode, 0) << full.err;
    const Json before = parse(full.out);
    EXPECT_EQ(before["windows"], 2);
    EXPECT_NEAR(before["perplexity"].get<double>(), std::exp(before["nll"].get<double>()),
                1e-6 * before["perplexity"].get<double>());
    const Json after = parse(bdq(words + std::vector<std::string>{"--run", path("r"), "--json"}).out);
    const Json run = parse(readFile(path("r/run.json")));
    EXPECT_DOUBLE_EQ(run["perplexity_full"].get<double>(), before["perplexity"].get<double>());
    EXPECT_DOUBLE_EQ(run["perplexity"].get<double>(), after["perplexity"].get<double>());
    const std::string line = bdq(words).out;
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    for (const char* word : {"perplexity", "2 windows of 64", "text.txt"})
        EXPECT_NE(line.find(word), std::string::npos) << word << " in " << line;
}

TEST_F(BdqJobs, summaryReportAndComparison) {
    finishRun("r1", "rtn");
    finishRun("r2", "bdq");
    const std::string summary = bdq({"compare", path("r1")}).out;
    for (const char* word : {"W4A4KV4", "Perplexity", "->", "Average weight bits", "SQNR"})
        EXPECT_NE(summary.find(word), std::string::npos) << word << "\n" << summary;

    for (const char* format : {"html", "md", "csv", "json"}) {
        const std::string file = path("report." + std::string(format));
        const ProcessResult result = bdq({"report", path("r1"), "--format", format, "--out", file});
        EXPECT_EQ(result.exitCode, 0) << format << ": " << result.err;
        EXPECT_GT(readFile(file).size(), 300u) << format;
    }
    EXPECT_NE(readFile(path("report.html")).find("<svg"), std::string::npos);
    EXPECT_TRUE(parse(readFile(path("report.json"))).is_object());

    const ProcessResult compared = bdq({"compare", path("r1"), path("r2")});
    EXPECT_EQ(compared.exitCode, 0) << compared.err;
    EXPECT_NE(compared.out.find("| qkv |"), std::string::npos) << compared.out;
    const ProcessResult json = bdq({"compare", path("r1"), path("r2"), "--json"});
    EXPECT_TRUE(parse(json.out).is_object()) << json.out;
}

TEST_F(BdqJobs, linesOfProgressGoToStderrOnly) {
    const ProcessResult result =
        bdq(std::vector<std::string>{"run", model(), "--out", path("r"), "--scheme", "W4A4"} +
            smallCalibration("--samples"));
    ASSERT_EQ(result.exitCode, 0) << result.err;
    EXPECT_NE(result.err.find("bdq: layer 0"), std::string::npos) << result.err;
    EXPECT_EQ(result.err.find('\r'), std::string::npos);
    EXPECT_EQ(result.err.find('\033'), std::string::npos);
    EXPECT_NE(result.out.find("Run in " + path("r")), std::string::npos) << result.out;
}

TEST_F(BdqJobs, theSameCommandGivesTheSameFigures) {
    const Json first = parse(bdq(runWords("r1", "W4A4KV4", "bdq")).out);
    const Json second = parse(bdq(runWords("r2", "W4A4KV4", "bdq")).out);
    EXPECT_FALSE(first["per_layer"].empty());
    EXPECT_EQ(first["per_layer"], second["per_layer"]);
}

} // namespace
} // namespace bdq::e2e
