// Texts as people have them: what stands in front of them, JSON lines, what no command can read, windows that
// are longer than the model's context.
#include <cmath>

#include <sys/stat.h>

#include "tests/e2e/e2e_support.h"

namespace bdq::e2e {
namespace {

constexpr int kBos = kTinyVocabSize - 2;

class BdqTexts : public E2eTest {
protected:
    /// The tiny model with a tokenizer that puts "<s>" in front of every text.
    std::string modelWithBos() {
        const std::string folder = path("with-bos");
        std::filesystem::copy(model(), folder);
        Json tokenizer = parse(readFile(folder + "/tokenizer.json"));
        const Json special{{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}};
        const Json sequence{{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
        tokenizer["post_processor"] = {
            {"type", "TemplateProcessing"},
            {"single", {special, sequence}},
            {"pair", {special, sequence}},
            {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {kBos}}, {"tokens", {"<s>"}}}}}}};
        writeFile(folder + "/tokenizer.json", tokenizer.dump());
        return folder;
    }
    static std::vector<std::string> onCpu() { return {"--device", "cpu", "--threads", "1"}; }
    static Json evalJson(const std::string& modelPath, const std::vector<std::string>& more) {
        const ProcessResult result =
            bdq(std::vector<std::string>{"eval", modelPath, "--text", text(), "--seq-len", "64",
                                         "--max-windows", "3", "--json"} +
                more + onCpu());
        EXPECT_EQ(result.exitCode, 0) << result.err;
        return parse(result.out);
    }
    std::vector<std::string> analysis(const std::string& modelPath, const std::string& out,
                                      const std::string& textPath) const {
        return std::vector<std::string>{"analyze",       modelPath, "--out",        path(out),
                                        "--calibration", textPath,  "--sequences",  "2",
                                        "--seq-len",     "64",      "--transforms", "none",
                                        "--schemes",     "W8A8"} +
               onCpu();
    }
    std::string jsonLines(const std::string& name) {
        std::string lines;
        for (int i = 0; i < 40; ++i)
            lines += Json{{"text", sampleText(30 + i)}, {"id", i}}.dump() + "\n";
        writeFile(path(name), lines);
        return path(name);
    }
};

TEST_F(BdqTexts, aBosStandsInFrontAsTheTokenizerSays) {
    const std::string with = modelWithBos();
    const Json plain = evalJson(model(), {});
    const Json automatic = evalJson(with, {});
    EXPECT_EQ(plain["bos"], false);
    EXPECT_EQ(plain["bos_mode"], "auto");
    EXPECT_EQ(automatic["bos"], true);
    EXPECT_EQ(automatic["tokens"].get<int>(), plain["tokens"].get<int>() + 1) << "one in front of the text";
    EXPECT_NE(automatic["perplexity"], plain["perplexity"]);
    EXPECT_EQ(evalJson(with, {"--bos", "off"})["perplexity"], plain["perplexity"]);
    EXPECT_EQ(evalJson(model(), {"--bos", "on"})["perplexity"], automatic["perplexity"]);
    EXPECT_NE(evalJson(model(), {"--bos", "on"})["provenance"]["command"].get<std::string>().find("--bos on"),
              std::string::npos);
    expectRefusal(bdq({"eval", model(), "--text", text(), "--bos", "maybe"}), 2, {"--bos", "maybe"});
}

TEST_F(BdqTexts, everyResultAndReportSaysWhatStandsInFront) {
    const std::string with = modelWithBos();
    ASSERT_EQ(bdq(analysis(with, "a", text())).exitCode, 0);
    const Json stored = parse(readFile(path("a/analysis.json")));
    EXPECT_EQ(stored["text"]["bos"], true);
    const ProcessResult analysed = bdq({"report", path("a"), "--format", "md", "--out", "-"});
    EXPECT_NE(analysed.out.find("BOS in front"), std::string::npos) << analysed.out;

    const ProcessResult measured =
        bdq(std::vector<std::string>{"sensitivity", path("a"), "--bits", "4", "--seq-len", "32", "--json"} +
            onCpu());
    ASSERT_EQ(measured.exitCode, 0) << measured.err;
    EXPECT_EQ(parse(measured.out)["text"]["bos"], true) << "as the analysis read it";

    const std::vector<std::string> run{"run",           with,  "--out",  path("r"), "--scheme",       "W4A4",
                                       "--method",      "rtn", "--eval", text(),    "--eval-seq-len", "64",
                                       "--max-windows", "2",   "--bos",  "off"};
    const ProcessResult quantized = bdq(run + smallCalibration("--samples"));
    ASSERT_EQ(quantized.exitCode, 0) << quantized.err;
    EXPECT_NE(quantized.out.find("no BOS"), std::string::npos) << quantized.out;
    const Json result = parse(readFile(path("r/run.json")));
    EXPECT_EQ(result["text"]["bos"], false);
    EXPECT_EQ(result["quantized"]["bos"], false);
    const ProcessResult report = bdq({"report", path("r"), "--format", "md", "--out", "-"});
    EXPECT_NE(report.out.find("no BOS"), std::string::npos) << report.out;
    EXPECT_EQ(report.out.find("BOS in front"), std::string::npos);
}

