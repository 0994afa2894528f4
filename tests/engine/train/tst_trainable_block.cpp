// The learned block: nothing changes with the quantizers off, training lowers the error, and an interrupted
// distillation goes on with the same bits.
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "engine/train/block_trainer.h"
#include "engine/train/clipped_quantizer.h"
#include "engine/train/end_to_end.h"
#include "tests/engine/model/random_block.h"
#include "tests/engine/train/several_problems.h"

namespace bdq::train {
namespace {

using testing::randomBlock;
using testing::randomTensor;
using testing::relativeError;
using testing::smallConfig;

constexpr std::int64_t kTokens = 24;
constexpr std::int64_t kSequences = 4;
// As tst_function_preserved: a transform, its inverse in the weight and the product, fp32.
constexpr double kLayerTolerance = 7e-5;

struct Variant {
    std::string name;
    Rotation rotation;
    bool heads;
    bool rounding = false;
};

BlockStart startOf(const ModelConfig& config, const BlockWeights& weights, const std::string& scheme,
                   Rotation rotation, bool heads) {
    BlockStart start;
    const Scheme parsed = parseScheme(scheme).value();
    start.schemes.fill(parsed);
    start.keyScheme = start.valueScheme = parsed.kv;
    for (Site site : kLinearSites) {
        const std::int64_t features = weights.at(site).size(1);
        transform::TransformParts parts;
        parts.diagonal = at::exp(randomTensor({features}, 7) * 0.3);
        parts.hadamard = rotation != Rotation::Kronecker;
        parts.hadamardSeed = 3;
        SiteParameterisation form;
        form.rotation = rotation;
        form.blockSize = 16;
        form.seed = 5;
        const auto fixed = transform::SiteTransform::create(features, parts).value();
        start.sites[static_cast<std::size_t>(site)] =
            LearnedSite::create(features, fixed, form, at::kCPU).value();
    }
    if (heads) {
        const transform::HeadRotation rotation64 =
            transform::HeadRotation::create(config.headDim, 11).value();
        const bool svd = rotation == Rotation::Kronecker;
        start.keys = LearnedHead::create(config.headDim, svd ? std::nullopt : std::optional(rotation64),
                                         {svd, 8}, at::kCPU)
                         .value();
        start.values = LearnedHead::create(config.headDim, std::nullopt, {svd, 9}, at::kCPU).value();
    }
    return start;
}

class EveryParameterisation : public ::testing::TestWithParam<Variant> {
protected:
    ModelConfig m_config = smallConfig();
    BlockWeights m_weights;
    Rope m_rope = Rope::create(m_config, kTokens, at::kCPU);
    at::Tensor m_inputs;
    BlockHooks m_none;
    at::Tensor m_targets;

    void SetUp() override { draw(0); }

    /// Weights, inputs and outputs of one problem.
    void draw(std::uint64_t seed) {
        m_weights = randomBlock(m_config, seed + 1);
        m_inputs = randomTensor({kSequences, kTokens, m_config.hiddenSize}, seed + 2) *
                   at::exp(randomTensor({m_config.hiddenSize}, seed + 3));
        m_targets = forwardBlock(m_config, m_weights, m_rope, m_inputs, m_none);
    }

