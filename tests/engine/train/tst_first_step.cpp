// The first training step of BDQ and of FlatQuant against a plain implementation in doubles: output, gradient
// of every parameter, and the parameters after one update.
#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "engine/train/block_trainer.h"
#include "tests/engine/model/plain_quantized_block.h"
#include "tests/engine/model/random_block.h"

namespace bdq::train {
namespace {

using reference::Index;
using reference::MatrixXd;
using reference::Parameters;
using testing::matrixOf;
using testing::randomTensor;
using testing::valuesOf;

// Sums of some thousand fp64 products in another order.
constexpr double kSameFunction = 1e-10;
constexpr double kStep = 1e-5;
// Central differences: kStep^2 times a third derivative relative to the gradient (seen: some hundred, through
// the softmax and the divisions by quantizer steps), and 1e-16 / kStep of the loss, which is 1.
constexpr double kGradient = 1e-6;

constexpr std::int64_t kTokens = 6;
constexpr std::int64_t kSequences = 2;
constexpr std::int64_t kBlockSize = 4;
constexpr const char* kScheme = "W3A3KV3";

ModelConfig tinyConfig() {
    ModelConfig config = testing::smallConfig();
    config.hiddenSize = 8;
    config.intermediateSize = 12;
    config.heads = 2;
    config.kvHeads = 1;
    config.headDim = 4;
    return config;
}

Parameters parametersOf(const TrainableBlock& block) {
    Parameters parameters;
    for (const auto& [name, tensor] : block.state())
        parameters[name] = valuesOf(tensor);
    return parameters;
}

/// Names of transformParameters() and then clippingParameters(): sites, keys, values, each in the order of
/// its names; clipping of activations and caches, then of weights.
std::vector<std::string> namesInOrder(const Parameters& parameters) {
    std::vector<std::string> names;
    for (const std::string prefix : {"qkv.", "o.", "gate_up.", "down.", "keys.", "values."})
        for (const auto& [name, values] : parameters)
            if (name.starts_with(prefix)) names.push_back(name);
    for (const std::string part :
         {"qkv.activation", "o.activation", "gate_up.activation", "down.activation", "k_cache", "v_cache",
          "qkv.weight", "o.weight", "gate_up.weight", "down.weight"})
        names.push_back("clips." + part);
    return names;
}

/// Moves every parameter off its start, where gradients may be zero by symmetry.
void shake(TrainableBlock& block) {
    State state = block.state();
    std::uint64_t seed = 300;
    for (auto& [name, tensor] : state)
        tensor = tensor + 0.1 * randomTensor(tensor.sizes(), ++seed).to(at::kDouble);
    ASSERT_TRUE(block.load(state));
}

class FirstStep : public ::testing::TestWithParam<bool> {
protected:
    void SetUp() override {
        for (std::size_t i = 0; i < kLinearSites.size(); ++i)
            setSite(i);
        setHeads();
        m_plain.logDiagonal = !flatQuant();
        BlockHooks none;
        m_targets = forwardBlock(m_config, m_weights, m_rope, m_inputs, none);
    }

    static bool flatQuant() { return GetParam(); }

