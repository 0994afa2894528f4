// Layers whose residual stream is turned: from the start of training over bake and rounding to the file.
#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "engine/io/tensor_file.h"
#include "engine/pipeline/host_tensor.h"
#include "engine/pipeline/layer_checkpoint.h"
#include "engine/pipeline/layer_quantizer.h"
#include "engine/pipeline/learned_layer.h"
#include "engine/pipeline/residual_rotation.h"
#include "engine/pipeline/residual_start.h"
#include "engine/train/cayley.h"
#include "engine/train/leaves.h"
#include "engine/transform/principal_rotation.h"
#include "tests/engine/model/random_block.h"
#include "tests/engine/train/matrix_of.h"

namespace bdq {
namespace {

using testing::randomTensor;
using testing::relativeError;

constexpr std::int64_t kTokens = 32;
// fp32 products of a transform, its inverse in the weight and the layer's own.
constexpr double kLayerTolerance = 7e-5;
// The training multiplies transforms in another order than what is baked; a value at a tie of the 4-bit grid
// may then land on the other side and moves its output by a step, 7 % of its largest input: few do.
constexpr double kTies = 0.03;

class Turned : public ::testing::TestWithParam<Method> {
protected:
    ModelConfig m_config = testing::smallConfig();
    BlockWeights m_weights = testing::randomBlock(m_config, 1);
    Rope m_rope = Rope::create(m_config, kTokens, at::kCPU);
    at::Tensor m_x =
        randomTensor({2, kTokens, m_config.hiddenSize}, 2) * at::exp(randomTensor({m_config.hiddenSize}, 3));
    at::Tensor m_residual =
        train::leaf(train::randomOrthogonal(m_config.hiddenSize, 4), at::kCPU, at::kDouble);
    LayerQuantizerOptions m_options;
    ComputeDevice m_device;
    JobContext m_context;
    std::filesystem::path m_folder = std::filesystem::path(::testing::TempDir()) / "bdq-turned";

    void SetUp() override {
        testing::addRelatives(m_weights, m_config, 9);
        m_options.method = &methodInfo(GetParam());
        m_options.plan.base = parseScheme("W4A4KV4").value();
        m_options.rounding = WeightRounding::Rtn;
        std::filesystem::create_directories(m_folder);
    }
    void TearDown() override { std::filesystem::remove_all(m_folder); }

    /// The block with random scales.
    train::TrainableBlock block() {
        BlockWeights copy = m_weights;
        for (at::Tensor& weight : copy.linear)
            weight = weight.clone();
        auto made = startResidualBlock(m_config, m_options, m_options.method->presets.front().recipe, 0,
                                       std::move(copy), m_residual);
        EXPECT_TRUE(made) << made.error().text();
        train::State state = made->state();
        std::uint64_t seed = 20;
        for (auto& [name, tensor] : state)
            if (name.find("rotation") == std::string::npos)
                tensor = randomTensor(tensor.sizes(), ++seed, 0.3);
        EXPECT_TRUE(made->load(state));
        return std::move(*made);
    }

    LearnedLayer learned() { return bakeLayer(block()).value(); }

    LayerOutcome quantized(const LearnedLayer& layer) {
        const c10::NoGradGuard guard;
        LayerQuantizer quantizer(m_config, m_rope, m_options, m_device, m_context, [](double) {});
        auto outcome = quantizer.run(0, m_weights, {m_x}, {m_x}, &layer);
        EXPECT_TRUE(outcome) << outcome.error().text();
        return std::move(*outcome);
    }

