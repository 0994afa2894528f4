#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include "engine/io/tensor_file.h"
#include "engine/pipeline/host_tensor.h"
#include "engine/pipeline/layer_checkpoint.h"
#include "engine/transform/build_transform.h"
#include "tests/engine/model/random_block.h"

namespace bdq {
namespace {

class Checkpoint : public ::testing::Test {
protected:
    void SetUp() override {
        testing::addRelatives(m_weights, m_config, 7);
        for (Site site : kLinearSites) {
            QuantizedSite& quantized = m_checkpoint.block.at(site);
            const std::int64_t n = m_weights.at(site).size(1);
            transform::TransformParts parts;
            parts.diagonal = at::exp(testing::randomTensor({n}, 3));
            parts.hadamard = true;
            parts.hadamardSeed = 0xFFFFFFFFFFFFFFF0ULL + static_cast<std::uint64_t>(site);
            if (site == Site::GateUp) {
                parts.kroneckerLeft = testing::randomTensor({2, 2}, 5);
                parts.kroneckerRight = testing::randomTensor({n / 2, n / 2}, 6);
            }
            if (site == Site::Qkv) {
                parts.permutation = testing::randomTensor({n}, 8).argsort();
                parts.secondBlocks = at::eye(n / 2).expand({2, n / 2, n / 2}) +
                                     0.1 * testing::randomTensor({2, n / 2, n / 2}, 12);
                parts.secondBlockSize = n / 2;
            }
            quantized.siteTransform = transform::SiteTransform::create(n, parts).value();
            quantized.activation = {4, true, 0};
            quantized.bias = m_weights.biasAt(site);
            if (site == Site::Down) quantized.clip = {0.75F, 0.5F};
            const at::Tensor weight = quantized.siteTransform.applyToWeight(m_weights.at(site));
            if (site == Site::O)
                quantized.fullWeight = weight;
            else
                quantized.weight =
                    quant::roundWeights(weight, {3, site != Site::Down, 16}, WeightRounding::Rtn).value();
        }
        m_checkpoint.block.keys = {4, false, 0};
        m_checkpoint.block.keyRotation = transform::HeadRotation::create(m_config.headDim, 77).value();
        m_checkpoint.block.valueClip = {0.9F, 1};
        m_checkpoint.rows.push_back({{5, Site::Down}, "W3A4", 12.5, 0.25, 0.5, 0.125, 0.5, 0.25});
    }
    void TearDown() override { std::filesystem::remove(m_path); }

