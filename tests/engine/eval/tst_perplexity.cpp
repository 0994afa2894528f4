#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include "engine/calibration/token_source.h"
#include "engine/eval/perplexity.h"
#include "tests/e2e/e2e_support.h"
#include "tests/e2e/tiny_model.h"
#include "tests/engine/eval/plain_model.h"

namespace bdq {
namespace {

std::filesystem::path sourceDir() {
    const char* dir = std::getenv("BDQ_SOURCE_DIR");
    return dir != nullptr ? dir : ".";
}

std::vector<std::int32_t> countingTokens(int count, std::int64_t vocabulary) {
    std::vector<std::int32_t> tokens;
    for (int i = 0; i < count; ++i)
        tokens.push_back(static_cast<std::int32_t>((i * 37 + i * i) % vocabulary));
    return tokens;
}

/// The protocol written down once more: every window on its own, all logits at once, fp64 loss.
double plainNll(const ModelWeights& weights, const std::vector<std::int32_t>& tokens, std::int64_t length) {
    const ModelConfig& config = weights.config();
    const Rope rope = Rope::create(config, length, at::kCPU);
    double sum = 0;
    const auto windows = static_cast<std::int64_t>(tokens.size()) / length;
    for (std::int64_t window = 0; window < windows; ++window) {
        const std::vector<std::int32_t> part(tokens.begin() + window * length,
                                             tokens.begin() + (window + 1) * length);
        const at::Tensor ids = at::tensor(part, at::kInt).to(at::kLong);
        at::Tensor x = at::embedding(weights.embedding(at::kCPU).value(), ids).unsqueeze(0);
        BlockHooks none;
        for (int layer = 0; layer < config.layers; ++layer)
            x = forwardBlock(config, weights.block(layer, at::kCPU).value(), rope, x, none);
        const at::Tensor normed = rmsNorm(x[0], weights.finalNorm(at::kCPU).value(), config.normEpsilon);
        const at::Tensor logits = at::linear(normed, weights.head(at::kCPU).value()).to(at::kDouble);
        const at::Tensor chosen = at::log_softmax(logits.narrow(0, 0, length - 1), -1)
                                      .gather(1, ids.narrow(0, 1, length - 1).unsqueeze(1));
        sum -= chosen.mean().item<double>();
    }
    return sum / static_cast<double>(windows);
}

class Perplexity : public ::testing::Test {
protected:
    void SetUp() override {
        m_folder = std::filesystem::path(::testing::TempDir()) / "bdq-perplexity";
        e2e::writeTinyModel(m_folder);
        auto weights = ModelWeights::open(m_folder.string());
        ASSERT_TRUE(weights) << weights.error().text();
        m_weights = std::move(*weights);
        m_device = openDevice({"cpu", 2}).value();
    }
    void TearDown() override { std::filesystem::remove_all(m_folder); }
    std::filesystem::path m_folder;
    std::optional<ModelWeights> m_weights;
    ComputeDevice m_device;
};

TEST_F(Perplexity, FollowsTheProtocol) {
    // fp32 logits of about 1 carry errors of 1e-6; their mean over hundreds of tokens stays below 1e-5.
    constexpr double kTolerance = 1e-5;
    const auto tokens = countingTokens(5 * 300 + 17, e2e::kTinyVocabSize);
    FullPrecisionLayers layers(*m_weights, m_device);
    double last = 0;
    const auto result = perplexity(*m_weights, layers, tokens, {300, 0}, m_device, JobContext{},
                                   [&](double done, double total) {
                                       EXPECT_GT(done, last);
                                       EXPECT_LE(done, total);
                                       last = done;
                                   });
    ASSERT_TRUE(result) << result.error().text();
    EXPECT_EQ(result->windows, 5);
    EXPECT_EQ(last, 5.0 * m_weights->config().layers);
    EXPECT_NEAR(result->nll, plainNll(*m_weights, tokens, 300), kTolerance);
    EXPECT_NEAR(result->perplexity, std::exp(result->nll), 1e-9 * result->perplexity);
}

TEST(StandardErrors, AreThoseOfAMean) {
    // 1, 2, 3, 4: variance 5/3, so sqrt(5/3/4).
    const std::vector<double> values{1, 2, 3, 4};
    EXPECT_DOUBLE_EQ(standardError(values), std::sqrt(5.0 / 12));
    EXPECT_EQ(standardError(std::vector<double>{2, 2, 2}), 0);
    EXPECT_TRUE(std::isnan(standardError(std::vector<double>{2})));
    EXPECT_TRUE(std::isnan(standardError({})));
}

TEST_F(Perplexity, ItsErrorIsThatOfTheWindowsMeans) {
    constexpr std::int64_t kLength = 60;
    const auto tokens = countingTokens(4 * kLength, e2e::kTinyVocabSize);
    FullPrecisionLayers layers(*m_weights, m_device);
    std::vector<double> alone;
    for (int window = 0; window < 4; ++window) {
        const std::vector<std::int32_t> own(tokens.begin() + window * kLength,
                                            tokens.begin() + (window + 1) * kLength);
        const auto one =
            perplexity(*m_weights, layers, own, {kLength, 0}, m_device, {}, [](double, double) {});
        ASSERT_TRUE(one);
        EXPECT_TRUE(std::isnan(one->nllError));
        alone.push_back(one->nll);
    }
    const auto all =
        perplexity(*m_weights, layers, tokens, {kLength, 0}, m_device, {}, [](double, double) {});
    ASSERT_TRUE(all);
    EXPECT_GT(all->nllError, 0);
    // The same windows one by one: differences of fp32 sums only.
    EXPECT_NEAR(all->nllError, standardError(alone), 1e-6);
}

TEST_F(Perplexity, WindowsCanBeLimited) {
    const auto tokens = countingTokens(400, e2e::kTinyVocabSize);
    const std::vector<std::int32_t> firstTwo(tokens.begin(), tokens.begin() + 200);
    FullPrecisionLayers layers(*m_weights, m_device);
    const auto limited =
        perplexity(*m_weights, layers, tokens, {100, 2}, m_device, {}, [](double, double) {});
    const auto cut = perplexity(*m_weights, layers, firstTwo, {100, 0}, m_device, {}, [](double, double) {});
    ASSERT_TRUE(limited && cut);
    EXPECT_EQ(limited->windows, 2);
    EXPECT_DOUBLE_EQ(limited->nll, cut->nll);
}

/// The full model with every hidden state made smaller: some other model.
class WeakenedLayers final : public LayerSource {
public:
    static constexpr double kFactor = 0.75;
    explicit WeakenedLayers(LayerSource& layers) : m_layers(layers) {}
    Result<std::unique_ptr<Layer>> load(int layer) override {
        BDQ_TRY(std::unique_ptr<Layer> full, m_layers.load(layer));
        return std::make_unique<Weakened>(std::move(full));
    }

private:
    class Weakened final : public Layer {
    public:
        explicit Weakened(std::unique_ptr<Layer> layer) : m_layer(std::move(layer)) {}
        at::Tensor forward(const at::Tensor& x, const Rope& rope) override {
            return x + kFactor * (m_layer->forward(x, rope) - x);
        }