TEST_F(BdqTexts, tasksBeginAsTextsDo) {
    writeFile(path("t.jsonl"),
              Json{{"context", "the river in"}, {"choices", {"winter", "water"}}, {"label", 0}}.dump() +
                  "\n");
    const auto scores = [&](const std::string& modelPath, const std::vector<std::string>& more) {
        const ProcessResult result =
            bdq(std::vector<std::string>{"eval", modelPath, "--task", path("t.jsonl"), "--json"} + more +
                onCpu());
        EXPECT_EQ(result.exitCode, 0) << result.err;
        return parse(result.out);
    };
    const std::string with = modelWithBos();
    EXPECT_EQ(scores(with, {})["bos"], true);
    EXPECT_EQ(scores(with, {"--bos", "off"})["bos"], false);
    EXPECT_EQ(scores(model(), {})["bos"], false);
}

TEST_F(BdqTexts, jsonLinesAreTheirTexts) {
    const std::string lines = jsonLines("c.jsonl");
    std::filesystem::copy_file(lines, path("same.txt"));
    std::string joined;
    for (int i = 0; i < 40; ++i)
        joined += (i == 0 ? "" : "\n\n") + sampleText(30 + i);
    writeFile(path("joined.txt"), joined);
    ASSERT_EQ(bdq(analysis(model(), "lines", lines)).exitCode, 0);
    ASSERT_EQ(bdq(analysis(model(), "same", path("same.txt"))).exitCode, 0);
    ASSERT_EQ(bdq(analysis(model(), "joined", path("joined.txt"))).exitCode, 0);
    const auto textOf = [&](const std::string& out) {
        return parse(readFile(path(out + "/analysis.json")))["text"];
    };
    EXPECT_EQ(textOf("lines")["sha256"], textOf("joined")["sha256"]);
    EXPECT_EQ(textOf("same")["sha256"], textOf("joined")["sha256"]) << "a file is what its bytes say";
    EXPECT_EQ(textOf("lines")["form"], "40 texts of JSON lines, key text");
    EXPECT_EQ(textOf("joined")["form"], "");
    const ProcessResult report = bdq({"report", path("lines"), "--format", "md", "--out", "-"});
    EXPECT_NE(report.out.find("40 texts of JSON lines"), std::string::npos) << report.out;
}

TEST_F(BdqTexts, whatIsNoTextIsRefused) {
    writeFile(path("c.parquet"), "PAR1 and more");
    writeFile(path("c.csv"), "id,text\n1,a\n");
    writeFile(path("c.json"), "{\"rows\": []}");
    writeFile(path("utf16.txt"), std::string("\xFF\xFEt\0h\0e\0", 8));
    ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
    for (const auto& [file, word] : {std::pair{"c.parquet", "Parquet"},
                                     {"c.csv", "table"},
                                     {"c.json", "rows"},
                                     {"utf16.txt", "UTF-16"},
                                     {"pipe", "a pipe"}}) {
        expectRefusal(bdq(analysis(model(), "a", path(file))), 3, {path(file), word});
        expectRefusal(bdq({"eval", model(), "--text", path(file)}), 3, {path(file), word});
    }
    expectRefusal(bdq({"eval", model(), "--task", path("pipe")}), 3, {path("pipe"), "a pipe"});
    ASSERT_EQ(::mkfifo(path("pipe.gguf").c_str(), 0600), 0);
    EXPECT_EQ(bdq({"info", path("pipe.gguf")}).exitCode, 3);
    EXPECT_EQ(bdq({"eval", path("pipe.gguf"), "--text", text()}).exitCode, 3);
}

