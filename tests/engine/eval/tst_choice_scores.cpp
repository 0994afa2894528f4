#include <cstdlib>
#include <filesystem>
#include <numeric>

#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include "engine/eval/choice_scores.h"
#include "engine/eval/perplexity.h"
#include "tests/e2e/tiny_model.h"
#include "tests/engine/eval/plain_model.h"

namespace bdq {
namespace {

// Log-probabilities of 300 tokens are about -6 each; fp32 activations carry a relative error of 1e-6 into
// logits of about 1; sums of up to 40 tokens stay below 40 * 1e-5.
constexpr double kTolerance = 4e-4;

ChoiceTask sampleTask() {
    ChoiceTask task{"sample.jsonl", "sample", {}};
    const auto add = [&](const std::string& context, std::vector<std::string> choices, int label) {
        task.items.push_back({context, std::move(choices), label, static_cast<int>(task.items.size()) + 1});
    };
    add("Question: what carries less water?\nAnswer:", {"the river", "the stones", "a thin rope"}, 0);
    add("in winter the river", {"is shining", "s", "i", "carries stones under the water"}, 3);
    add("blanks at the end \n ", {"the water", "there"}, 1);
    add("", {"the", "there are", "x"}, 2);
    add("same", {"one two", "one two three", "one"}, 1);
    return task;
}

class ChoiceScores : public ::testing::Test {
protected:
    void SetUp() override {
        m_folder = std::filesystem::path(::testing::TempDir()) / "bdq-choice-scores";
        e2e::writeTinyModel(m_folder);
        auto weights = ModelWeights::open(m_folder.string());
        ASSERT_TRUE(weights) << weights.error().text();
        m_weights = std::move(*weights);
        m_device = openDevice({"cpu", 2}).value();
        auto tokenizer = io::Tokenizer::create(m_weights->reader());
        ASSERT_TRUE(tokenizer) << tokenizer.error().text();
        m_tokenizer = std::make_unique<io::Tokenizer>(std::move(*tokenizer));
    }
    void TearDown() override { std::filesystem::remove_all(m_folder); }

    Result<std::vector<double>> score(const ChoiceRequests& requests, const JobContext& context = {}) {
        FullPrecisionLayers layers(*m_weights, m_device);
        return scoreChoices(*m_weights, layers, requests, m_device, context,
                            [this](double done, double total) { m_progress = done / total; });
    }

    std::vector<std::int32_t> encode(const std::string& text) {
        return text.empty() ? std::vector<std::int32_t>{} : m_tokenizer->encode(text).value();
    }

    /// The scoring of one choice written down once more, with the plain model.
    double plainScore(const reference::LanguageModel& model, const ChoiceItem& item,
                      const std::string& choice, std::size_t longest) {
        std::string context = item.context;
        std::string continuation = " " + choice;
        while (!context.empty() && (context.back() == ' ' || context.back() == '\n')) {
            continuation.insert(continuation.begin(), context.back());
            context.pop_back();
        }
        std::vector<std::int32_t> all = encode(context + continuation);
        std::vector<std::int32_t> read = encode(context);
        const std::vector<std::int32_t> own(all.begin() + static_cast<std::ptrdiff_t>(read.size()),
                                            all.end());
        if (read.empty()) read.push_back(m_tokenizer->bosId().value());
        return reference::continuationLogProbability(model, read, own, longest);
    }

    void expectPlainScores(const ChoiceTask& task, std::int64_t contextLength, int truncated) {
        ChoiceRequests requests;
        const auto cut = addRequests(task, *m_tokenizer, contextLength, {}, requests);
        ASSERT_TRUE(cut) << cut.error().text();
        EXPECT_EQ(*cut, truncated);
        const auto scores = score(requests);
        ASSERT_TRUE(scores) << scores.error().text();
        EXPECT_EQ(m_progress, 1.0);
        const reference::LanguageModel model = testing::plainModel(*m_weights);
        std::vector<double> expected;
        for (const ChoiceItem& item : task.items)
            for (const std::string& choice : item.choices)
                expected.push_back(plainScore(model, item, choice, static_cast<std::size_t>(contextLength)));
        ASSERT_EQ(scores->size(), expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i)
            EXPECT_NEAR((*scores)[i], expected[i], kTolerance) << "request " << i;
        EXPECT_EQ(rateChoices(task, *scores)->accuracy, rateChoices(task, expected)->accuracy);
        EXPECT_EQ(rateChoices(task, *scores)->accuracyNormalized,
                  rateChoices(task, expected)->accuracyNormalized);
    }

