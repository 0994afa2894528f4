// bdq eval: a model and a run of it on a text and on multiple-choice tasks.
#include <cmath>
#include <csignal>

#include "tests/e2e/e2e_support.h"

namespace bdq::e2e {
namespace {

class BdqEval : public E2eTest {
protected:
    static std::vector<std::string> onCpu() { return {"--device", "cpu", "--threads", "1"}; }
    static std::vector<std::string> onText() {
        return {"--text", text(), "--seq-len", "64", "--max-windows", "2"};
    }
    static ProcessResult eval(const std::vector<std::string>& words) {
        return bdq(std::vector<std::string>{"eval", model()} + words + onCpu());
    }
    static Json evalJson(const std::vector<std::string>& words) {
        const ProcessResult result = eval(words + std::vector<std::string>{"--json"});
        EXPECT_EQ(result.exitCode, 0) << result.err;
        return parse(result.out);
    }
    /// Questions about the sample text; `context` words each.
    std::string writeTask(const std::string& name, int items, int context = 6) {
        std::string lines;
        for (int i = 0; i < items; ++i)
            lines += Json{{"context", sampleText(context + i % 5)},
                          {"choices", {"the river", "in winter", "a", "stones under it"}},
                          {"label", i % 4},
                          {"idx", i}}
                         .dump() +
                     "\n";
        writeFile(path(name), lines);
        return path(name);
    }
    std::string finishRun(const std::string& scheme) {
        const ProcessResult result = bdq(std::vector<std::string>{"run", model(), "--out", path("r"),
                                                                  "--scheme", scheme, "--method", "quarot"} +
                                         smallCalibration("--samples"));
        EXPECT_EQ(result.exitCode, 0) << result.err;
        return path("r");
    }
};

TEST_F(BdqEval, tasksOfTheModel) {
    const Json found = evalJson(
        {"--task", writeTask("first.jsonl", 12), "--task", writeTask("second.jsonl", 8), "--limit", "10"});
    EXPECT_EQ(found["schema"], 1);
    EXPECT_FALSE(found.contains("perplexity"));
    ASSERT_EQ(found["tasks"].size(), 2u);
    EXPECT_EQ(found["tasks"][0]["name"], "first");
    EXPECT_EQ(found["tasks"][0]["items"], 10);
    EXPECT_EQ(found["tasks"][1]["name"], "second");
    EXPECT_EQ(found["tasks"][1]["items"], 8);
    for (const Json& task : found["tasks"])
        for (const std::string key : {"acc", "acc_norm"}) {
            const double items = task["items"].get<double>();
            const double share = task[key].get<double>();
            EXPECT_NEAR(share * items, std::round(share * items), 1e-9);
            EXPECT_NEAR(task[key + "_stderr"].get<double>(), std::sqrt(share * (1 - share) / (items - 1)),
                        1e-12);
        }
    const std::string command = found["provenance"]["command"].get<std::string>();
    for (const char* word : {"first.jsonl", "second.jsonl", "--limit 10"})
        EXPECT_NE(command.find(word), std::string::npos) << command;
}

TEST_F(BdqEval, tableForPeopleAndProgressOnStderr) {
    const ProcessResult result =
        eval({"--task", writeTask("first.jsonl", 6), "--task", writeTask("b.jsonl", 3)});
    ASSERT_EQ(result.exitCode, 0) << result.err;
    for (const char* word : {"task", "items", "acc %", "acc_norm %", "first", "standard error"})
        EXPECT_NE(result.out.find(word), std::string::npos) << word << " in " << result.out;
    EXPECT_NE(result.err.find("reading first.jsonl"), std::string::npos) << result.err;
}

TEST_F(BdqEval, runBesideTheFullModel) {
    const std::string run = finishRun("W3A3KV3");
    const std::string task = writeTask("t.jsonl", 8);
    const Json found = evalJson(onText() + std::vector<std::string>{"--run", run, "--task", task});
    EXPECT_EQ(found["perplexity_full"], evalJson(onText())["perplexity"]);
    EXPECT_GT(found["kl"].get<double>(), 0.001);
    EXPECT_GT(found["top1_agreement"].get<double>(), 0.0);
    EXPECT_LT(found["top1_agreement"].get<double>(), 1.0);
    EXPECT_EQ(found["tasks"].size(), 1u);
    const ProcessResult people = eval(onText() + std::vector<std::string>{"--run", run, "--task", task});
    for (const char* word : {"KL(full || quantized)", "same top token", "acc_norm"})
        EXPECT_NE(people.out.find(word), std::string::npos) << word << " in " << people.out;
}

TEST_F(BdqEval, untouchedRunEqualsTheFullModel) {
    const Json found = evalJson(onText() + std::vector<std::string>{"--run", finishRun("W16A16")});
    // QuaRot's rotations without quantizers change the logits by fp32 rounding: some 1e-5, squared in the KL.
    EXPECT_NEAR(found["kl"].get<double>(), 0, 1e-6);
    EXPECT_GE(found["top1_agreement"].get<double>(), 0.98);
    EXPECT_NEAR(found["nll"].get<double>(), found["nll_full"].get<double>(), 1e-4);
}

TEST_F(BdqEval, longItemsAreCutAndCounted) {
    // The tiny model reads 512 tokens; 300 words are about 1500.
    const ProcessResult result = eval({"--task", writeTask("long.jsonl", 3, 300), "--json"});
    ASSERT_EQ(result.exitCode, 0) << result.err;
    EXPECT_EQ(parse(result.out)["tasks"][0]["truncated"], 3);
    EXPECT_NE(result.err.find("3 items are longer than the model's context of 512"), std::string::npos)
        << result.err;
}

TEST_F(BdqEval, badTasksAreRefused) {
    expectRefusal(eval({"--task", path("absent.jsonl")}), 3, {path("absent.jsonl")});
    writeFile(path("empty.jsonl"), "");
    expectRefusal(eval({"--task", path("empty.jsonl")}), 3, {path("empty.jsonl"), "0 bytes"});
    writeFile(path("blank.jsonl"), "\n\n");
    expectRefusal(eval({"--task", path("blank.jsonl")}), 3, {path("blank.jsonl"), "no item"});
    const std::string good = readFile(writeTask("good.jsonl", 2));
    writeFile(path("bad.jsonl"), good + R"({"context": "c", "choices": ["a", "b"], "label": 2})" + "\n");
    expectRefusal(eval({"--task", path("good.jsonl"), "--task", path("bad.jsonl")}), 3,
                  {path("bad.jsonl") + ":3", "label", "found 2", "0 to 1"});
    writeFile(path("latin1.jsonl"),
              "{\"context\": \"caf\xe9\", \"choices\": [\"a\", \"b\"], \"label\": 0}\n");
    expectRefusal(eval({"--task", path("latin1.jsonl")}), 3, {path("latin1.jsonl") + ":1", "UTF-8"});
    expectRefusal(eval({"--task", path("good.jsonl"), "--limit", "-1"}), 2, {"--limit"});
    expectRefusal(eval({"--task", ""}), 2, {"tasks"});
    expectRefusal(eval({}), 2, {"--text", "--task"});
}

TEST_F(BdqEval, cancelStopsIt) {
    const std::string task = writeTask("t.jsonl", 3000, 60);
    Process process(std::vector<std::string>{program("bdq"), "eval", model(), "--task", task} + onCpu());
    std::this_thread::sleep_for(std::chrono::seconds(3));
    process.signal(SIGINT);
    const ProcessResult result = process.wait();
    EXPECT_EQ(result.exitCode, 130) << result.err;
    EXPECT_EQ(result.out, "");
}

} // namespace
} // namespace bdq::e2e
