// Rotations of the residual stream and of value heads while they are learned: placement, function, gradients,
// orthogonality, and a training that goes on with the same bits.
#include <cmath>
#include <numeric>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "engine/train/cayley.h"
#include "engine/train/clipped_quantizer.h"
#include "engine/train/end_to_end.h"
#include "tests/engine/model/random_block.h"
#include "tests/engine/train/finite_differences.h"
#include "tests/engine/train/matrix_of.h"
#include "tests/engine/train/several_problems.h"

namespace bdq::train {
namespace {

using test::largestDifference;
using test::orthogonalityError;
using testing::randomBlock;
using testing::randomTensor;
using testing::relativeError;
using testing::smallConfig;

constexpr std::int64_t kTokens = 24;
constexpr std::int64_t kSequences = 4;
// As tst_trainable_block: a transform, its inverse in the weight and the product, fp32.
constexpr double kLayerTolerance = 7e-5;
constexpr double kOrthogonal = 1e-10; ///< demanded of fp64

LearnedSite behindNorm(const at::Tensor& gain, const at::Tensor& residual, bool scaled,
                       at::ScalarType type = at::kFloat) {
    transform::TransformParts parts;
    parts.diagonal = gain.to(at::kDouble).reciprocal();
    SiteParameterisation form;
    form.learnDiagonal = false;
    form.rotation = Rotation::Shared;
    form.shared = residual;
    form.learnOuterDiagonal = scaled;
    const auto fixed = transform::SiteTransform::create(gain.size(0), parts).value();
    return LearnedSite::create(gain.size(0), fixed, form, at::kCPU, type).value();
}

LearnedHead valueHead(const ModelConfig& config, bool scaled, at::ScalarType type = at::kFloat) {
    HeadParameterisation form;
    form.form = scaled ? HeadForm::RotationAndScale : HeadForm::Rotation;
    std::vector<at::Tensor> rotations;
    for (std::int64_t head = 0; head < config.kvHeads; ++head)
        rotations.push_back(randomOrthogonal(config.headDim, 40 + static_cast<std::uint64_t>(head)));
    form.rotation = scaled ? at::stack(rotations) : rotations[0];
    return LearnedHead::create(config.headDim, std::nullopt, form, at::kCPU, type).value();
}

BlockStart startOf(const ModelConfig& config, const BlockWeights& weights, const Scheme& scheme,
                   const at::Tensor& residual, bool scaled) {
    BlockStart start;
    start.schemes.fill(scheme);
    start.keyScheme = start.valueScheme = scheme.kv;
    start.learnClipping = false;
    start.residual = residual;
    start.sites[static_cast<std::size_t>(Site::Qkv)] = behindNorm(weights.attentionNorm, residual, scaled);
    start.sites[static_cast<std::size_t>(Site::GateUp)] = behindNorm(weights.mlpNorm, residual, scaled);
    transform::TransformParts hadamard;
    hadamard.hadamard = true;
    SiteParameterisation down;
    down.learnDiagonal = scaled;
    down.rotation = Rotation::Fixed;
    const std::int64_t width = config.intermediateSize;
    start.sites[static_cast<std::size_t>(Site::Down)] =
        LearnedSite::create(width, transform::SiteTransform::create(width, hadamard).value(), down, at::kCPU)
            .value();
    HeadParameterisation keys;
    keys.form = scaled ? HeadForm::PairScale : HeadForm::Fixed;
    start.keys =
        LearnedHead::create(config.headDim, transform::HeadRotation::create(config.headDim, 11).value(), keys,
                            at::kCPU)
            .value();
    start.values = valueHead(config, scaled);
    return start;
}

at::Tensor residualLeaf(const ModelConfig& config, std::uint64_t seed) {
    return randomOrthogonal(config.hiddenSize, seed).requires_grad_(true);
}

/// A start that leaves outlier channels where they are, so that a rotation has something to learn.
at::Tensor nearIdentity(std::int64_t n, std::uint64_t seed) {
    return cayley(skewOf(randomTensor({n, n}, seed, 0.01).to(at::kDouble))).requires_grad_(true);
}

/// Random values for every scale of a block.
void disturb(TrainableBlock& block) {
    State state = block.state();
    std::uint64_t seed = 60;
    for (auto& [name, tensor] : state)
        if (name.find("rotation") == std::string::npos) tensor = randomTensor(tensor.sizes(), ++seed, 0.3);
    ASSERT_TRUE(block.load(state));
}

class Residual : public ::testing::TestWithParam<bool> {
protected:
    ModelConfig m_config = smallConfig();
    BlockWeights m_weights = randomBlock(m_config, 1);
    Rope m_rope = Rope::create(m_config, kTokens, at::kCPU);
    at::Tensor m_residual = residualLeaf(m_config, 5);
    at::Tensor m_inputs = randomTensor({kSequences, kTokens, m_config.hiddenSize}, 2) *
                          at::exp(randomTensor({m_config.hiddenSize}, 3));