    private:
        std::unique_ptr<Layer> m_layer;
    };
    LayerSource& m_layers;
};

/// All logits of the weakened model in plain loops.
reference::Matrix weakenedLogits(const reference::LanguageModel& model,
                                 const std::vector<std::int32_t>& tokens) {
    reference::Matrix x = reference::zeros(tokens.size(), model.embedding.columns);
    for (std::size_t t = 0; t < tokens.size(); ++t)
        for (std::size_t c = 0; c < x.columns; ++c)
            x.at(t, c) = model.embedding.at(static_cast<std::size_t>(tokens[t]), c);
    for (const reference::BlockMatrices& weights : model.blocks) {
        const reference::Matrix y = reference::block(x, weights, model.shape);
        for (std::size_t i = 0; i < x.values.size(); ++i)
            x.values[i] += WeakenedLayers::kFactor * (y.values[i] - x.values[i]);
    }
    return reference::linear(reference::rmsNorm(x, model.norm, model.shape.epsilon), model.head);
}

TEST_F(Perplexity, ComparesWithTheFullModel) {
    // As in FollowsTheProtocol; agreement is a count.
    constexpr double kTolerance = 1e-5;
    constexpr std::size_t kLength = 40;
    const auto tokens = countingTokens(2 * kLength + 3, e2e::kTinyVocabSize);
    FullPrecisionLayers full(*m_weights, m_device);
    WeakenedLayers weakened(full);
    double last = 0;
    const auto result = perplexity(*m_weights, {weakened, &full}, tokens, {kLength, 0}, m_device, {},
                                   [&](double done, double total) { last = done / total; });
    ASSERT_TRUE(result) << result.error().text();
    ASSERT_TRUE(result->comparison);
    EXPECT_EQ(last, 1.0);
    const reference::LanguageModel model = testing::plainModel(*m_weights);
    double divergence = 0;
    double agreement = 0;
    double loss = 0;
    for (std::size_t window = 0; window < 2; ++window) {
        const std::vector<std::int32_t> part(tokens.begin() + static_cast<std::ptrdiff_t>(window * kLength),
                                             tokens.begin() +
                                                 static_cast<std::ptrdiff_t>((window + 1) * kLength));
        const reference::Matrix p = reference::logits(model, part);
        const reference::Matrix q = weakenedLogits(model, part);
        for (std::size_t row = 0; row + 1 < kLength; ++row) {
            const auto logP = reference::logProbabilities(p, row);
            const auto logQ = reference::logProbabilities(q, row);
            divergence += reference::divergence(logP, logQ) / (2 * (kLength - 1));
            agreement +=
                (reference::argmax(logP) == reference::argmax(logQ) ? 1.0 : 0.0) / (2 * (kLength - 1));
            loss -= logQ[static_cast<std::size_t>(part[row + 1])] / (2 * (kLength - 1));
        }
    }
    EXPECT_GT(divergence, 0.01);
    EXPECT_LT(agreement, 1);
    EXPECT_NEAR(result->comparison->klDivergence, divergence, kTolerance);
    EXPECT_NEAR(result->comparison->topAgreement, agreement, 1e-9);
    EXPECT_NEAR(result->nll, loss, kTolerance);
    // The same figures, bit for bit, as when each model is measured alone.
    EXPECT_EQ(
        result->nll,
        perplexity(*m_weights, weakened, tokens, {kLength, 0}, m_device, {}, [](double, double) {})->nll);
    EXPECT_EQ(result->comparison->nllFull,
              perplexity(*m_weights, full, tokens, {kLength, 0}, m_device, {}, [](double, double) {})->nll);
}

TEST_F(Perplexity, AModelAgreesWithItself) {
    const auto tokens = countingTokens(100, e2e::kTinyVocabSize);
    FullPrecisionLayers layers(*m_weights, m_device);
    const auto result =
        perplexity(*m_weights, {layers, &layers}, tokens, {50, 0}, m_device, {}, [](double, double) {});
    ASSERT_TRUE(result && result->comparison);
    EXPECT_EQ(result->comparison->klDivergence, 0.0);
    EXPECT_EQ(result->comparison->topAgreement, 1.0);
    EXPECT_EQ(result->comparison->perplexityFull, result->perplexity);
}

TEST_F(Perplexity, TooFewTokensAndCancelAreErrors) {
    const auto tokens = countingTokens(50, e2e::kTinyVocabSize);
    FullPrecisionLayers layers(*m_weights, m_device);
    const auto few = perplexity(*m_weights, layers, tokens, {51, 0}, m_device, {}, [](double, double) {});
    ASSERT_FALSE(few);
    EXPECT_EQ(few.error().code, ErrorCode::MissingCalibration);
    EXPECT_NE(few.error().message.find("50 tokens"), std::string::npos) << few.error().message;
    std::stop_source stop;
    stop.request_stop();
    const auto cancelled = perplexity(*m_weights, layers, tokens, {10, 0}, m_device,
                                      JobContext(stop.get_token(), {}), [](double, double) {});
    ASSERT_FALSE(cancelled);
    EXPECT_EQ(cancelled.error().code, ErrorCode::Cancelled);
}

TEST(PerplexityOfTheDemoModel, FirstFourWindows) {
    const auto model = sourceDir() / "build/models/SmolLM2-135M-Instruct.Q4_1.gguf";
    const auto text = sourceDir() / "../shared/data/wikitext2-test.txt";
    for (const auto& path : {model, text})
        if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is missing";
    const auto weights = ModelWeights::open(model.string());
    ASSERT_TRUE(weights) << weights.error().text();
    JobContext context;
    const auto tokens = tokenizeFile(*weights, text.string(), BosMode::Auto, context);
    ASSERT_TRUE(tokens) << tokens.error().text();
    EXPECT_EQ(tokens->ids.size(), 304978U);
    EXPECT_FALSE(tokens->bos);
    const ComputeDevice device = openDevice({"cpu", 0}).value();
    FullPrecisionLayers layers(*weights, device);
    const auto result =
        perplexity(*weights, layers, tokens->ids, {2048, 4}, device, {}, [](double, double) {});
    ASSERT_TRUE(result) << result.error().text();
    // 24.145 from two independent programs (design/measurements.md); the issue allows 0.02.
    EXPECT_NEAR(result->perplexity, 24.145, 0.02);
}

} // namespace
} // namespace bdq
