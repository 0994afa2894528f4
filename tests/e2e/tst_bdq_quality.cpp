// bdq bench quality: one table of many runs, that grows row by row and survives interruptions.
#include <cmath>
#include <csignal>
#include <sstream>

#include "tests/e2e/e2e_support.h"

namespace bdq::e2e {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

class BdqQuality : public E2eTest {
protected:
    static void SetUpTestSuite() {
        E2eTest::SetUpTestSuite();
        writeDeepModel();
    }

    static Words evaluation() { return {"--eval", text(), "--eval-seq-len", "64", "--max-windows", "2"}; }
    /// The words of a table in the folder `t`.
    [[nodiscard]] Words words(const std::string& methods, const std::string& schemes, const Words& more = {},
                              const std::string& modelPath = model()) const {
        return Words{"bench",     "quality", modelPath,   "--out", path("t"),
                     "--methods", methods,   "--schemes", schemes} +
               evaluation() + smallCalibration("--samples") + more;
    }
    [[nodiscard]] Json table() const { return parse(readFile(path("t/quality.json"))); }
    [[nodiscard]] std::string markdown() const { return readFile(path("t/quality.md")); }
    [[nodiscard]] static Json rowNamed(const Json& table, const std::string& name) {
        for (const Json& row : table["rows"])
            if (row["name"] == name) return row;
        ADD_FAILURE() << "no row " << name << " in " << table.dump(1);
        return {};
    }
    static Json measured(const Words& line) {
        const ProcessResult result = bdq(line + Words{"--json"});
        EXPECT_EQ(result.exitCode, 0) << result.err;
        return parse(result.out);
    }
    std::string writeTask() {
        std::string lines;
        for (int i = 0; i < 8; ++i)
            lines += Json{{"context", sampleText(6 + i)},
                          {"choices", {"the river", "a", "stones"}},
                          {"label", i % 3}}
                         .dump() +
                     "\n";
        writeFile(path("quiz.jsonl"), lines);
        return path("quiz.jsonl");
    }
    /// What must not depend on interruptions.
    static Json figures(const Json& row) {
        Json found;
        for (const char* key : {"name", "fingerprint", "perplexity", "gap", "kl", "top1_agreement",
                                "average_weight_bits", "samples", "epochs"})
            found[key] = row[key];
        return found;
    }
    void interruptAndContinue(int signal);
};

/// Cells of the table line of `section` that begins with `method`; by column name.
std::map<std::string, std::string> cellsOf(const std::string& markdown, const std::string& section,
                                           const std::string& method) {
    const auto split = [](const std::string& line) {
        Words cells;
        std::istringstream stream(line);
        for (std::string cell; std::getline(stream, cell, '|');)
            cells.push_back(cell.size() > 2 ? cell.substr(1, cell.size() - 2) : cell);
        return cells;
    };
    const std::size_t at = markdown.find("## " + section + "\n");
    if (at == std::string::npos) return {};
    std::istringstream stream(markdown.substr(at));
    Words heading;
    std::map<std::string, std::string> found;
    for (std::string line; std::getline(stream, line);) {
        if (line.rfind("| method |", 0) == 0) heading = split(line);
        if (line.rfind("| " + method + " |", 0) != 0 || heading.empty()) continue;
        const Words cells = split(line);
        for (std::size_t i = 1; i < cells.size() && i < heading.size(); ++i)
            found[heading[i]] = cells[i];
        return found;
    }
    return found;
}

/// `text` shows `value` with `decimals` digits.
void expectShown(const std::string& shown, double value, int decimals) {
    ASSERT_FALSE(shown.empty());
    const double halfOfLastDigit = 0.5 * std::pow(10.0, -decimals);
    EXPECT_NEAR(std::stod(shown), value, halfOfLastDigit * (1 + 1e-6)) << shown;
}

TEST_F(BdqQuality, twoMethodsTwoSchemes) {
    const ProcessResult result = bdq(words("rtn,quarot", "W4A4KV4,W3A3", {"--task", writeTask(), "--json"}));
    ASSERT_EQ(result.exitCode, 0) << result.err;
    const Json found = table();
    EXPECT_EQ(parse(result.out), found);
    EXPECT_EQ(found["schema"], 1);
    EXPECT_EQ(found["status"], "finished");
    Words names;
    for (const Json& row : found["rows"])
        names.push_back(row["name"]);
    EXPECT_EQ(names, (Words{"rtn-fast-W4A4KV4-s0", "quarot-fast-W4A4KV4-s0", "rtn-fast-W3A3-s0",
                            "quarot-fast-W3A3-s0"}));
    const double full = found["full"]["perplexity"].get<double>();
    for (const Json& row : found["rows"]) {
        const std::string name = row["name"];
        EXPECT_EQ(row["status"], "finished") << name;
        EXPECT_EQ(row["samples"], 4) << name;
        EXPECT_NEAR(row["gap"].get<double>(), row["perplexity"].get<double>() - full, 1e-9 * full) << name;
        EXPECT_GT(row["kl"].get<double>(), 0.0) << name;
        EXPECT_GT(row["run_seconds"].get<double>(), 0.0) << name;
        EXPECT_GT(row["eval_seconds"].get<double>(), 0.0) << name;
        EXPECT_EQ(row["device"], "cpu") << name;
        EXPECT_EQ(row["tasks"][0]["items"], 8) << name;
        EXPECT_TRUE(fs::exists(path("t/" + row["run"].get<std::string>() + "/run.json"))) << name;
    }
    for (const char* part :
         {"full model: ", "row 1 of 4, rtn:fast W4A4KV4 seed 0: ", "row 4 of 4, quarot:fast W3A3 "})
        EXPECT_NE(result.err.find(part), std::string::npos) << part << " in " << result.err;
}

TEST_F(BdqQuality, markdownHasTheNumbersOfTheJson) {
    const ProcessResult people = bdq(words("rtn,quarot", "W4A4KV4,W3A3", {"--task", writeTask()}));
    ASSERT_EQ(people.exitCode, 0) << people.err;
    EXPECT_EQ(people.out, markdown());
    const Json found = table();
    for (const Json& row : found["rows"]) {
        auto cells = cellsOf(markdown(), row["scheme"], row["method"]);
        ASSERT_FALSE(cells.empty()) << markdown();
        EXPECT_EQ(cells["preset"], "fast");
        EXPECT_EQ(cells["seed"], "0");
        EXPECT_EQ(cells["samples"], "4");
        expectShown(cells["perplexity"], row["perplexity"], 3);
        expectShown(cells["gap"], row["gap"], 3);
        expectShown(cells["KL"], row["kl"], 4);
        expectShown(cells["top-1 %"], 100 * row["top1_agreement"].get<double>(), 2);
        expectShown(cells["bits"], row["average_weight_bits"], 3);
        expectShown(cells["run s"], row["run_seconds"], 1);
        const Json task = row["tasks"][0];
        expectShown(cells["quiz acc %"], 100 * task["acc"].get<double>(), 2);
        const std::string error = cells["quiz acc %"].substr(cells["quiz acc %"].find("+-") + 3);
        expectShown(error, 100 * task["acc_stderr"].get<double>(), 2);
    }
    const std::string full = "Full model: perplexity ";
    const std::size_t at = markdown().find(full);
    ASSERT_NE(at, std::string::npos) << markdown();
    expectShown(markdown().substr(at + full.size(), 12), found["full"]["perplexity"], 3);
}

TEST_F(BdqQuality, sameFiguresAsPlainRuns) {
    const Words training{"--epochs", "1", "--batch", "2"};
    const Json found = measured(words("rtn,bdq:balanced", "W4A4KV4", training + Words{"--seeds", "5"}));
    EXPECT_EQ(found["full"]["perplexity"],
              measured(Words{"eval", model(), "--text", text(), "--seq-len", "64", "--max-windows", "2",
                             "--device", "cpu", "--threads", "1"})["perplexity"]);
    for (const auto& [method, preset] : {std::pair("rtn", "fast"), std::pair("bdq", "balanced")}) {
        const std::string name = std::string(method) + "-" + preset + "-W4A4KV4-s5";
        const Words common = smallCalibration("--samples") + Words{"--seed", "5"};
        const Words trained = preset == std::string("balanced") ? training : Words{};
        const Json run = measured(Words{"run", model(), "--out", path(method), "--scheme", "W4A4KV4",
                                        "--method", method, "--preset", preset} +
                                  common + trained);
        const Json eval =
            measured(Words{"eval", model(), "--run", path(method), "--text", text(), "--seq-len", "64",
                           "--max-windows", "2", "--device", "cpu", "--threads", "1"});
        const Json row = rowNamed(found, name);
        for (const char* key : {"perplexity", "perplexity_full", "kl", "top1_agreement"})
            EXPECT_EQ(row[key], eval[key]) << name << " " << key;
        EXPECT_EQ(row["average_weight_bits"], run["average_weight_bits"]) << name;
        EXPECT_EQ(parse(readFile(path("t/runs/" + name + "/run.json")))["per_layer"], run["per_layer"])
            << name;
    }
    EXPECT_EQ(rowNamed(found, "rtn-fast-W4A4KV4-s5")["epochs"], 0);
    EXPECT_EQ(rowNamed(found, "bdq-balanced-W4A4KV4-s5")["epochs"], 1);
}

TEST_F(BdqQuality, everyRowHasItsOwnSeed) {
    const Json found = measured(words("quarot", "W4A4KV4", {"--seeds", "0,1"}));
    ASSERT_EQ(found["rows"].size(), 2u);
    EXPECT_EQ(found["rows"][1]["name"], "quarot-fast-W4A4KV4-s1");
    EXPECT_EQ(found["rows"][1]["seed"], 1);
    EXPECT_NE(found["rows"][0]["perplexity"], found["rows"][1]["perplexity"]);
}

TEST_F(BdqQuality, finishedRowsAreNotMeasuredAgain) {
    measured(words("rtn", "W4A4KV4"));
    // A number that no measurement gives shows whether the row is kept.
    constexpr double kMark = 12345.5;
    Json marked = table();
    marked["rows"][0]["perplexity"] = kMark;
    marked["full"]["perplexity"] = kMark;
    writeFile(path("t/quality.json"), marked.dump());
    const Json found = measured(words("rtn,quarot", "W4A4KV4"));
    ASSERT_EQ(found["rows"].size(), 2u);
    EXPECT_EQ(found["rows"][0]["perplexity"], kMark);
    EXPECT_EQ(found["full"]["perplexity"], kMark);
    EXPECT_EQ(found["rows"][1]["status"], "finished");
}

void BdqQuality::interruptAndContinue(int signal) {
    const Words line = words("rtn,quarot", "W4A4KV4", {}, deepModel());
    const std::string second = path("t/runs/quarot-fast-W4A4KV4-s0");
    {
        Process process(Words{program("bdq")} + line);
        ASSERT_TRUE(
            waitFor([&] { return fs::exists(second + "/layers") && !fs::is_empty(second + "/layers"); }));
        process.signal(signal);
        const ProcessResult stopped = process.wait();
        if (signal == SIGKILL) {
            ASSERT_EQ(stopped.signal, SIGKILL) << stopped.err;
        } else {
            ASSERT_EQ(stopped.exitCode, 130) << stopped.err;
            EXPECT_NE(stopped.err.find("the same command continues it"), std::string::npos) << stopped.err;
        }
    }
    const Json before = table();
    ASSERT_EQ(before["rows"].size(), 1u);
    EXPECT_EQ(before["status"], "incomplete");
    ASSERT_FALSE(fs::exists(second + "/run.json"));

    const Json after = measured(line);
    ASSERT_EQ(after["rows"].size(), 2u);
    EXPECT_EQ(after["rows"][0], before["rows"][0]);
    EXPECT_EQ(after["full"], before["full"]);
    EXPECT_EQ(after["rows"][0]["resumed"], false);
    EXPECT_EQ(after["rows"][1]["resumed"], true);
    EXPECT_EQ(cellsOf(markdown(), "W4A4KV4", "quarot")["run s"].back(), '+');

    fs::remove_all(path("t"));
    const Json whole = measured(line);
    for (std::size_t i = 0; i < 2; ++i)
        EXPECT_EQ(figures(after["rows"][i]), figures(whole["rows"][i]));
}

TEST_F(BdqQuality, killedAndContinued) {
    interruptAndContinue(SIGKILL);
}

TEST_F(BdqQuality, cancelledAndContinued) {
    interruptAndContinue(SIGINT);
}

TEST_F(BdqQuality, aFinishedRunIsOnlyEvaluated) {
    const Json whole = measured(words("rtn", "W4A4KV4"));
    const std::string run = readFile(path("t/runs/rtn-fast-W4A4KV4-s0/run.json"));
    fs::remove(path("t/quality.json")); // as if killed during the evaluation
    const Json again = measured(words("rtn", "W4A4KV4"));
    EXPECT_EQ(figures(again["rows"][0]), figures(whole["rows"][0]));
    EXPECT_EQ(again["rows"][0]["run_seconds"], whole["rows"][0]["run_seconds"]);
    EXPECT_EQ(readFile(path("t/runs/rtn-fast-W4A4KV4-s0/run.json")), run);
}

TEST_F(BdqQuality, aFailingRowDoesNotStopTheOthers) {
    const std::string foreign = path("t/runs/rtn-fast-W4A4KV4-s0");
    fs::create_directories(foreign);
    writeFile(foreign + "/manifest.txt", "version of another time\n");
    const ProcessResult result = bdq(words("rtn,quarot", "W4A4KV4", {"--json"}));
    EXPECT_EQ(result.exitCode, 1) << result.err;
    const Json found = parse(result.out);
    EXPECT_EQ(found, table());
    EXPECT_EQ(found["status"], "failed");
    const Json failed = rowNamed(found, "rtn-fast-W4A4KV4-s0");
    EXPECT_EQ(failed["status"], "failed");
    EXPECT_EQ(failed["error_code"], "invalid_spec");
    EXPECT_NE(failed["error"].get<std::string>().find("cannot resume"), std::string::npos) << failed.dump();
    EXPECT_FALSE(failed.contains("perplexity"));
    EXPECT_EQ(rowNamed(found, "quarot-fast-W4A4KV4-s0")["status"], "finished");
    EXPECT_NE(markdown().find("* rtn-fast-W4A4KV4-s0: "), std::string::npos) << markdown();
    EXPECT_NE(markdown().find("cannot resume"), std::string::npos) << markdown();
    EXPECT_NE(result.err.find("row 1 of 2, rtn:fast W4A4KV4 seed 0: failed: "), std::string::npos)
        << result.err;

    fs::remove_all(foreign);
    const Json repaired = measured(words("rtn,quarot", "W4A4KV4"));
    EXPECT_EQ(repaired["status"], "finished");
    EXPECT_EQ(rowNamed(repaired, "rtn-fast-W4A4KV4-s0")["status"], "finished");
    EXPECT_EQ(rowNamed(repaired, "quarot-fast-W4A4KV4-s0"), rowNamed(found, "quarot-fast-W4A4KV4-s0"));
    EXPECT_EQ(markdown().find("cannot resume"), std::string::npos) << markdown();
}

TEST_F(BdqQuality, otherSettingsDoNotMix) {
    measured(words("rtn", "W4A4KV4"));
    const std::string before = readFile(path("t/quality.json"));
    Words windows = words("rtn", "W4A4KV4");
    *(std::find(windows.begin(), windows.end(), "--max-windows") + 1) = "1";
    expectRefusal(bdq(windows), 2, {path("t/quality.json"), "max_windows 2", "1"});
    Words samples = words("rtn", "W4A4KV4");
    *(std::find(samples.begin(), samples.end(), "--samples") + 1) = "3";
    expectRefusal(bdq(samples), 2, {"row rtn-fast-W4A4KV4-s0", path("t/runs/rtn-fast-W4A4KV4-s0")});
    EXPECT_EQ(readFile(path("t/quality.json")), before);

    fs::remove_all(path("t/runs/rtn-fast-W4A4KV4-s0"));
    const Json replaced = measured(samples);
    ASSERT_EQ(replaced["rows"].size(), 1u);
    EXPECT_EQ(replaced["rows"][0]["samples"], 3);
}

TEST_F(BdqQuality, damagedTablesAreRefused) {
    fs::create_directories(path("t"));
    for (const auto& [bytes, mention] :
         {std::pair("{", "no JSON object"), std::pair(R"({"schema": 2})", "schema"),
          std::pair(R"({"schema": 1, "status": "x", "settings": {}, "full": 3, "rows": []})", "full"),
          std::pair(R"({"schema": 1, "status": "x", "settings": {}, "full": null, "rows": {}})", "rows")}) {
        writeFile(path("t/quality.json"), bytes);
        expectRefusal(bdq(words("rtn", "W4A4KV4")), 3, {path("t/quality.json"), mention});
        EXPECT_EQ(readFile(path("t/quality.json")), bytes);
    }
}

TEST_F(BdqQuality, usage) {
    const Words base{"bench", "quality", model()};
    const Words out{"--out", path("t")};
    const Words methods{"--methods", "rtn"};
    const Words schemes{"--schemes", "W4A4"};
    expectRefusal(bdq(base + methods + schemes + evaluation()), 2, {"--out"});
    expectRefusal(bdq(base + out + schemes + evaluation()), 2, {"--methods"});
    expectRefusal(bdq(base + out + methods + evaluation()), 2, {"--schemes"});
    expectRefusal(bdq(base + out + methods + schemes), 2, {"--eval", "--task"});
    expectRefusal(bdq(words("rtn,absent", "W4A4")), 2, {"--methods", "absent"});
    expectRefusal(bdq(words("rtn:best", "W4A4")), 2, {"rtn:best", "fast"});
    expectRefusal(bdq(words("rtn,rtn:fast", "W4A4")), 2, {"methods", "twice"});
    expectRefusal(bdq(words("rtn", "W4A4,W5X")), 2, {"--schemes", "W5X"});
    expectRefusal(bdq(words("rtn", "W4A4", {"--seeds", "0,x"})), 2, {"--seeds", "x"});
    expectRefusal(bdq(words("rtn", "W4A4", {"--parts", "eval"})), 2, {"--parts"});
    expectRefusal(bdq(words("bdq:balanced", "W4A4", {"--epochs", "0"})), 2,
                  {"bdq-balanced-W4A4-s0", "epochs"});
    expectRefusal(bdq({"bench", "slow", model()}), 2, {"quality"});
    expectRefusal(bdq(Words{"bench", model()} + schemes + Words{"--seeds", "0"}), 2, {"bdq bench quality"});
    EXPECT_FALSE(fs::exists(path("t")));
    Words absent = words("rtn", "W4A4");
    *(std::find(absent.begin(), absent.end(), "--eval") + 1) = path("absent.txt");
    expectRefusal(bdq(absent), 3, {path("absent.txt")});
}

TEST_F(BdqQuality, speedIsStillMeasured) {
    const ProcessResult result = bdq({"bench", model(), "--parts", "kernels", "--device", "cpu", "--json"});
    ASSERT_EQ(result.exitCode, 0) << result.err;
    EXPECT_TRUE(parse(result.out).contains("open_seconds")) << result.out;
    expectRefusal(bdq({"bench", model(), "--methods", "rtn"}), 2, {"method rtn", "expected a preset"});
}

} // namespace
} // namespace bdq::e2e