TEST_F(BdqTexts, windowsBeyondTheContextAreSaidEverywhere) {
    // The tiny model is made for 512 tokens.
    const std::vector<std::string> both{"600", "512"};
    const auto expectSaid = [&](const std::string& where) {
        for (const std::string& number : both)
            EXPECT_NE(where.find(number), std::string::npos) << number << " in " << where;
    };
    const ProcessResult eval = bdq(std::vector<std::string>{"eval", model(), "--text", text(), "--seq-len",
                                                            "600", "--max-windows", "1", "--json"} +
                                   onCpu());
    ASSERT_EQ(eval.exitCode, 0) << eval.err;
    EXPECT_NE(eval.err.find("warning"), std::string::npos) << eval.err;
    expectSaid(eval.err);
    expectSaid(parse(eval.out)["warnings"].dump());
    EXPECT_TRUE(evalJson(model(), {})["warnings"].empty());

    const std::vector<std::string> run{
        "run", model(),  "--out", path("r"),        "--scheme", "W8A8",          "--method",
        "rtn", "--eval", text(),  "--eval-seq-len", "600",      "--max-windows", "1"};
    const ProcessResult quantized = bdq(run + smallCalibration("--samples"));
    ASSERT_EQ(quantized.exitCode, 0) << quantized.err;
    expectSaid(parse(readFile(path("r/run.json")))["warnings"].dump());
    expectSaid(bdq({"report", path("r"), "--format", "md", "--out", "-"}).out);

    const std::vector<std::string> analyze{"analyze",       model(), "--out",        path("a"),
                                           "--calibration", text(),  "--sequences",  "1",
                                           "--seq-len",     "600",   "--transforms", "none"};
    ASSERT_EQ(bdq(analyze + onCpu()).exitCode, 0);
    expectSaid(parse(readFile(path("a/analysis.json")))["warnings"].dump());
    expectSaid(bdq({"report", path("a"), "--format", "md", "--out", "-"}).out);
}

TEST_F(BdqTexts, aTextThatTheModelWroteIsSaidToBeOne) {
    const std::vector<std::string> words{"run",      model(), "--out",     path("r"), "--scheme",  "W8A8",
                                         "--method", "rtn",   "--samples", "2",       "--seq-len", "32"};
    const ProcessResult run = bdq(words + onCpu());
    ASSERT_EQ(run.exitCode, 0) << run.err;
    const std::string advice = "generated by the model itself";
    EXPECT_NE(run.out.find(advice), std::string::npos) << run.out;
    const Json stored = parse(readFile(path("r/run.json")));
    EXPECT_NE(stored["warnings"].dump().find(advice), std::string::npos);
    EXPECT_EQ(stored["text"]["bos"], true) << "every sequence begins with one";
    EXPECT_NE(bdq({"report", path("r"), "--format", "md", "--out", "-"}).out.find(advice), std::string::npos);
    EXPECT_NE(bdq({"compare", path("r")}).out.find(advice), std::string::npos);
}

TEST_F(BdqTexts, aPerplexityNeverStandsWithoutItsSize) {
    const std::vector<std::string> words{
        "run",      model(), "--out",  path("r"), "--scheme",       "W4A4", "--method",      "rtn",
        "--layers", "1",     "--eval", text(),    "--eval-seq-len", "64",   "--max-windows", "3"};
    const ProcessResult run = bdq(words + smallCalibration("--samples"));
    ASSERT_EQ(run.exitCode, 0) << run.err;
    const std::string size = "192 tokens, 1 of 2 layers";
    EXPECT_NE(run.out.find(size), std::string::npos) << run.out;
    EXPECT_NE(run.out.find("+-"), std::string::npos) << run.out;
    EXPECT_NE(bdq({"report", path("r"), "--format", "md", "--out", "-"}).out.find(size), std::string::npos);
    EXPECT_NE(bdq({"compare", path("r"), path("r")}).out.find(size), std::string::npos);

    const Json stored = parse(readFile(path("r/run.json")));
    EXPECT_GT(stored["quantized"]["nll_stderr"].get<double>(), 0);
    EXPECT_DOUBLE_EQ(stored["quantized"]["perplexity_stderr"].get<double>(),
                     stored["quantized"]["nll_stderr"].get<double>() * stored["perplexity"].get<double>());
    // Two layers of the same size: the average over all is halfway between 16 and that of the quantized one.
    const double quantized = stored["quantized_layer_bits"].get<double>();
    EXPECT_LT(quantized, 5);
    EXPECT_NEAR(stored["average_weight_bits"].get<double>(), (16 + quantized) / 2, 1e-9);
    EXPECT_EQ(stored["quantized_layers"], 1);
    EXPECT_NE(run.out.find("in the 1 quantized layer of 2"), std::string::npos) << run.out;
}

} // namespace
} // namespace bdq::e2e