    std::filesystem::path m_folder;
    std::optional<ModelWeights> m_weights;
    std::unique_ptr<io::Tokenizer> m_tokenizer;
    ComputeDevice m_device;
    double m_progress = 0;
};

TEST_F(ChoiceScores, agreeWithOneSequenceAtATime) {
    expectPlainScores(sampleTask(), 512, 0);
}

TEST_F(ChoiceScores, longItemsLoseTheirBeginning) {
    // The first item reads 42 tokens and more, the longest choice of the second 36; all others less than 30.
    expectPlainScores(sampleTask(), 30, 2);
}

TEST_F(ChoiceScores, inputsThatBeginAnotherAreRunOnce) {
    ChoiceTask task{"t", "t", {}};
    task.items.push_back({"same", {"one two", "one two three", "one", "z"}, 1, 1});
    task.items.push_back({"same", {"one two", "z"}, 1, 2});
    ChoiceRequests requests;
    ASSERT_EQ(addRequests(task, *m_tokenizer, 512, {}, requests).value(), 0);
    ASSERT_EQ(requests.requests.size(), 6U);
    // "one two three" without its last token begins with all of the other three inputs but that of " z",
    // whose blank is a token of its own.
    EXPECT_EQ(requests.requests[0].input, requests.requests[1].input);
    EXPECT_EQ(requests.requests[2].input, requests.requests[1].input);
    EXPECT_EQ(requests.requests[0].first, requests.requests[1].first);
    EXPECT_LT(requests.requests[0].targets.size(), requests.requests[1].targets.size());
    EXPECT_LT(requests.inputs.size(), requests.requests.size());
    // Items share nothing: the second one's inputs are its own.
    EXPECT_GE(requests.requests[4].input, requests.requests[3].input + 1);
}

TEST_F(ChoiceScores, aBosStandsInFrontOfEveryContextAndNeverTwice) {
    const std::int32_t bos = m_tokenizer->bosId().value();
    ChoiceTask task{"t", "t", {}};
    task.items.push_back({"some context", {"one", "two"}, 0, 1});
    task.items.push_back({"<s>some context", {"one", "two"}, 0, 2}); // as a template may have written it
    task.items.push_back({"", {"one", "two"}, 0, 3});
    ChoiceRequests without;
    ChoiceRequests with;
    ASSERT_TRUE(addRequests(task, *m_tokenizer, 512, {}, without));
    ASSERT_TRUE(addRequests(task, *m_tokenizer, 512, {}, with, BosMode::On));
    const auto inputOf = [](const ChoiceRequests& requests, std::size_t index) {
        return requests.inputs[requests.requests[index].input];
    };
    std::vector<std::int32_t> expected = inputOf(without, 0);
    expected.insert(expected.begin(), bos);
    EXPECT_EQ(inputOf(with, 0), expected);
    EXPECT_EQ(with.requests[0].first, without.requests[0].first + 1);
    EXPECT_EQ(with.requests[0].targets, without.requests[0].targets);
    EXPECT_EQ(inputOf(with, 2), inputOf(without, 2)) << "it has one already";
    EXPECT_EQ(inputOf(with, 4), inputOf(without, 4)) << "an empty context is a BOS anyway";
    ChoiceRequests automatic;
    ASSERT_TRUE(addRequests(task, *m_tokenizer, 512, {}, automatic, BosMode::Auto));
    EXPECT_EQ(automatic.inputs, without.inputs) << "this tokenizer puts none in front";
}

TEST_F(ChoiceScores, manyItemsGiveSeveralBatches) {
    // 400 items of about 50 tokens are more than one batch of 2048; every one must score as it does alone.
    ChoiceTask task = sampleTask();
    const std::vector<ChoiceItem> items = task.items;
    for (int i = 0; i < 79; ++i)
        task.items.insert(task.items.end(), items.begin(), items.end());
    ChoiceRequests many;
    ASSERT_TRUE(addRequests(task, *m_tokenizer, 512, {}, many));
    ChoiceRequests few;
    ASSERT_TRUE(addRequests(sampleTask(), *m_tokenizer, 512, {}, few));
    const auto manyScores = score(many);
    const auto fewScores = score(few);
    ASSERT_TRUE(manyScores && fewScores);
    ASSERT_EQ(manyScores->size(), 80 * fewScores->size());
    // Matmuls of other shapes add in another order.
    for (std::size_t i = 0; i < manyScores->size(); ++i)
        EXPECT_NEAR((*manyScores)[i], (*fewScores)[i % fewScores->size()], kTolerance) << i;
}

TEST_F(ChoiceScores, itemsThatCannotBeScoredAreNamed) {
    ChoiceTask task{"file.jsonl", "t", {{"context", {"x", "many more tokens than ten are here"}, 0, 7}}};
    ChoiceRequests requests;
    const auto tooLong = addRequests(task, *m_tokenizer, 10, {}, requests);
    ASSERT_FALSE(tooLong);
    EXPECT_EQ(tooLong.error().code, ErrorCode::BadFormat);
    for (const char* word : {"file.jsonl:7", "choices[1]", "at most the model's context of 10"})
        EXPECT_NE(tooLong.error().message.find(word), std::string::npos) << tooLong.error().message;
}

TEST_F(ChoiceScores, cancelStopsBetweenBatches) {
    ChoiceRequests requests;
    ASSERT_TRUE(addRequests(sampleTask(), *m_tokenizer, 512, {}, requests));
    std::stop_source stop;
    stop.request_stop();
    const auto cancelled = score(requests, JobContext(stop.get_token(), {}));
    ASSERT_FALSE(cancelled);
    EXPECT_EQ(cancelled.error().code, ErrorCode::Cancelled);
    EXPECT_TRUE(score(ChoiceRequests{})->empty());
}

TEST(ChoiceScoresOfTheDemoModel, FirstItemsOfArcEasy) {
    const char* source = std::getenv("BDQ_SOURCE_DIR");
    const std::filesystem::path checkout = source != nullptr ? source : ".";
    const auto model = checkout / "build/models/SmolLM2-135M-Instruct.Q4_1.gguf";
    const auto file = checkout / "../shared/data/tasks/arc_easy.jsonl";
    for (const auto& path : {model, file})
        if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is missing";
    const auto weights = ModelWeights::open(model.string());
    ASSERT_TRUE(weights) << weights.error().text();
    const auto tokenizer = io::Tokenizer::create(weights->reader());
    ASSERT_TRUE(tokenizer) << tokenizer.error().text();
    const auto task = readChoiceTask(file.string(), 40);
    ASSERT_TRUE(task) << task.error().text();
    ChoiceRequests requests;
    ASSERT_EQ(addRequests(*task, *tokenizer, weights->config().contextLength, {}, requests).value(), 0);
    const ComputeDevice device = openDevice({"cpu", 0}).value();
    FullPrecisionLayers layers(*weights, device);
    const auto scores = scoreChoices(*weights, layers, requests, device, {}, [](double, double) {});
    ASSERT_TRUE(scores) << scores.error().text();
    // From an independent program (PyTorch, one choice at a time, tokens by the package tokenizers): 19 of 40
    // right either way, sum of all log-probabilities -3218.0314. fp32 leaves some 1e-4 in each of about 600.
    EXPECT_NEAR(std::accumulate(scores->begin(), scores->end(), 0.0), -3218.0314, 0.05);
    const auto rated = rateChoices(*task, *scores);
    ASSERT_TRUE(rated);
    EXPECT_DOUBLE_EQ(rated->accuracy, 19.0 / 40);
    EXPECT_DOUBLE_EQ(rated->accuracyNormalized, 19.0 / 40);
}

} // namespace
} // namespace bdq
