// With quantizers off, a transformed model computes what the original computes.
#include <filesystem>

#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include "engine/calibration/token_source.h"
#include "engine/pipeline/block_capture.h"
#include "engine/pipeline/quantized_layer.h"
#include "engine/pipeline/site_analyzer.h"
#include "engine/transform/build_transform.h"
#include "tests/engine/model/random_block.h"

namespace bdq {
namespace {

// Each layer adds fp32 rounding of relative size sqrt(n) 2^-24 per matmul for the transform, its inverse in
// the weight and the product itself: about 3 sqrt(1536) 6e-8 = 7e-6, and the spread between channels of d
// amplifies it up to tenfold.
constexpr double kLayerTolerance = 7e-5;
// Up to 30 such errors add up like a random walk: sqrt(30) times one.
constexpr double kModelTolerance = 4e-4;

constexpr int kTransformedLayers = 4; // every fourth

BlockWeights copyOf(const BlockWeights& weights) {
    BlockWeights copy = weights;
    for (Site site : kLinearSites)
        copy.at(site) = weights.at(site).clone();
    return copy;
}

/// The block with transform `kind` at every site, K and V rotated, nothing quantized.
std::unique_ptr<Layer> transformedLayer(const ModelConfig& config, BlockWeights weights,
                                        const SiteInputs& inputs, TransformKind kind, int layer) {
    QuantizedBlock block;
    const auto rotation = transform::HeadRotation::create(config.headDim, 11).value();
    block.keyRotation = rotation;
    const std::int64_t cacheRows = config.kvHeads * config.headDim;
    at::Tensor values = weights.at(Site::Qkv).narrow(0, weights.at(Site::Qkv).size(0) - cacheRows, cacheRows);
    at::Tensor& bias = weights.biasAt(Site::Qkv);
    const std::int64_t others = weights.at(Site::Qkv).size(0) - cacheRows;
    const at::Tensor valueBias = bias.defined() ? bias.narrow(0, others, cacheRows) : at::Tensor();
    const auto folded = transform::foldValueRotation(values, weights.at(Site::O), valueBias, rotation,
                                                     config.heads, config.kvHeads)
                            .value();
    values.copy_(folded.valueWeight);
    weights.at(Site::O) = folded.outputWeight;
    if (bias.defined()) bias = at::cat({bias.narrow(0, 0, others), folded.valueBias});
    for (Site site : kLinearSites) {
        InputStatistics statistics(transform::momentNeeds(kind));
        statistics.add(inputs[static_cast<std::size_t>(site)]);
        std::vector<std::string> notes;
        QuantizedSite& quantized = block.at(site);
        quantized.siteTransform = transform::buildTransform(kind, statistics.moments(), weights.at(site),
                                                            siteSeed(5, {layer, site}), notes)
                                      .value();
        quantized.fullWeight = quantized.siteTransform.applyToWeight(weights.at(site));
        quantized.bias = weights.biasAt(site);
    }
    return makeQuantizedLayer(config, weights, std::move(block));
}

class EveryTransform : public ::testing::TestWithParam<TransformInfo> {};

TEST_P(EveryTransform, LeavesARandomBlockUnchanged) {
    const ModelConfig config = testing::smallConfig();
    BlockWeights weights = testing::randomBlock(config, 1);
    testing::addRelatives(weights, config, 9);
    const at::Tensor x = testing::randomTensor({2, 40, config.hiddenSize}, 2) *
                         at::exp(testing::randomTensor({config.hiddenSize}, 3));
    const Rope rope = Rope::create(config, 40, at::kCPU);
    CaptureHooks capture;
    const at::Tensor expected = forwardBlock(config, weights, rope, x, capture);
    const auto layer = transformedLayer(config, copyOf(weights), capture.inputs(), GetParam().kind, 0);
    EXPECT_LT(testing::relativeError(layer->forward(x, rope), expected), kLayerTolerance);
}

TEST_P(EveryTransform, LeavesTheLogitsOfTheDemoModelUnchanged) {
    const char* source = std::getenv("BDQ_SOURCE_DIR");
    const auto path = std::filesystem::path(source != nullptr ? source : ".") /
                      "build/models/SmolLM2-135M-Instruct.Q4_1.gguf";
    if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is missing";
    const c10::InferenceMode guard;
    const auto weights = ModelWeights::open(path.string());
    ASSERT_TRUE(weights) << weights.error().text();
    const ModelConfig& config = weights->config();
    const at::Tensor ids = at::arange(96).mul(499).remainder(config.vocabSize).unsqueeze(0);
    const Rope rope = Rope::create(config, ids.size(1), at::kCPU);
    const at::Tensor embedding = weights->embedding(at::kCPU).value();
    at::Tensor full = at::embedding(embedding, ids);
    at::Tensor transformed = full;
    for (int layer = 0; layer < config.layers; ++layer) {
        const BlockWeights block = weights->block(layer, at::kCPU).value();
        CaptureHooks capture;
        const at::Tensor next = forwardBlock(config, block, rope, full, capture);
        // The other layers carry the difference on; transforming all of them would take minutes.
        if (layer % kTransformedLayers == 0 || layer + 1 == config.layers) {
            transformed = transformedLayer(config, copyOf(block), capture.inputs(), GetParam().kind, layer)
                              ->forward(transformed, rope);
        } else {
            BlockHooks none;
            transformed = forwardBlock(config, block, rope, transformed, none);
        }
        full = next;
    }
    const at::Tensor norm = weights->finalNorm(at::kCPU).value();
    const auto logits = [&](const at::Tensor& x) {
        return at::linear(rmsNorm(x, norm, config.normEpsilon), embedding);
    };
    EXPECT_LT(testing::relativeError(logits(transformed), logits(full)), kModelTolerance);
}

std::string testName(const ::testing::TestParamInfo<TransformInfo>& info) {
    std::string name(info.param.id);
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

/// Those of one site. FlatQuant's is its start; forms learned on the whole model have tests of their own.
std::vector<TransformInfo> siteTransforms() {
    const auto closed = closedFormTransforms();
    std::vector<TransformInfo> infos(closed.begin(), closed.end());
    infos.push_back(transformInfo(TransformKind::FlatQuant));
    return infos;
}

INSTANTIATE_TEST_SUITE_P(Transforms, EveryTransform, ::testing::ValuesIn(siteTransforms()), testName);

TEST(EveryMethod, StartsAtATransformThatIsTestedHere) {
    const std::vector<TransformInfo> tested = siteTransforms();
    for (const MethodInfo& method : methodTable())
        for (const PresetInfo& preset : method.presets)
            EXPECT_TRUE(std::any_of(tested.begin(), tested.end(),
                                    [&](const TransformInfo& info) { return info.kind == preset.start; }))
                << method.id << " " << presetName(preset.preset);
}

} // namespace
} // namespace bdq
