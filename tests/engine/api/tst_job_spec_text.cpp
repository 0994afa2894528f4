#include <array>
#include <cstdio>
#include <memory>

#include <gtest/gtest.h>

#include "tests/engine/api/samples.h"

namespace bdq {
namespace {

TEST(JobSpecText, ParsesLayerLists) {
    EXPECT_EQ(parseLayers("0-3,7").value(), (std::vector<int>{0, 1, 2, 3, 7}));
    EXPECT_EQ(parseLayers("7,0-2,1-3").value(), (std::vector<int>{0, 1, 2, 3, 7}));
    EXPECT_EQ(parseLayers("5").value(), (std::vector<int>{5}));
    EXPECT_EQ(parseLayers("4-4", 5).value(), (std::vector<int>{4}));
    for (const char* text :
         {"", ",", "1,", "-1", "1-", "3-1", "a", "1-2-3", "1 ", "0x1", "+1", "99999999999", "1..3"}) {
        const Result<std::vector<int>> layers = parseLayers(text);
        ASSERT_FALSE(layers) << text;
        EXPECT_EQ(layers.error().code, ErrorCode::InvalidSpec);
    }
    const Result<std::vector<int>> outside = parseLayers("2,30", 30);
    ASSERT_FALSE(outside);
    EXPECT_NE(outside.error().message.find("found 30, expected layers 0 to 29"), std::string::npos)
        << outside.error().message;
    std::string many = "0-100000";
    for (int i = 0; i < 10000; ++i)
        many += ",0-100000";
    EXPECT_FALSE(parseLayers(many)); // refused before it takes gigabytes
}

TEST(JobSpecText, FormatsLayerListsShortly) {
    EXPECT_EQ(formatLayers({7, 3, 2, 1, 0, 3}), "0-3,7");
    EXPECT_EQ(formatLayers({}), "");
    EXPECT_EQ(formatLayers({4}), "4");
    for (unsigned mask = 1; mask < 256; ++mask) {
        std::vector<int> layers;
        for (int bit = 0; bit < 8; ++bit)
            if ((mask >> bit) & 1U) layers.push_back(bit);
        EXPECT_EQ(parseLayers(formatLayers(layers)).value(), layers);
    }
}

TEST(JobSpecText, CommandLineNamesOnlyWhatIsNotDefault) {
    RunSpec run;
    run.modelPath = "m.gguf";
    run.outDir = "out";
    run.plan.base = parseScheme("W4A4KV4").value();
    EXPECT_EQ(commandLine(run), "bdq run m.gguf --out out --scheme W4A4KV4 --method bdq");
    EXPECT_EQ(commandLine(samples::runSpec()),
              "bdq run m.gguf --out out/run --scheme W4A4KV4 --method "
              "cat-block --plan out/run/spec.json --weights rtn "
              "--calibration c.txt --samples 9 --seq-len 64 --bos off --layers 1-2 "
              "--eval t.txt --eval-seq-len 256 --max-windows 4 "
              "--seed 42 --resume --device cpu --threads 2");
    EXPECT_EQ(
        commandLine(samples::analyzeSpec()),
        "bdq analyze 'models/a b.gguf' --out out/analysis --calibration 'text \"quoted\".txt' --sequences 7 "
        "--seq-len "
        "512 --bos on --layers 0,3,29 --transforms bdq,cat-block-128 --schemes 'W3A3,W4g128sym A4asym "
        "KV4asym' --estimate off --seed "
        "18446744073709551615 --device cuda:1 --threads 3");
    EXPECT_EQ(commandLine(samples::evalSpec()), "bdq eval m.gguf --text t.txt --run out/run --seq-len 128 "
                                                "--max-windows 3 --bos on --task 'a b.jsonl' "
                                                "--task c.jsonl --limit 50 --device cuda --threads 1");
    EXPECT_EQ(commandLine(samples::reportSpec()), "bdq report out/run --format csv --out r.csv");
    EXPECT_EQ(commandLine(samples::inspectSpec()), "bdq worker");
    EXPECT_EQ(
        commandLine(samples::sensitivitySpec()),
        "bdq sensitivity out/analysis --model 'm o.gguf' --bits 3,4g64asym,2sym,16 --activation A4g128asym "
        "--transforms bdq,none --layers 0-1,5 --weights rtn --text t.txt --sequences 3 --seq-len 128 --bos "
        "off "
        "--device cuda:1 --threads 3");
}

TEST(JobSpecText, CommandLineOfATrainedRun) {
    RunSpec run;
    run.modelPath = "m";
    run.outDir = "o";
    run.plan.base = parseScheme("W4A4").value();
    run.method = Method::FlatQuant;
    run.preset = Preset::Balanced; // its first preset
    run.calibration.sequences = presetInfo(run.method, run.preset).sequences;
    EXPECT_EQ(commandLine(run), "bdq run m --out o --scheme W4A4 --method flatquant");
    run.method = Method::Bdq;
    run.training = {2, 10, LogitLoss::RceSafe, 1.25e-3, 8, true, false, {}};
    EXPECT_EQ(commandLine(run), "bdq run m --out o --scheme W4A4 --method bdq --preset balanced --epochs 2 "
                                "--e2e-steps 10 --loss rce-safe --rate 0.00125 --batch 8 --learn-rounding on "
                                "--quantized-inputs off");
    run.preset = Preset::Paper;
    run.training = {};
    EXPECT_EQ(commandLine(run), "bdq run m --out o --scheme W4A4 --method bdq --preset paper --samples 64");
}

/// What a POSIX shell makes of the words after the first three.
std::string throughShell(const std::string& command) {
    const std::string line = "set -- " + command + "; printf '%s' \"$3\"";
    std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(line.c_str(), "r"), ::pclose);
    std::string output;
    std::array<char, 256> buffer{};
    while (pipe && std::fgets(buffer.data(), static_cast<int>(buffer.size()), pipe.get()))
        output += buffer.data();
    return output;
}

TEST(JobSpecText, PathsSurviveTheShell) {
    for (const std::string path : {"plain.gguf", "a b", "it's", "$HOME", "`id`", "a;b", "*", "\"q\"", "\\",
                                   "~", "a\nb", "ü", "''", "#x", "!x", "{a,b}"}) {
        RunSpec run;
        run.modelPath = path;
        run.outDir = "o";
        EXPECT_EQ(throughShell(commandLine(run)), path);
    }
    RunSpec dashed;
    dashed.modelPath = "-rf";
    dashed.outDir = "o";
    EXPECT_EQ(throughShell(commandLine(dashed)), "./-rf");
}

TEST(JobSpecText, ReportFormatNames) {
    for (ReportFormat format :
         {ReportFormat::Html, ReportFormat::Markdown, ReportFormat::Csv, ReportFormat::Json})
        EXPECT_EQ(reportFormatFromName(reportFormatName(format)), format);
    EXPECT_EQ(reportFormatName(ReportFormat::Markdown), "md");
    EXPECT_FALSE(reportFormatFromName("pdf"));
}

} // namespace
} // namespace bdq