    /// As engine/pipeline/layer_trainer starts the site.
    void setSite(std::size_t i) {
        const std::int64_t n = m_weights.linear[i].size(1);
        m_start.schemes[i] = m_scheme;
        SiteParameterisation form;
        form.seed = 40 + i;
        transform::TransformParts parts;
        parts.diagonal = at::exp(0.3 * randomTensor({n}, 60 + i)).to(at::kDouble);
        const at::Tensor one = at::eye(n, at::kDouble);
        at::Tensor constant = one;
        at::Tensor start = one;
        if (flatQuant()) {
            form.rotation = Rotation::Kronecker;
            form.logDiagonal = false;
            if (kLinearSites[i] == Site::O) {
                form.learnDiagonal = false;
                form.kroneckerLeft = m_config.heads;
                form.learnKroneckerRight = false;
                parts.diagonal = at::Tensor();
            }
        } else {
            parts.hadamard = true;
            parts.hadamardSeed = 70 + i;
            transform::TransformParts hadamard;
            hadamard.hadamard = true;
            hadamard.hadamardSeed = parts.hadamardSeed;
            constant = transform::SiteTransform::create(n, hadamard)->applyToActivations(one);
            // Orthogonal and exact in fp32, which closed forms are kept in.
            std::vector<at::Tensor> blocks;
            for (std::int64_t first = 0; first < n; first += kBlockSize) {
                const at::Tensor h =
                    at::tensor({1., 1., 1., 1., 1., -1., 1., -1., 1., 1., -1., -1., 1., -1., -1., 1.},
                               at::kDouble)
                        .view({4, 4}) /
                    2;
                blocks.push_back(h.roll(first / kBlockSize, 0));
            }
            parts.blocks = at::stack(blocks);
            parts.blockSize = kBlockSize;
            start = at::block_diag(blocks);
        }
        const auto closedForm = transform::SiteTransform::create(n, parts).value();
        m_start.sites[i] = LearnedSite::create(n, closedForm, form, at::kCPU, at::kDouble).value();
        m_plain.constant[i] = matrixOf(constant);
        m_plain.start[i] = matrixOf(start);
    }

    void setHeads() {
        m_start.keyScheme = m_start.valueScheme = m_scheme.kv;
        const auto rotation = transform::HeadRotation::create(m_config.headDim, 11).value();
        const auto start = flatQuant() ? std::nullopt : std::optional(rotation);
        m_start.keys =
            LearnedHead::create(m_config.headDim, start, {flatQuant(), 8}, at::kCPU, at::kDouble).value();
        m_start.values =
            LearnedHead::create(m_config.headDim, std::nullopt, {flatQuant(), 9}, at::kCPU, at::kDouble)
                .value();
    }

    TrainableBlock block() {
        TrainableBlock made(m_config, m_weights, m_start);
        shake(made);
        return made;
    }

    [[nodiscard]] double plainLoss(const Parameters& parameters, reference::Decisions& decisions) const {
        double sum = 0;
        for (std::int64_t i = 0; i < kSequences; ++i)
            sum += (m_plain.forward(matrixOf(m_inputs[i]), parameters, decisions) - matrixOf(m_targets[i]))
                       .squaredNorm();
        return sum / static_cast<double>(m_inputs.numel());
    }

    /// Loss, and gradient of the loss over its own value: what a step descends along.
    double plainGradient(const Parameters& parameters, Parameters& gradient) const {
        reference::Decisions decisions;
        const double loss = plainLoss(parameters, decisions);
        gradient = reference::numericGradient(parameters, kStep, [&](const Parameters& moved) {
            decisions.replay();
            return plainLoss(moved, decisions) / loss;
        });
        return loss;
    }

