#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include <ATen/ATen.h>

#include "engine/calibration/generate.h"
#include "engine/calibration/token_source.h"
#include "tests/e2e/e2e_support.h"
#include "tests/e2e/tiny_model.h"

namespace bdq {
namespace {

class TokenSource : public ::testing::Test {
protected:
    void SetUp() override {
        m_folder = std::filesystem::path(::testing::TempDir()) / "bdq-token-source";
        e2e::writeTinyModel(m_folder);
        m_weights = ModelWeights::open(m_folder.string()).value();
        m_device = openDevice({"cpu", 2}).value();
        m_context = JobContext({}, [this](const JobEvent& event) {
            if (const auto* warning = std::get_if<WarningEvent>(&event))
                m_warnings.push_back(warning->message);
        });
    }
    void TearDown() override { std::filesystem::remove_all(m_folder); }
    std::string writeText(const std::string& text) const {
        const auto path = m_folder / "text.txt";
        std::ofstream(path) << text;
        return path.string();
    }
    Result<CalibrationTokens> tokens(const std::string& source, int sequences, int length,
                                     std::uint64_t seed = 0) {
        return calibrationTokens(*m_weights, {source, sequences, length}, seed, m_device, m_context);
    }
    /// All sequences in one pass, without a cache: [sequences, length, vocabulary].
    at::Tensor logits(const at::Tensor& ids) const {
        const ModelConfig& config = m_weights->config();
        at::Tensor x = at::embedding(m_weights->embedding(at::kCPU).value(), ids);
        BlockHooks none;
        const Rope rope = Rope::create(config, ids.size(1), at::kCPU);
        for (int layer = 0; layer < config.layers; ++layer)
            x = forwardBlock(config, m_weights->block(layer, at::kCPU).value(), rope, x, none);
        return at::linear(rmsNorm(x, m_weights->finalNorm(at::kCPU).value(), config.normEpsilon),
                          m_weights->head(at::kCPU).value());
    }
    std::filesystem::path m_folder;
    std::optional<ModelWeights> m_weights;
    ComputeDevice m_device;
    JobContext m_context;
    std::vector<std::string> m_warnings;
};

TEST_F(TokenSource, TakesTheFirstWindows) {
    const std::string path = writeText(e2e::sampleText(400));
    const auto text = tokenizeFile(*m_weights, path, BosMode::Auto, m_context);
    ASSERT_TRUE(text) << text.error().text();
    const std::vector<std::int32_t>* const all = &text->ids;
    const auto found = tokens(path, 3, 40);
    ASSERT_TRUE(found) << found.error().text();
    const std::vector<std::int32_t> first(all->begin(), all->begin() + 120);
    EXPECT_TRUE(at::equal(found->ids.flatten(), at::tensor(first, at::kInt).to(at::kLong)));
    EXPECT_EQ(found->info.tokens, 120);
    EXPECT_EQ(found->info.source, "text.txt");
    EXPECT_EQ(found->info.sha256, tokenHash(first));
    EXPECT_FALSE(found->info.bos); // the tokenizer puts none in front
    EXPECT_TRUE(m_warnings.empty());
}

TEST_F(TokenSource, AShortTextGivesFewerSequencesAndAWarning) {
    const std::string path = writeText(e2e::sampleText(60));
    const auto count = tokenizeFile(*m_weights, path, BosMode::Auto, m_context).value().ids.size();
    const auto found = tokens(path, 100, 20);
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_EQ(found->info.sequences, static_cast<int>(count / 20));
    ASSERT_EQ(m_warnings.size(), 1U);
    EXPECT_NE(m_warnings.front().find("100 were asked for"), std::string::npos) << m_warnings.front();
}

TEST_F(TokenSource, OneBosStandsInFrontOfTheWholeText) {
    const std::string path = writeText(e2e::sampleText(400));
    const auto without = calibrationTokens(*m_weights, {path, 3, 40, BosMode::Off}, 0, m_device, m_context);
    const auto with = calibrationTokens(*m_weights, {path, 3, 40, BosMode::On}, 0, m_device, m_context);
    ASSERT_TRUE(without && with);
    const at::Tensor ids = with->ids.flatten();
    EXPECT_EQ(ids[0].item<std::int64_t>(), e2e::kTinyVocabSize - 2);
    EXPECT_TRUE(at::equal(ids.narrow(0, 1, 119), without->ids.flatten().narrow(0, 0, 119)));
    EXPECT_TRUE(with->info.bos);
    EXPECT_EQ(with->info.bosMode, BosMode::On);
    EXPECT_FALSE(without->info.bos);
}

TEST_F(TokenSource, TextsOfJsonLinesAreTaken) {
    const std::string path = writeText("{\"text\": \"the river\"}\n{\"text\": \"in winter carries\"}\n");
    const auto lines = tokenizeFile(*m_weights, path, BosMode::Off, m_context);
    ASSERT_TRUE(lines) << lines.error().text();
    EXPECT_EQ(lines->form, "2 texts of JSON lines, key text");
    const auto plain =
        tokenizeFile(*m_weights, writeText("the river\n\nin winter carries"), BosMode::Off, m_context);
    EXPECT_EQ(lines->ids, plain.value().ids);
}

TEST_F(TokenSource, SequencesBeyondTheContextAreSaid) {
    // The tiny model is made for 512 tokens.
    ASSERT_TRUE(tokens(writeText(e2e::sampleText(2000)), 1, 600));
    ASSERT_EQ(m_warnings.size(), 1U);
    for (const char* number : {"600", "512"})
        EXPECT_NE(m_warnings.front().find(number), std::string::npos) << m_warnings.front();
    EXPECT_EQ(m_context.warnings(), m_warnings);
}

TEST_F(TokenSource, EmptyTooShortAndMissingTextAreErrors) {
    const auto empty = tokens(writeText(""), 1, 20);
    ASSERT_FALSE(empty);
    EXPECT_EQ(empty.error().code, ErrorCode::MissingCalibration);
    const auto tooShort = tokens(writeText("a few words"), 1, 2048);
    ASSERT_FALSE(tooShort);
    EXPECT_EQ(tooShort.error().code, ErrorCode::MissingCalibration);
    EXPECT_NE(tooShort.error().text().find("2048"), std::string::npos);
    const auto missing = tokens((m_folder / "nothing.txt").string(), 1, 20);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
}

TEST_F(TokenSource, GeneratedTextIsSeededAndInTheVocabulary) {
    const auto first = tokens("self", 3, 24, 7);
    const auto again = tokens("self", 3, 24, 7);
    const auto other = tokens("self", 3, 24, 8);
    ASSERT_TRUE(first && again && other);
    EXPECT_EQ(first->info.source, "self");
    EXPECT_EQ(first->ids.sizes().vec(), (std::vector<std::int64_t>{3, 24}));
    EXPECT_TRUE(at::equal(first->ids, again->ids));
    EXPECT_FALSE(at::equal(first->ids, other->ids));
    EXPECT_GE(first->ids.min().item<std::int64_t>(), 0);
    EXPECT_LT(first->ids.max().item<std::int64_t>(), e2e::kTinyVocabSize);
    EXPECT_FALSE(at::equal(first->ids[0], first->ids[1]));
}

TEST_F(TokenSource, GreedyTokensAreTheModelsMostLikely) {
    GenerationOptions options;
    options.sequences = 2;
    options.length = 6;
    options.seed = 3;
    options.greedyTokens = options.length;
    const auto ids = generateTokens(*m_weights, options, m_device, m_context);
    ASSERT_TRUE(ids) << ids.error().text();
    const at::Tensor all = logits(*ids).narrow(1, 0, options.length - 1);
    const at::Tensor chosen = all.gather(-1, ids->narrow(1, 1, options.length - 1).unsqueeze(-1)).squeeze(-1);
    // With and without a cache a logit, a sum of 64 fp32 products after two blocks, differs by some 1e-6 of
    // the largest: a token that near to the most likely one may be taken for it.
    const double rounding = 1e-5 * all.abs().max().item<double>();
    EXPECT_LE((all.amax(-1) - chosen).max().item<double>(), rounding);
    EXPECT_GT((all.amax(-1) - all.mean(-1)).min().item<double>(), 1e3 * rounding);
}

// Over drawn tokens the mean of -log p is the mean entropy, and the mean of the probability up to the middle
// of the token one half (deviation of one: at most that of a uniform number, sqrt(1/12)); within 5 standard
// errors.
TEST_F(TokenSource, SampledTokensFollowTheModelsProbabilities) {
    GenerationOptions options;
    options.sequences = 64;
    options.length = 24;
    options.greedyTokens = 0;
    const auto ids = generateTokens(*m_weights, options, m_device, m_context);
    ASSERT_TRUE(ids) << ids.error().text();
    const at::Tensor logP =
        at::log_softmax(logits(*ids), -1, at::kDouble).narrow(1, 0, options.length - 1).flatten(0, 1);
    const at::Tensor p = logP.exp();
    const at::Tensor entropy = -(p * logP).sum(-1);
    const at::Tensor variance = (p * logP.square()).sum(-1) - entropy.square();
    const at::Tensor drawn = ids->narrow(1, 1, options.length - 1).flatten().unsqueeze(1);
    const double difference = (-logP.gather(1, drawn).squeeze(1) - entropy).sum().item<double>();
    const double deviation = std::sqrt(variance.sum().item<double>());
    EXPECT_GT(deviation, 1); // tokens differ in probability, else this would show nothing
    EXPECT_LT(std::abs(difference), 5 * deviation);
    const at::Tensor middle = (p.cumsum(-1) - p / 2).gather(1, drawn);
    EXPECT_NEAR(middle.mean().item<double>(), 0.5,
                5 * std::sqrt(1.0 / 12 / static_cast<double>(middle.numel())));
}

// The same 69 draws from probabilities that batches of 1 and 3 round differently, by some 1e-7: a draw falls
// between the two roundings of its boundary that seldom.
TEST_F(TokenSource, ASequenceDoesNotDependOnThoseBesideIt) {
    GenerationOptions options;
    options.sequences = 3;
    options.length = 24;
    const auto together = generateTokens(*m_weights, options, m_device, m_context);
    options.cacheBytes = 1;
    const auto alone = generateTokens(*m_weights, options, m_device, m_context);
    ASSERT_TRUE(together && alone);
    EXPECT_TRUE(at::equal(*together, *alone));
}

} // namespace
} // namespace bdq