    TrainableBlock block(const Scheme& scheme) {
        return {m_config, m_weights, startOf(m_config, m_weights, scheme, m_residual, GetParam())};
    }
};

TEST_P(Residual, LeavesTheBlockUnchangedWithoutQuantizers) {
    testing::addRelatives(m_weights, m_config, 9);
    TrainableBlock learned = block(Scheme{{}, {}, {16, false, 0}});
    disturb(learned);
    BlockHooks none;
    const c10::NoGradGuard guard;
    learned.prepare();
    EXPECT_LT(relativeError(learned.forward(m_inputs, m_rope),
                            forwardBlock(m_config, m_weights, m_rope, m_inputs, none)),
              kLayerTolerance);
}

// x -> (x / g) R s and W -> W diag(g) R / s, against plain loops.
TEST_P(Residual, TurnsTheNormWithoutItsGain) {
    TrainableBlock learned = block(parseScheme("W4A4KV4").value());
    disturb(learned);
    const auto& site = learned.site(Site::Qkv);
    const transform::SiteTransform baked = site->bake().value();
    const State state = learned.state();
    const std::int64_t n = m_config.hiddenSize;
    const auto scale = state.find("qkv.outer");
    ASSERT_EQ(scale != state.end(), GetParam());
    const auto plain = [&](const at::Tensor& rows, bool weight) {
        at::Tensor result = at::zeros(rows.sizes(), at::kDouble);
        for (std::int64_t i = 0; i < rows.size(0); ++i)
            for (std::int64_t j = 0; j < n; ++j) {
                double sum = 0;
                for (std::int64_t k = 0; k < n; ++k) {
                    const auto gain = m_weights.attentionNorm[k].item<double>();
                    sum += rows[i][k].item<double>() * (weight ? gain : 1 / gain) *
                           m_residual[k][j].item<double>();
                }
                const double log = scale != state.end() ? scale->second[j].item<double>() : 0;
                result[i][j] = sum * std::exp(weight ? -log : log);
            }
        return result;
    };
    const at::Tensor x = randomTensor({3, n}, 8).to(at::kDouble);
    // R, 1 / g and s are stored in fp32.
    EXPECT_LT(relativeError(baked.applyToActivations(x), plain(x, false)), 1e-6);
    EXPECT_LT(relativeError(baked.applyToWeight(x), plain(x, true)), 1e-6);
    const c10::NoGradGuard guard;
    learned.prepare();
    EXPECT_LT(relativeError(site->applyToActivations(x.to(at::kFloat)), plain(x, false)), 1e-5);
}

// o and down: R Q(R^T W) with the values' rotation in W's columns.
TEST_P(Residual, RowsBehindTheResidualStreamAreRoundedTurned) {
    const Scheme scheme = parseScheme("W4A16KV16").value();
    TrainableBlock learned = block(scheme);
    const c10::NoGradGuard guard;
    learned.prepare();
    const at::Tensor identity = at::eye(m_config.heads * m_config.headDim);
    const at::Tensor folded = learned.foldedWeights().at(Site::O);
    EXPECT_GT(relativeError(folded, m_weights.at(Site::O)), 0.1);
    const at::Tensor rotation = m_residual.to(at::kFloat);
    const at::Tensor expected = at::matmul(
        rotation, clippedQuantizeReference(at::matmul(rotation.t(), folded), scheme.weight, {}, false));
    EXPECT_LT(relativeError(learned.preparedWeight(Site::O), expected), 1e-6);
    EXPECT_GT(relativeError(clippedQuantizeReference(folded, scheme.weight, {}, false), expected), 1e-3);
}

INSTANTIATE_TEST_SUITE_P(WithoutAndWithScales, Residual, ::testing::Bool());

TEST(ResidualGradients, OfTheSharedRotationAndTheOuterDiagonal) {
    const std::int64_t n = 12;
    const at::Tensor shared = randomOrthogonal(n, 3).requires_grad_(true);
    LearnedSite site = behindNorm(randomTensor({n}, 4).abs() + 0.5, shared, true, at::kDouble);
    const at::Tensor x = randomTensor({5, n}, 6).to(at::kDouble);
    const at::Tensor w = randomTensor({4, n}, 7).to(at::kDouble);
    std::vector<at::Tensor> parameters = site.parameters();
    ASSERT_EQ(parameters.size(), 1U);
    parameters.push_back(shared);
    test::expectGradients(parameters, [&] {
        site.prepare();
        return site.applyToActivations(x).pow(3).sum() + site.applyToWeight(w).sin().sum();
    });
}

// What a GPU multiplies with: one matrix for D and R, the outer diagonal behind it.
TEST(SharedRotation, DenseAndStructuredFormsAgree) {
    const std::int64_t n = 24;
    const at::Tensor shared = randomOrthogonal(n, 3).requires_grad_(true);
    const at::Tensor x = randomTensor({5, n}, 6).to(at::kDouble);
    std::vector<at::Tensor> results;
    for (const bool dense : {false, true}) {
        transform::TransformParts parts;
        parts.diagonal = randomTensor({n}, 4).abs() + 0.5;
        SiteParameterisation form;
        form.learnDiagonal = false;
        form.rotation = Rotation::Shared;
        form.shared = shared;
        form.learnOuterDiagonal = true;
        form.dense = dense;
        LearnedSite site = LearnedSite::create(n, transform::SiteTransform::create(n, parts).value(), form,
                                               at::kCPU, at::kDouble)
                               .value();
        ASSERT_TRUE(site.load({{"outer", randomTensor({n}, 9, 0.3).to(at::kDouble)}}));
        site.prepare();
        results.push_back(at::cat({site.applyToActivations(x), site.applyToWeight(x)}));
    }
    EXPECT_LT(relativeError(results[1], results[0].detach()), 1e-14);
}

TEST(ResidualGradients, OfValueHeadsAndPairScales) {
    const ModelConfig config = smallConfig();
    LearnedHead values = valueHead(config, true, at::kDouble);
    std::vector<at::Tensor> parameters = values.parameters();
    for (const at::Tensor& rotation : values.rotations())
        parameters.push_back(rotation);
    ASSERT_EQ(parameters.size(), 2U);
    const at::Tensor v = randomTensor({config.kvHeads * config.headDim, 5}, 8).to(at::kDouble);
    const at::Tensor o = randomTensor({3, config.heads * config.headDim}, 9).to(at::kDouble);
    test::expectGradients(parameters, [&] {
        values.prepare();
        return values.foldValue(v).pow(3).sum() + values.foldOutput(o).sin().sum();
    });
    HeadParameterisation form;
    form.form = HeadForm::PairScale;
    LearnedHead keys =
        LearnedHead::create(config.headDim, transform::HeadRotation::create(config.headDim, 2).value(), form,
                            at::kCPU, at::kDouble)
            .value();
    const at::Tensor k = randomTensor({2, 7, config.headDim}, 10).to(at::kDouble);
    test::expectGradients(keys.parameters(), [&] {
        keys.prepare();
        return keys.applyToKeys(k).pow(3).sum() + keys.applyToQueries(k).sin().sum();
    });
}

// The scale of a pair commutes with RoPE; one that differs inside the pair does not.
TEST(PairScale, CommutesWithRopeAndOthersDoNot) {
    const ModelConfig config = smallConfig();
    const Rope rope = Rope::create(config, kTokens, at::kCPU);
    const std::int64_t half = config.headDim / 2;
    const auto rotate = [&](const at::Tensor& x) {
        const at::Tensor turned = at::cat({-x.narrow(-1, half, half), x.narrow(-1, 0, half)}, -1);
        return x * rope.cosine + turned * rope.sine;
    };
    const at::Tensor x = randomTensor({kTokens, config.headDim}, 12);
    const at::Tensor pair = randomTensor({half}, 13).exp();
    const at::Tensor tied = at::cat({pair, pair});
    EXPECT_LT(relativeError(rotate(x * tied), rotate(x) * tied), 1e-6);
    const at::Tensor free = randomTensor({config.headDim}, 14).exp();
    EXPECT_GT(relativeError(rotate(x * free), rotate(x) * free), 0.05);
}

class Learning : public ::testing::TestWithParam<LearnedForm> {
protected:
    ModelConfig m_config = smallConfig();
    Rope m_rope = Rope::create(m_config, kTokens, at::kCPU);
    Distillation m_data;
    std::uint64_t m_seed = 0;
    std::vector<BlockWeights> m_weights;
    TrainingRecipe m_recipe;
    JobContext m_context;