    at::Tensor output(const QuantizedBlock& from) {
        const c10::NoGradGuard guard;
        return makeQuantizedLayer(m_config, m_weights, from)->forward(m_x, m_rope);
    }
};

TEST_P(Turned, BakedPartsLeaveTheLayerUnchanged) {
    const LearnedLayer layer = learned();
    QuantizedBlock plain;
    plain.keyRotation = layer.keyRotation;
    for (std::size_t i = 0; i < kLinearSites.size(); ++i) {
        QuantizedSite& site = plain.sites[i];
        site.siteTransform = layer.transforms[i];
        site.fullWeight = layer.transforms[i].applyToWeight(layer.weights.linear[i]);
        site.bias = layer.weights.bias[i];
    }
    BlockHooks none;
    EXPECT_LT(relativeError(output(plain), forwardBlock(m_config, m_weights, m_rope, m_x, none)),
              kLayerTolerance);
    EXPECT_TRUE(layer.transforms[static_cast<std::size_t>(Site::O)].isIdentity());
    EXPECT_EQ(layer.transforms[static_cast<std::size_t>(Site::Qkv)].onlineMultiplies(), 0);
    EXPECT_GT(layer.transforms[static_cast<std::size_t>(Site::Down)].onlineMultiplies(), 0);
}

TEST_P(Turned, TrainingAndRunRoundAlike) {
    train::TrainableBlock trained = block();
    at::Tensor expected;
    {
        const c10::NoGradGuard guard;
        trained.prepare();
        expected = trained.forward(m_x, m_rope);
    }
    BlockHooks none;
    const at::Tensor full = forwardBlock(m_config, m_weights, m_rope, m_x, none);
    const at::Tensor found = output(quantized(bakeLayer(trained).value()).checkpoint.block);
    EXPECT_LT(relativeError(found, expected), kTies);
    EXPECT_GT(relativeError(found, full), 2 * kTies);
}

// R Q(R^T W T): codes of o and down are those of turned rows, of qkv and gate_up those of turned columns.
TEST_P(Turned, RowsBehindTheResidualStreamAreRoundedTurned) {
    const LearnedLayer layer = learned();
    const LayerOutcome outcome = quantized(layer);
    const at::Tensor rotation = m_residual.detach().to(at::kFloat);
    for (const Site site : kLinearSites) {
        const QuantizedSite& made = outcome.checkpoint.block.at(site);
        const bool turned = site == Site::O || site == Site::Down;
        EXPECT_EQ(made.outputRotation.defined(), turned) << siteName(site);
        const at::Tensor columns =
            layer.transforms[static_cast<std::size_t>(site)].applyToWeight(layer.weights.at(site));
        const at::Tensor rows = turned ? at::matmul(rotation.t(), columns) : columns;
        const at::Tensor step = rows.abs().amax(1, true) / 7; // symmetric, 4 bits, per row
        const at::Tensor rounded = at::round(rows / step).clamp(-8, 7) * step;
        EXPECT_LT(relativeError(made.matmulWeight(), turned ? at::matmul(rotation, rounded) : rounded), kTies)
            << siteName(site);
    }
}

TEST_P(Turned, ErrorsAreMeasuredOnWhatTheLayerComputes) {
    const LayerOutcome outcome = quantized(learned());
    for (const RunSiteResult& row : outcome.checkpoint.rows) {
        // 4 bits: far from exact, far from noise. A row measured in the wrong space is below 3 dB.
        EXPECT_GT(row.sqnrDb, 5) << siteName(row.key.site);
        EXPECT_LT(row.sqnrDb, 40) << siteName(row.key.site);
    }
}

TEST_P(Turned, ALayerReadBackComputesTheSameBits) {
    for (const WeightRounding rounding : {WeightRounding::Rtn, WeightRounding::Gptq}) {
        m_options.rounding = rounding;
        const LayerOutcome outcome = quantized(learned());
        ASSERT_TRUE(writeResidualRotation(m_folder, m_residual.detach()));
        ASSERT_TRUE(writeLayerCheckpoint(m_folder / "L000.safetensors", outcome.checkpoint));
        const auto read = readLayerCheckpoint(m_folder / "L000.safetensors", m_config);
        ASSERT_TRUE(read) << read.error().text();
        EXPECT_TRUE(at::equal(output(read->block), output(outcome.checkpoint.block)));
    }
}

TEST_P(Turned, TheRotationIsKeptOnceAndMissedWhenItIsGone) {
    const LayerOutcome outcome = quantized(learned());
    const std::filesystem::path path = m_folder / "L000.safetensors";
    const std::filesystem::path rotation = m_folder / "residual_rotation.safetensors";
    ASSERT_TRUE(writeLayerCheckpoint(path, outcome.checkpoint));
    const auto missing = readLayerCheckpoint(path, m_config);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
    EXPECT_NE(missing.error().text().find(rotation.string()), std::string::npos) << missing.error().text();
    EXPECT_EQ(io::readTensorFile(path)->tensors.count("qkv.blocks"), 0U);

    const auto refused = [&](const at::Tensor& wrong) {
        EXPECT_TRUE(writeResidualRotation(m_folder, wrong));
        const auto read = readLayerCheckpoint(path, m_config);
        EXPECT_FALSE(read);
        return read ? ErrorCode::Internal : read.error().code;
    };
    EXPECT_EQ(refused(at::eye(m_config.hiddenSize + 1)), ErrorCode::ShapeMismatch);
    EXPECT_EQ(refused(at::eye(m_config.hiddenSize) * 2), ErrorCode::NonFinite);
    io::TensorFile other;
    other.tensors["rotation"] = toHostTensor(at::eye(m_config.hiddenSize, at::kDouble));
    ASSERT_TRUE(io::writeTensorFile(rotation, other));
    EXPECT_EQ(readLayerCheckpoint(path, m_config).error().code, ErrorCode::BadFormat);
}

INSTANTIATE_TEST_SUITE_P(SpinQuantAndOstQuant, Turned,
                         ::testing::Values(Method::SpinQuant, Method::OstQuant));

class Start : public ::testing::Test {
protected:
    ModelConfig m_config = testing::smallConfig();
    BlockWeights m_weights = testing::randomBlock(m_config, 1);
    at::Tensor m_residual =
        train::leaf(train::randomOrthogonal(m_config.hiddenSize, 4), at::kCPU, at::kDouble);
    LayerQuantizerOptions m_options;
    TrainingRecipe m_recipe;

