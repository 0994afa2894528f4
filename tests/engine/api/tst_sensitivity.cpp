#include "engine/api/sensitivity.h"

#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engine/api/shell_words.h"

namespace bdq {
namespace {

SensitivityResult sample() {
    SensitivityResult result;
    result.modelPath = "models/a b.gguf";
    result.activation = {4, false, 64};
    result.rounding = WeightRounding::Rtn;
    result.text = {"t.txt", "abc", 1024, 2, 512};
    result.klTokens = 513;
    result.rows = {{{3, Site::Down}, TransformKind::CatDiag, {4, false, 128}, 1.0 / 3, 0.25, 1e-7},
                   {{7, Site::Qkv}, TransformKind::Bdq, {2, false, 0}, 0.5, 0, 13.0 / 3}};
    result.provenance.command = "bdq sensitivity x";
    result.provenance.seconds = 12.5;
    result.provenance.threads = 2;
    return result;
}

TEST(Sensitivity, SurvivesItsText) {
    const SensitivityResult result = sample();
    const std::string text = encodeSensitivity(result);
    const Result<SensitivityResult> again = decodeSensitivity(text, "s.json");
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_EQ(encodeSensitivity(*again), text);
    EXPECT_EQ(again->activation, result.activation);
    EXPECT_EQ(again->rounding, result.rounding);
    EXPECT_EQ(again->klTokens, 513);
    EXPECT_EQ(again->rows[0].weight, result.rows[0].weight);
    EXPECT_EQ(again->rows[0].transform, TransformKind::CatDiag);
    EXPECT_EQ(again->rows[0].outputError, 1.0 / 3); // doubles survive to the last bit
    EXPECT_EQ(again->rows[1].klDivergence, 13.0 / 3);
    EXPECT_EQ(again->provenance.seconds, 12.5);
}

TEST(Sensitivity, FindsRows) {
    const SensitivityResult result = sample();
    ASSERT_NE(result.find({3, Site::Down}, TransformKind::CatDiag, {4, false, 128}), nullptr);
    EXPECT_EQ(result.find({3, Site::Down}, TransformKind::CatDiag, {4, false, 0}), nullptr);
    EXPECT_EQ(result.find({3, Site::Down}, TransformKind::Bdq, {4, false, 128}), nullptr);
    EXPECT_EQ(result.weights().size(), 2u);
    EXPECT_EQ(result.transforms(), (std::vector{TransformKind::CatDiag, TransformKind::Bdq}));
}

TEST(Sensitivity, RefusesHostileFiles) {
    using Json = nlohmann::json;
    struct Row {
        const char* pointer;
        Json value;
        const char* named;
    };
    const Row rows[] = {{"/schema", 2, "schema"},
                        {"/activation", "W4", "activation"},
                        {"/activation", "A4 W3", "activation"},
                        {"/weights", "best", "rtn or mse"},
                        {"/kl_tokens", -1, "kl_tokens"},
                        {"/rows", 3, "rows"},
                        {"/rows/0/weight", "W4A4", "rows[0].weight"},
                        {"/rows/0/weight", "W40", "rows[0].weight"},
                        {"/rows/0/transform", "magic", "transform"},
                        {"/rows/0/layer", -1, "layer"},
                        {"/rows/1/kl", -1e-9, "negative number in row 1"},
                        {"/rows/1/kl", "much", "kl"},
                        {"/rows/1/extra", 1, "extra"},
                        {"/provenance", Json(), "provenance"}};
    for (const Row& row : rows) {
        Json document = Json::parse(encodeSensitivity(sample()));
        document[Json::json_pointer(row.pointer)] = row.value;
        const Result<SensitivityResult> found = decodeSensitivity(document.dump(), "s.json");
        ASSERT_FALSE(found) << row.pointer;
        EXPECT_EQ(found.error().code, ErrorCode::BadFormat);
        EXPECT_NE(found.error().message.find("s.json"), std::string::npos) << found.error().message;
        EXPECT_NE(found.error().message.find(row.named), std::string::npos) << found.error().message;
    }
    EXPECT_FALSE(decodeSensitivity("{", "s.json"));
}

TEST(Sensitivity, OperandsAreWrittenAsTheyAreRead) {
    for (const OperandScheme& weight :
         {OperandScheme{2, false, 0}, OperandScheme{2, true, 0}, OperandScheme{4, true, 128},
          OperandScheme{5, false, 32}, OperandScheme{16, true, 0}})
        EXPECT_EQ(parseScheme(weightText(weight)).value().weight, weight) << weightText(weight);
    for (const OperandScheme& activation :
         {OperandScheme{4, true, 0}, OperandScheme{4, false, 0}, OperandScheme{8, true, 64}})
        EXPECT_EQ(parseScheme(activationText(activation)).value().activation, activation);
    EXPECT_EQ(weightText({2, false, 0}), "W2");
    EXPECT_EQ(weightText({2, true, 0}), "W2sym");
    EXPECT_EQ(activationText({}), "A16");
}

TEST(Sensitivity, ListsOfBitsAreRead) {
    const auto list = parseWeightList("2,W4asym,3g64,16,2", "--bits");
    ASSERT_TRUE(list) << list.error().text();
    EXPECT_EQ(*list,
              (std::vector<OperandScheme>{{2, false, 0}, {4, false, 0}, {3, true, 64}, {16, true, 0}}));
    for (const char* text : {"", "2,", "9", "four", "4A4", "4;8", "-2"}) {
        const auto refused = parseWeightList(text, "--bits");
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().code, ErrorCode::InvalidSpec);
        EXPECT_NE(refused.error().message.find("--bits"), std::string::npos) << refused.error().message;
    }
}

TEST(Sensitivity, SpecsAreChecked) {
    SensitivitySpec spec;
    spec.analysisDir = "a";
    EXPECT_TRUE(validate(spec));
    const auto refused = [](SensitivitySpec wrong, const char* named) {
        const Status status = validate(wrong);
        ASSERT_FALSE(status) << named;
        EXPECT_EQ(status.error().code, ErrorCode::InvalidSpec);
        EXPECT_NE(status.error().text().find(named), std::string::npos) << status.error().text();
    };
    refused({}, "analysis: found nothing");
    SensitivitySpec wrong = spec;
    wrong.weights = {};
    refused(wrong, "found 0 bit widths");
    wrong.weights = {{4, true, 0}, {4, true, 0}};
    refused(wrong, "W4 twice");
    wrong = spec;
    wrong.rounding = WeightRounding::Gptq;
    refused(wrong, "found gptq");
    wrong = spec;
    wrong.text.sequenceLength = 4;
    refused(wrong, "seq_len: found 4");
    wrong = spec;
    wrong.weights = {{9, true, 0}};
    refused(wrong, "bits");
    wrong = spec;
    wrong.activation.bits = 1;
    refused(wrong, "activation");
    wrong = spec;
    wrong.layers = {-1};
    refused(wrong, "layers: found -1");
    wrong = spec;
    wrong.device.device = "gpu";
    refused(wrong, "device: found \"gpu\"");
}

TEST(Sensitivity, TheCommandLineSaysWhatIsNotTheDefault) {
    SensitivitySpec spec;
    spec.analysisDir = "out/a";
    EXPECT_EQ(commandLine(spec), "bdq sensitivity out/a");
    spec.analysisDir = "-x";
    spec.modelPath = "m o.gguf";
    spec.weights = {{3, true, 0}, {4, false, 64}};
    spec.activation = {4, true, 0};
    spec.transforms = {TransformKind::Bdq, TransformKind::None};
    spec.layers = {0, 1, 5};
    spec.rounding = WeightRounding::Rtn;
    spec.text = {"t.txt", 3, 128};
    spec.device = {"cpu", 2};
    EXPECT_EQ(commandLine(spec), "bdq sensitivity ./-x --model 'm o.gguf' --bits 3,4g64asym --activation A4 "
                                 "--transforms bdq,none --layers 0-1,5 --weights rtn --text t.txt "
                                 "--sequences 3 --seq-len 128 --device cpu --threads 2");
    EXPECT_EQ(shellQuoted("it's"), "'it'\\''s'");
    EXPECT_EQ(shellQuoted(""), "''");
}

} // namespace
} // namespace bdq