    /// Blocks and the rotation that they share.
    struct Model {
        ModelRotation rotation;
        std::vector<TrainableBlock> blocks;
    };

    void SetUp() override { draw(0); }

    /// Weights, data and recipe of one problem.
    void draw(std::uint64_t seed) {
        const bool scaled = GetParam() == LearnedForm::ScaledResidualRotation;
        m_seed = seed;
        m_weights = {randomBlock(m_config, seed + 1), randomBlock(m_config, seed + 2)};
        m_recipe.endToEndSteps = 12;
        m_recipe.batch = 2;
        m_recipe.rate = 2e-2;
        m_recipe.endToEndRate = scaled ? 0.5 : 1.5;
        m_recipe.loss = scaled ? LogitLoss::KlTop : LogitLoss::CrossEntropy;
        m_data.embedding = randomTensor({50, m_config.hiddenSize}, seed + 4) *
                           at::exp(randomTensor({m_config.hiddenSize}, seed + 6) * 0.7);
        m_data.head = randomTensor({50, m_config.hiddenSize}, seed + 5) * 0.3;
        m_data.finalNorm = at::ones({m_config.hiddenSize});
        m_data.normEpsilon = m_config.normEpsilon;
        at::manual_seed(seed + 3);
        m_data.tokens = at::randint(50, {kSequences, kTokens}, at::kLong);
        // Texts that the full model would write, so that cross-entropy has something to learn.
        for (std::int64_t token = 0; token < kTokens; ++token) {
            at::Tensor x = at::embedding(m_data.embedding, m_data.tokens);
            BlockHooks none;
            for (const BlockWeights& weights : m_weights)
                x = forwardBlock(m_config, weights, m_rope, x, none);
            m_data.teacherHidden = x;
            if (token + 1 == kTokens) break;
            const at::Tensor last = rmsNorm(x.select(1, token), m_data.finalNorm, m_data.normEpsilon);
            m_data.tokens.select(1, token + 1).copy_(at::matmul(last, m_data.head.t()).argmax(-1));
        }
    }