    TrainableBlock block(const std::string& scheme) {
        BlockStart start = startOf(m_config, m_weights, scheme, GetParam().rotation, GetParam().heads);
        start.learnRounding = GetParam().rounding;
        return {m_config, m_weights, std::move(start)};
    }
};

TEST_P(EveryParameterisation, LeavesTheBlockUnchangedWithoutQuantizers) {
    TrainableBlock block = this->block("W16A16");
    block.prepare();
    EXPECT_LT(relativeError(block.forward(m_inputs, m_rope).detach(), m_targets), kLayerTolerance);
    EXPECT_LT(
        relativeError(forwardBlock(m_config, block.foldedWeights(), m_rope, m_inputs, m_none), m_targets),
        kLayerTolerance);
}

TEST_P(EveryParameterisation, StaysTheSameFunctionAfterTraining) {
    TrainableBlock quantized = this->block("W3A3KV3");
    TrainingRecipe recipe;
    recipe.epochs = 3;
    recipe.batch = 2;
    const JobContext context;
    ASSERT_TRUE(trainBlock(quantized, {m_inputs, m_targets}, m_rope, recipe, context, [](double) {}));
    TrainableBlock full = this->block("W16A16");
    State learned = quantized.state();
    std::erase_if(learned, [](const auto& part) {
        return part.first.starts_with("clips.") || part.first.starts_with("rounding.");
    });
    ASSERT_TRUE(full.load(learned));
    full.prepare();
    // The learned matrices are no longer orthogonal: their condition multiplies the rounding, tenfold at most
    // here.
    EXPECT_LT(relativeError(full.forward(m_inputs, m_rope).detach(), m_targets), 10 * kLayerTolerance);
}

TEST_P(EveryParameterisation, TrainingLowersTheError) {
    const test::Mean change = test::meanOverProblems([this](std::uint64_t seed) {
        draw(seed);
        TrainableBlock block = this->block("W3A3KV3");
        TrainingRecipe recipe;
        recipe.epochs = 20;
        recipe.batch = kSequences;
        const JobContext context;
        double share = 0;
        const auto training = trainBlock(block, {m_inputs, m_targets}, m_rope, recipe, context,
                                         [&](double part) { share += part; });
        EXPECT_EQ(training.value().losses.size(), 20U);
        EXPECT_NEAR(share, 1, 1e-9);
        return test::lossChange(training->losses);
    });
    EXPECT_TRUE(change.isBelowZero()) << change;
}

TEST_P(EveryParameterisation, StateComesBack) {
    TrainableBlock trained = this->block("W4A4KV4");
    TrainingRecipe recipe;
    recipe.epochs = 1;
    const JobContext context;
    ASSERT_TRUE(trainBlock(trained, {m_inputs, m_targets}, m_rope, recipe, context, [](double) {}));
    TrainableBlock fresh = this->block("W4A4KV4");
    ASSERT_TRUE(fresh.load(trained.state()));
    trained.prepare();
    fresh.prepare();
    EXPECT_TRUE(at::equal(fresh.forward(m_inputs, m_rope), trained.forward(m_inputs, m_rope)));
    State broken = trained.state();
    broken.erase(broken.begin());
    EXPECT_FALSE(fresh.load(broken));
}

INSTANTIATE_TEST_SUITE_P(Forms, EveryParameterisation,
                         ::testing::Values(Variant{"Fixed", Rotation::Fixed, false},
                                           Variant{"Cayley", Rotation::CayleyBlocks, true},
                                           Variant{"Free", Rotation::FreeBlocks, true},
                                           Variant{"Kronecker", Rotation::Kronecker, true},
                                           Variant{"Rounding", Rotation::CayleyBlocks, true, true}),
                         [](const auto& variant) { return variant.param.name; });

TEST(BlockTrainer, ALossThatIsNotFiniteKeepsTheLastGoodParameters) {
    const ModelConfig config = smallConfig();
    const BlockWeights weights = randomBlock(config, 1);
    const Rope rope = Rope::create(config, kTokens, at::kCPU);
    TrainableBlock block(config, weights, startOf(config, weights, "W4A4", Rotation::CayleyBlocks, false));
    const State before = block.state();
    at::Tensor inputs = randomTensor({2, kTokens, config.hiddenSize}, 2);
    at::Tensor targets = inputs.clone();
    targets.index_put_({at::tensor({0}), at::tensor({0}), at::tensor({0})}, std::nan(""));
    TrainingRecipe recipe;
    recipe.epochs = 2;
    const JobContext context;
    const auto training = trainBlock(block, {inputs, targets}, rope, recipe, context, [](double) {});
    ASSERT_TRUE(training);
    EXPECT_TRUE(training->stoppedNonFinite);
    for (const auto& [name, tensor] : block.state())
        EXPECT_TRUE(at::equal(tensor, before.at(name))) << name;
}

TEST(TrainableBlock, RoundingIsOffByHalfAStepAtMost) {
    const ModelConfig config = smallConfig();
    BlockStart start;
    start.schemes.fill(parseScheme("W3A16").value());
    start.learnClipping = false;
    start.learnRounding = true;
    TrainableBlock block(config, randomBlock(config, 1), std::move(start));
    const at::Tensor weight = randomBlock(config, 1).at(Site::Down);
    const OperandScheme scheme = parseScheme("W3A16").value().weight;
    const c10::NoGradGuard guard;
    for (at::Tensor& offset : block.roundingParameters())
        offset.fill_(3);
    block.limitRounding();
    const at::Tensor offset = roundingOffset(block.rounding(Site::Down), weight, scheme, {});
    EXPECT_TRUE(at::allclose(offset, (clippedStep(weight, scheme, {}) * kRoundingReach).expand_as(weight)));
}

TEST(TrainableBlock, AutocastStaysCloseToFp32) {
    const ModelConfig config = smallConfig();
    const Rope rope = Rope::create(config, kTokens, at::kCPU);
    const at::Tensor inputs = randomTensor({2, kTokens, config.hiddenSize}, 2);
    const auto output = [&](bool autocast) {
        const BlockWeights weights = randomBlock(config, 1);
        BlockStart start = startOf(config, weights, "W16A16", Rotation::CayleyBlocks, true);
        start.autocast = autocast;
        TrainableBlock block(config, weights, std::move(start));
        block.prepare();
        return block.forward(inputs, rope).detach();
    };
    const at::Tensor half = output(true);
    EXPECT_EQ(half.scalar_type(), at::kFloat);
    // 8 bits of mantissa: 2^-9 a rounding, about ten of them one after the other in a block.
    EXPECT_LT(relativeError(half, output(false)), 10 * std::exp2(-9));
    EXPECT_GT(relativeError(half, output(false)), 0);
}

class Distil : public ::testing::Test {
protected:
    ModelConfig m_config = smallConfig();
    Rope m_rope = Rope::create(m_config, kTokens, at::kCPU);
    Distillation m_data;
    std::vector<BlockWeights> m_weights;
    TrainingRecipe m_recipe;
    JobContext m_context;

