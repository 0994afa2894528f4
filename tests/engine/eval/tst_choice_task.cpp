#include <cmath>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "engine/eval/choice_task.h"

namespace bdq {
namespace {

constexpr const char* kGoodLine =
    R"({"context": "Sky is", "choices": ["blue", "a cat"], "label": 0, "idx": 3})";

class ChoiceTaskFile : public ::testing::Test {
protected:
    void SetUp() override {
        m_folder = std::filesystem::path(::testing::TempDir()) / "bdq-choice-task";
        std::filesystem::create_directories(m_folder);
    }
    void TearDown() override { std::filesystem::remove_all(m_folder); }
    std::string write(const std::string& text) {
        std::ofstream(m_folder / "my_task.jsonl", std::ios::binary) << text;
        return (m_folder / "my_task.jsonl").string();
    }
    std::filesystem::path m_folder;
};

TEST_F(ChoiceTaskFile, isReadLineByLine) {
    const std::string second = R"({"label": 2, "choices": ["a", "b", "č"], "context": ""})";
    const auto task = readChoiceTask(write(std::string(kGoodLine) + "\r\n\n" + second), 0);
    ASSERT_TRUE(task) << task.error().text();
    EXPECT_EQ(task->name, "my_task");
    ASSERT_EQ(task->items.size(), 2U);
    EXPECT_EQ(task->items[0].context, "Sky is");
    EXPECT_EQ(task->items[0].choices, (std::vector<std::string>{"blue", "a cat"}));
    EXPECT_EQ(task->items[1].label, 2);
    EXPECT_EQ(task->items[1].line, 3);
    EXPECT_EQ(readChoiceTask(write(std::string(kGoodLine) + "\nnonsense"), 1)->items.size(), 1U);
}

TEST_F(ChoiceTaskFile, badLinesAreNamed) {
    struct Row {
        const char* line;
        std::vector<std::string> named;
    };
    const Row rows[] = {
        {"{\"context\": ", {"invalid JSON"}},
        {"[1, 2]", {"found array", "expected an object"}},
        {R"({"choices": ["a", "b"], "label": 0})", {"context", "found nothing", "expected a text"}},
        {R"({"context": 7, "choices": ["a", "b"], "label": 0})", {"context", "found 7"}},
        {R"({"context": "c", "label": 0})", {"choices", "found nothing"}},
        {R"({"context": "c", "choices": "ab", "label": 0})", {"choices", "found \"ab\""}},
        {R"({"context": "c", "choices": ["a"], "label": 0})", {"choices", "found 1", "at least two"}},
        {R"({"context": "c", "choices": ["a", ""], "label": 0})", {"choices[1]", "not empty"}},
        {R"({"context": "c", "choices": ["a", {}], "label": 0})", {"choices[1]", "found object"}},
        {R"({"context": "c", "choices": ["a", "b"]})", {"label", "found nothing", "0 to 1"}},
        {R"({"context": "c", "choices": ["a", "b"], "label": 2})", {"label", "found 2", "0 to 1"}},
        {R"({"context": "c", "choices": ["a", "b"], "label": -1})", {"label", "found -1", "0 to 1"}},
        {R"({"context": "c", "choices": ["a", "b"], "label": "0"})", {"label", "found \"0\""}},
        {R"({"context": "c", "choices": ["a", "b"], "label": 0.5})", {"label", "found 0.5"}},
        {R"({"context": "c", "choices": ["a", "b"], "label": 18446744073709551615})", {"label", "0 to 1"}},
    };
    for (const Row& row : rows) {
        const std::string path = write(std::string(kGoodLine) + "\n" + row.line + "\n");
        const auto task = readChoiceTask(path, 0);
        ASSERT_FALSE(task) << row.line;
        EXPECT_EQ(task.error().code, ErrorCode::BadFormat);
        EXPECT_EQ(task.error().message.rfind(path + ":2: ", 0), 0U) << task.error().message;
        for (const std::string& word : row.named)
            EXPECT_NE(task.error().message.find(word), std::string::npos)
                << word << ": " << task.error().message;
    }
}

TEST_F(ChoiceTaskFile, filesWithoutItemsAreRefused) {
    for (const char* text : {"", "\n \n\t\r\n"}) {
        const auto task = readChoiceTask(write(text), 0);
        ASSERT_FALSE(task);
        EXPECT_EQ(task.error().code, ErrorCode::MissingCalibration);
        EXPECT_NE(task.error().message.find("my_task.jsonl"), std::string::npos);
    }
    EXPECT_EQ(readChoiceTask((m_folder / "absent").string(), 0).error().code, ErrorCode::NotFound);
}

TEST(RateChoices, countsAsLmEvaluationHarnessDoes) {
    ChoiceTask task{"t.jsonl", "t", {}};
    task.items.push_back({"", {"ab", "abcd"}, 1, 1});
    task.items.push_back({"", {"žšč", "a"}, 0, 2});
    task.items.push_back({"", {"a", "b", "c"}, 1, 5});
    // Item 1: -1.5 > -2, but -1.5 / 2 < -2 / 4: wrong, right. Item 2: six bytes, three characters: -3 / 3 =
    // -1 > -1.2; the sum prefers "a": wrong, right. Item 3: the first of equal values: wrong, wrong.
    const std::vector<double> scores{-1.5, -2, -3, -1.2, -1, -1, -2};
    const auto rated = rateChoices(task, scores);
    ASSERT_TRUE(rated) << rated.error().text();
    EXPECT_EQ(rated->items, 3);
    EXPECT_DOUBLE_EQ(rated->accuracy, 0);
    EXPECT_DOUBLE_EQ(rated->accuracyNormalized, 2.0 / 3);
    EXPECT_DOUBLE_EQ(rated->accuracyError, 0);
    // Sample deviation of {1, 1, 0} is sqrt(1/3); over sqrt(3): 1/3.
    EXPECT_NEAR(rated->accuracyNormalizedError, 1.0 / 3, 1e-15);
    task.items.resize(1);
    EXPECT_TRUE(std::isnan(rateChoices(task, std::vector<double>{-1, -2})->accuracyError));
    const auto broken = rateChoices(task, std::vector<double>{-1, std::nan("")});
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().code, ErrorCode::NonFinite);
    EXPECT_NE(broken.error().message.find("t.jsonl:1"), std::string::npos) << broken.error().message;
}

TEST(CharacterCount, countsCodePoints) {
    EXPECT_EQ(characterCount(""), 0U);
    EXPECT_EQ(characterCount("abc"), 3U);
    EXPECT_EQ(characterCount("žšč"), 3U);
    EXPECT_EQ(characterCount("日本🙂"), 3U);
}

} // namespace
} // namespace bdq