    ModelConfig m_config = testing::smallConfig();
    BlockWeights m_weights = testing::randomBlock(m_config, 9);
    LayerCheckpoint m_checkpoint;
    std::filesystem::path m_path = std::filesystem::path(::testing::TempDir()) / "bdq-layer.safetensors";
};

TEST_F(Checkpoint, ALayerReadBackComputesTheSameBits) {
    ASSERT_TRUE(writeLayerCheckpoint(m_path, m_checkpoint));
    auto read = readLayerCheckpoint(m_path, m_config);
    ASSERT_TRUE(read) << read.error().text();
    ASSERT_EQ(read->rows.size(), 1U);
    EXPECT_EQ(read->rows[0].scheme, "W3A4");
    EXPECT_EQ(read->rows[0].sqnrDb, 12.5);
    const at::Tensor x = testing::randomTensor({1, 20, m_config.hiddenSize}, 4);
    const Rope rope = Rope::create(m_config, 20, at::kCPU);
    const at::Tensor before = makeQuantizedLayer(m_config, m_weights, m_checkpoint.block)->forward(x, rope);
    const at::Tensor after = makeQuantizedLayer(m_config, m_weights, read->block)->forward(x, rope);
    EXPECT_TRUE(at::equal(before, after));
}

TEST_F(Checkpoint, PermutationAndSecondBlocksAreReadBack) {
    ASSERT_TRUE(writeLayerCheckpoint(m_path, m_checkpoint));
    const auto read = readLayerCheckpoint(m_path, m_config);
    ASSERT_TRUE(read) << read.error().text();
    const transform::TransformParts expected = m_checkpoint.block.at(Site::Qkv).siteTransform.parts();
    const transform::TransformParts found = read->block.at(Site::Qkv).siteTransform.parts();
    ASSERT_TRUE(found.permutation.defined() && found.secondBlocks.defined());
    EXPECT_TRUE(at::equal(found.permutation, expected.permutation));
    EXPECT_TRUE(at::equal(found.secondBlocks, expected.secondBlocks));
    EXPECT_EQ(found.secondBlockSize, expected.secondBlockSize);
    EXPECT_FALSE(read->block.at(Site::O).siteTransform.parts().permutation.defined());
}

TEST_F(Checkpoint, ALearnedKeyMatrixIsReadBack) {
    const at::Tensor matrix = testing::randomTensor({m_config.headDim, m_config.headDim}, 8);
    m_checkpoint.block.keyRotation = transform::HeadRotation::fromMatrix(matrix).value();
    ASSERT_TRUE(writeLayerCheckpoint(m_path, m_checkpoint));
    const auto read = readLayerCheckpoint(m_path, m_config);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_TRUE(at::equal(read->block.keyRotation->matrix(), matrix.to(at::kDouble)));
    EXPECT_TRUE(at::equal(read->block.keyRotation->inverseTransposed(),
                          m_checkpoint.block.keyRotation->inverseTransposed()));
}

TEST_F(Checkpoint, AFileWithTheSeedAloneIsRead) {
    ASSERT_TRUE(writeLayerCheckpoint(m_path, m_checkpoint));
    auto file = io::readTensorFile(m_path).value();
    ASSERT_EQ(file.tensors.erase("key_rotation.matrix"), 1U);
    file.metadata["key_rotation_seed"] = "77";
    ASSERT_TRUE(io::writeTensorFile(m_path, file));
    const auto read = readLayerCheckpoint(m_path, m_config);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_TRUE(at::equal(read->block.keyRotation->matrix(), m_checkpoint.block.keyRotation->matrix()));
}

TEST_F(Checkpoint, ClippingIsReadBackAndApplied) {
    ASSERT_TRUE(writeLayerCheckpoint(m_path, m_checkpoint));
    const auto read = readLayerCheckpoint(m_path, m_config);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->block.at(Site::Down).clip.high, 0.75F);
    EXPECT_EQ(read->block.at(Site::Down).clip.low, 0.5F);
    EXPECT_EQ(read->block.at(Site::Qkv).clip.high, 1.0F);
    EXPECT_EQ(read->block.keyClip.low, 1.0F);
    EXPECT_EQ(read->block.valueClip.high, 0.9F);
    // Each of them changes what the layer computes.
    const at::Tensor x = testing::randomTensor({1, 20, m_config.hiddenSize}, 4);
    const Rope rope = Rope::create(m_config, 20, at::kCPU);
    const auto output = [&](const QuantizedBlock& block) {
        return makeQuantizedLayer(m_config, m_weights, block)->forward(x, rope);
    };
    const at::Tensor clipped = output(m_checkpoint.block);
    QuantizedBlock changed = m_checkpoint.block;
    changed.at(Site::Down).clip = {};
    EXPECT_FALSE(at::equal(output(changed), clipped));
    changed = m_checkpoint.block;
    changed.keyClip = {0.5F, 0.5F};
    EXPECT_FALSE(at::equal(output(changed), clipped));
    changed = m_checkpoint.block;
    changed.values = changed.keys;
    const at::Tensor quantizedValues = output(changed);
    changed.valueClip = {};
    EXPECT_FALSE(at::equal(output(changed), quantizedValues));
}

TEST_F(Checkpoint, AFileThatDoesNotFitIsRefused) {
    ASSERT_TRUE(writeLayerCheckpoint(m_path, m_checkpoint));
    const std::vector<std::function<void(io::TensorFile&)>> damages{
        [](io::TensorFile& f) { f.tensors.erase("qkv.codes"); },
        [](io::TensorFile& f) { f.tensors.erase("qkv.scales"); },
        [](io::TensorFile& f) { f.tensors["down.codes"] = f.tensors["qkv.codes"]; },
        [](io::TensorFile& f) { f.tensors["gate_up.codes"].type = io::HostTensor::Type::U8; },
        [](io::TensorFile& f) {
            f.tensors.erase("down.diagonal");
            f.tensors["down.diagonal"] = f.tensors["qkv.diagonal"];
        },
        [](io::TensorFile& f) { f.metadata["qkv.scheme"] = "W9A4"; },
        [](io::TensorFile& f) { f.metadata["qkv.hadamard_seed"] = "12x"; },
        [](io::TensorFile& f) { f.metadata.erase("k_cache.scheme"); },
        [](io::TensorFile& f) { f.metadata["row.0"] = "{"; },
        [](io::TensorFile& f) { f.metadata["rows"] = "2"; },
        [](io::TensorFile& f) {
            f.metadata["rows"] = "7"; // more than there are sites
            for (int row = 1; row < 7; ++row)
                f.metadata["row." + std::to_string(row)] = f.metadata["row.0"];
        },
        [](io::TensorFile& f) { f.tensors["qkv.codes"].bytes[0] = std::byte{100}; },
        [](io::TensorFile& f) { f.tensors.erase("gate_up.kronecker_left"); },
        [](io::TensorFile& f) { f.metadata.erase("qkv.second_block_size"); },
        [](io::TensorFile& f) { f.metadata["qkv.second_block_size"] = "0"; },
        [](io::TensorFile& f) { f.metadata["qkv.second_block_size"] = "5"; },
        [](io::TensorFile& f) { f.tensors["qkv.permutation"].type = io::HostTensor::Type::F32; },
        [](io::TensorFile& f) { f.tensors["qkv.permutation"].bytes[0] ^= std::byte{1}; },
        [](io::TensorFile& f) { f.tensors["qkv.permutation"] = toHostTensor(at::zeros({3}, at::kInt)); },
        [](io::TensorFile& f) { f.tensors["gate_up.kronecker_left"] = f.tensors["gate_up.kronecker_right"]; },
        [](io::TensorFile& f) { f.tensors["down.clip"] = f.tensors["down.diagonal"]; },
        [](io::TensorFile& f) {
            f.tensors["down.clip"] = toHostTensor(at::tensor({0.5F, 1.5F}));
        },
        [](io::TensorFile& f) {
            f.tensors["v_cache.clip"] = toHostTensor(at::tensor({NAN, 1.0F}));
        },
        [](io::TensorFile& f) { f.tensors.erase("key_rotation.matrix"); }, // and no seed either
        [](io::TensorFile& f) { f.tensors["key_rotation.matrix"] = toHostTensor(at::eye(2)); },
        [](io::TensorFile& f) {
            f.tensors["key_rotation.matrix"].bytes.assign(f.tensors["key_rotation.matrix"].bytes.size(),
                                                          std::byte{0});
        },
    };
    for (std::size_t i = 0; i < damages.size(); ++i) {
        auto file = io::readTensorFile(m_path);
        ASSERT_TRUE(file) << file.error().text();
        damages[i](*file);
        const auto path = m_path.string() + ".damaged";
        ASSERT_TRUE(io::writeTensorFile(path, *file)) << i;
        const auto read = readLayerCheckpoint(path, m_config);
        ASSERT_FALSE(read) << i;
        EXPECT_NE(read.error().text().find(path), std::string::npos) << read.error().text();
        std::filesystem::remove(path);
    }
}

} // namespace
} // namespace bdq