    void SetUp() override { draw(0); }

    /// Weights and data of one problem.
    void draw(std::uint64_t seed) {
        m_recipe.endToEndSteps = 12;
        m_recipe.batch = 2;
        m_weights = {randomBlock(m_config, seed + 1), randomBlock(m_config, seed + 2)};
        m_data.embedding = randomTensor({50, m_config.hiddenSize}, seed + 4);
        m_data.head = randomTensor({50, m_config.hiddenSize}, seed + 5) * 0.3;
        m_data.finalNorm = at::ones({m_config.hiddenSize});
        m_data.normEpsilon = m_config.normEpsilon;
        at::manual_seed(seed + 3);
        m_data.tokens = at::randint(50, {kSequences, kTokens}, at::kLong);
        at::Tensor x = at::embedding(m_data.embedding, m_data.tokens);
        BlockHooks none;
        for (const BlockWeights& weights : m_weights)
            x = forwardBlock(m_config, weights, m_rope, x, none);
        m_data.teacherHidden = x;
    }

    std::vector<TrainableBlock> blocks() {
        std::vector<TrainableBlock> blocks;
        for (const BlockWeights& weights : m_weights) {
            BlockStart start = startOf(m_config, weights, "W3A3", Rotation::CayleyBlocks, false);
            start.learnRounding = m_recipe.learnRounding;
            blocks.emplace_back(m_config, weights, std::move(start));
        }
        return blocks;
    }

    double lossChange(bool learnRounding) {
        m_recipe.endToEndSteps = 40;
        m_recipe.endToEndRate = 5e-3;
        m_recipe.batch = kSequences;
        m_recipe.learnRounding = learnRounding;
        m_recipe.endToEndRoundingRate = 2e-2;
        auto learned = blocks();
        const auto training =
            trainEndToEnd(learned, m_data, m_rope, m_recipe, {},
                          {10, [](const EndToEndState&) { return Status{}; }}, m_context, [](double) {});
        return test::lossChange(training.value().losses);
    }
};

TEST_F(Distil, LowersTheDivergenceAndFurtherWithLearnedRounding) {
    std::vector<double> without;
    const test::Mean change = test::meanOverProblems([&](std::uint64_t seed) {
        draw(seed);
        without.push_back(lossChange(false));
        return without.back();
    });
    EXPECT_TRUE(change.isBelowZero()) << change;
    auto other = without.begin();
    const test::Mean further = test::meanOverProblems([&](std::uint64_t seed) {
        draw(seed);
        return lossChange(true) - *other++;
    });
    EXPECT_TRUE(further.isBelowZero()) << further;
}

TEST_F(Distil, GoesOnAfterAnInterruptionWithTheSameBits) {
    m_recipe.learnRounding = true;
    auto once = blocks();
    EndToEndState middle;
    const auto keepMiddle = [&](const EndToEndState& state) {
        if (state.step == 6) middle = state;
        return Status{};
    };
    ASSERT_TRUE(trainEndToEnd(once, m_data, m_rope, m_recipe, {}, {6, keepMiddle}, m_context, [](double) {}));
    auto resumed = blocks();
    ASSERT_TRUE(trainEndToEnd(resumed, m_data, m_rope, m_recipe, middle,
                              {6, [](const EndToEndState&) { return Status{}; }}, m_context, [](double) {}));
    for (std::size_t i = 0; i < once.size(); ++i)
        for (const auto& [name, tensor] : once[i].state())
            EXPECT_TRUE(at::equal(tensor, resumed[i].state().at(name))) << "block " << i << ", " << name;
}

} // namespace
} // namespace bdq::train