    ModelConfig m_config = tinyConfig();
    Scheme m_scheme = parseScheme(kScheme).value();
    BlockWeights m_weights = testing::randomBlock(m_config, 1).to(at::kCPU, at::kDouble);
    Rope m_rope = Rope::create(m_config, kTokens, at::kCPU);
    at::Tensor m_inputs = (randomTensor({kSequences, kTokens, m_config.hiddenSize}, 2) *
                           at::exp(randomTensor({m_config.hiddenSize}, 3)))
                              .to(at::kDouble);
    at::Tensor m_targets;
    BlockStart m_start;
    reference::PlainBlock m_plain = testing::plainBlock(m_config, m_weights, m_scheme);
};

TEST_P(FirstStep, OutputIsThatOfTheDefinition) {
    TrainableBlock block = this->block();
    block.prepare();
    const at::Tensor found = block.forward(m_inputs, m_rope).detach();
    const Parameters parameters = parametersOf(block);
    for (std::int64_t i = 0; i < kSequences; ++i) {
        reference::Decisions decisions;
        const MatrixXd expected = m_plain.forward(matrixOf(m_inputs[i]), parameters, decisions);
        EXPECT_LT((matrixOf(found[i]) - expected).norm() / expected.norm(), kSameFunction);
    }
    // Three bits leave their mark, so that the quantizers are what is compared.
    EXPECT_GT(testing::relativeError(found, m_targets), 0.02);
}

TEST_P(FirstStep, GradientsAreThoseOfTheDefinition) {
    TrainableBlock block = this->block();
    block.prepare();
    const at::Tensor loss = at::mse_loss(block.forward(m_inputs, m_rope), m_targets);
    (loss / loss.detach()).backward();
    Parameters expected;
    EXPECT_NEAR(loss.item<double>(), plainGradient(parametersOf(block), expected), kSameFunction);
    const std::vector<std::string> names = namesInOrder(expected);
    std::vector<at::Tensor> leaves = block.transformParameters();
    for (const at::Tensor& clip : block.clippingParameters())
        leaves.push_back(clip);
    ASSERT_EQ(leaves.size(), names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
        const reference::Values found = valuesOf(leaves[i].grad());
        const reference::Values& wanted = expected.at(names[i]);
        ASSERT_EQ(found.size(), wanted.size()) << names[i];
        for (std::size_t k = 0; k < found.size(); ++k)
            EXPECT_NEAR(found[k], wanted[k], kGradient) << names[i] << "[" << k << "]";
    }
}

TEST_P(FirstStep, UpdateIsAdamsAlongTheGradient) {
    TrainableBlock block = this->block();
    const Parameters before = parametersOf(block);
    Parameters gradient;
    const double loss = plainGradient(before, gradient);
    TrainingRecipe recipe;
    recipe.epochs = 1;
    recipe.batch = kSequences;
    recipe.weightDecay = flatQuant() ? 0.01 : 0;
    const JobContext context;
    const auto training = trainBlock(block, {m_inputs, m_targets}, m_rope, recipe, context, [](double) {});
    ASSERT_TRUE(training) << training.error().text();
    ASSERT_EQ(training->losses.size(), 1U);
    EXPECT_NEAR(training->losses.front(), loss, kSameFunction * loss);
    for (const auto& [name, values] : parametersOf(block)) {
        const double rate = name.starts_with("clips.") ? recipe.clippingRate : recipe.rate;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double start = before.at(name)[i];
            const double g = gradient.at(name)[i];
            // AdamW (arXiv 1711.05101, Algorithm 2) at its first step: both moments are corrected to g and
            // g^2.
            const double expected =
                start - rate * recipe.weightDecay * start - rate * g / (std::abs(g) + 1e-8);
            // An error e of g moves g / (|g| + eps) by at most 2 e / (|g| + eps).
            const double tolerance = rate * std::min(2.0, 2 * kGradient / (std::abs(g) + 1e-8)) + 1e-12;
            EXPECT_NEAR(values[i], expected, tolerance) << name << "[" << i << "], gradient " << g;
        }
    }
}

// What a run bakes: after an update, and after load(), without a forward pass in between.
TEST_P(FirstStep, FoldedWeightsAreThoseOfTheParametersAsTheyAre) {
    TrainableBlock block = this->block();
    reference::PlainBlock plain = m_plain;
    plain.weightQuantizers.fill({});
    const auto expectFolded = [&] {
        const Parameters parameters = parametersOf(block);
        const BlockWeights folded = block.foldedWeights();
        for (std::size_t i = 0; i < kLinearSites.size(); ++i) {
            reference::Decisions none;
            const MatrixXd expected = plain.weight(i, parameters, none);
            const MatrixXd found =
                matrixOf(folded.linear[i]) * plain.transform(i, parameters).inverse().transpose();
            EXPECT_LT((found - expected).norm() / expected.norm(), kSameFunction) << reference::kSiteNames[i];
        }
    };
    expectFolded();
    TrainingRecipe recipe;
    recipe.epochs = 1;
    const JobContext context;
    ASSERT_TRUE(trainBlock(block, {m_inputs, m_targets}, m_rope, recipe, context, [](double) {}));
    expectFolded();
}

INSTANTIATE_TEST_SUITE_P(Methods, FirstStep, ::testing::Bool(),
                         [](const auto& method) { return std::string(method.param ? "FlatQuant" : "Bdq"); });

} // namespace
} // namespace bdq::train