    Result<train::TrainableBlock> start(Method method, const std::string& scheme) {
        m_options.method = &methodInfo(method);
        m_options.plan.base = parseScheme(scheme).value();
        BlockWeights copy = m_weights;
        for (at::Tensor& weight : copy.linear)
            weight = weight.clone();
        return startResidualBlock(m_config, m_options, m_recipe, 0, std::move(copy), m_residual);
    }
};

// R_ov: eigenvectors of o's columns of one cache head, then a Hadamard, against plain loops. The caches are
// left alone so that nothing is folded before.
TEST_F(Start, OstQuantValueHeadsStartAtTheAxesOfTheirColumns) {
    const auto block = start(Method::OstQuant, "W4A4");
    ASSERT_TRUE(block) << block.error().text();
    const at::Tensor rotation = block->state().at("values.rotation");
    const std::int64_t d = m_config.headDim;
    ASSERT_EQ(rotation.sizes(), (at::IntArrayRef{m_config.kvHeads, d, d}));
    const at::Tensor hadamard =
        transform::hadamardMatrix(d, siteSeed(m_options.seed, {0, Site::VCache})).value();
    const std::int64_t columns = m_config.heads / m_config.kvHeads * d;
    for (std::int64_t head = 0; head < m_config.kvHeads; ++head) {
        const at::Tensor rows =
            m_weights.at(Site::O).narrow(1, head * columns, columns).reshape({-1, d}).to(at::kDouble);
        const auto axes = reference::principalAxes(reference::covariance(test::matrixOf(rows)));
        // Gaussian weights: eigenvalues a few percent apart, 2^-53 over the gap, margin 1e4.
        EXPECT_LT(test::largestDifference(rotation[head].matmul(hadamard.t()), test::tensorOf(axes)), 1e-9);
    }
}

TEST_F(Start, SpinQuantValuesStartAtAHadamardOnceTheCachesFoldIsCounted) {
    const at::Tensor untouched = start(Method::SpinQuant, "W4A4")->state().at("values.rotation");
    EXPECT_LT(
        (untouched.abs() - 1 / std::sqrt(static_cast<double>(m_config.headDim))).abs().max().item<double>(),
        1e-12);
    const auto folded = start(Method::SpinQuant, "W4A4KV4");
    EXPECT_TRUE(at::equal(folded->state().at("values.rotation"), at::eye(m_config.headDim, at::kDouble)));
    const double moved = relativeError(folded->foldedWeights().at(Site::O), m_weights.at(Site::O));
    EXPECT_GT(moved, 0.5);
}

TEST_F(Start, WeightsAreRoundedInTheTrainingUnlessGptqFollows) {
    const auto distance = [&](WeightRounding rounding) {
        m_options.rounding = rounding;
        auto block = start(Method::SpinQuant, "W4A4");
        const c10::NoGradGuard guard;
        block->prepare();
        const at::Tensor plain =
            block->site(Site::GateUp)->applyToWeight(block->foldedWeights().at(Site::GateUp));
        return relativeError(block->preparedWeight(Site::GateUp), plain);
    };
    EXPECT_EQ(distance(WeightRounding::Gptq), 0);
    EXPECT_GT(distance(WeightRounding::Rtn), 1e-2);
}

TEST_F(Start, ASwitchedOffChannelStaysOff) {
    m_weights.attentionNorm[3] = 0;
    auto block = start(Method::SpinQuant, "W4A4");
    ASSERT_TRUE(block) << block.error().text();
    const c10::NoGradGuard guard;
    block->prepare();
    EXPECT_TRUE(at::isfinite(block->preparedWeight(Site::Qkv)).all().item<bool>());
}

TEST_F(Start, WhatIsNotQuantizedKeepsItsPlainForm) {
    const auto block = start(Method::OstQuant, "W16A16");
    ASSERT_TRUE(block) << block.error().text();
    EXPECT_TRUE(block->state().empty());
}

TEST_F(Start, LearnedRoundingIsRefused) {
    m_recipe.learnRounding = true;
    const auto refused = start(Method::SpinQuant, "W4A4");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidSpec);
}

} // namespace
} // namespace bdq