    Model model() {
        Model model{{nearIdentity(m_config.hiddenSize, m_seed + 5), GetParam()}, {}};
        const bool scaled = GetParam() == LearnedForm::ScaledResidualRotation;
        for (const BlockWeights& weights : m_weights)
            model.blocks.emplace_back(
                m_config, weights,
                startOf(m_config, weights, parseScheme("W16A3KV4").value(), model.rotation.residual, scaled));
        return model;
    }

    Result<EndToEndTraining> train(Model& model, const EndToEndState& from,
                                   const std::function<Status(const EndToEndState&)>& save) {
        return trainEndToEnd(
            model.blocks, m_data, m_rope, m_recipe, from, {6, save}, m_context, [](double) {},
            model.rotation);
    }
};

// Against the full model's logits: cross-entropy on its own texts is mostly their entropy, which nobody
// lowers.
TEST_P(Learning, LowersTheLoss) {
    const test::Mean change = test::meanOverProblems([this](std::uint64_t seed) {
        draw(seed);
        m_recipe.endToEndSteps = 40;
        m_recipe.batch = kSequences;
        if (m_recipe.loss == LogitLoss::CrossEntropy) m_recipe.loss = LogitLoss::Kl;
        Model learned = model();
        const auto training = train(learned, {}, [](const EndToEndState&) { return Status{}; });
        return test::lossChange(training.value().losses);
    });
    EXPECT_TRUE(change.isBelowZero()) << change;
}

TEST_P(Learning, KeepsRotationsOrthogonal) {
    Model learned = model();
    ASSERT_TRUE(train(learned, {}, [](const EndToEndState&) { return Status{}; }));
    EXPECT_LT(orthogonalityError(learned.rotation.residual), kOrthogonal);
    EXPECT_GT(largestDifference(learned.rotation.residual, model().rotation.residual), 1e-3);
    for (const TrainableBlock& block : learned.blocks)
        for (const at::Tensor& rotation : block.rotationParameters()) {
            EXPECT_EQ(rotation.scalar_type(), at::kDouble);
            for (const at::Tensor& matrix :
                 rotation.reshape({-1, m_config.headDim, m_config.headDim}).unbind())
                EXPECT_LT(orthogonalityError(matrix), kOrthogonal);
        }
}

TEST_P(Learning, GoesOnAfterAnInterruptionWithTheSameBits) {
    Model once = model();
    EndToEndState middle;
    ASSERT_TRUE(train(once, {}, [&](const EndToEndState& state) {
        if (state.step == 6) middle = state;
        return Status{};
    }));
    ASSERT_EQ(middle.step, 6);
    Model resumed = model();
    ASSERT_TRUE(train(resumed, middle, [](const EndToEndState&) { return Status{}; }));
    EXPECT_TRUE(at::equal(once.rotation.residual, resumed.rotation.residual));
    for (std::size_t i = 0; i < once.blocks.size(); ++i)
        for (const auto& [name, tensor] : once.blocks[i].state())
            EXPECT_TRUE(at::equal(tensor, resumed.blocks[i].state().at(name)))
                << "block " << i << ", " << name;
    middle.shared.clear();
    const auto refused = train(resumed, middle, [](const EndToEndState&) { return Status{}; });
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text().find("residual"), std::string::npos) << refused.error().text();
}

INSTANTIATE_TEST_SUITE_P(SpinQuantAndOstQuant, Learning,
                         ::testing::Values(LearnedForm::ResidualRotation,
                                           LearnedForm::ScaledResidualRotation));

} // namespace
} // namespace bdq::train
