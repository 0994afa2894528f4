#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include "engine/io/tensor_file.h"
#include "engine/pipeline/layer_checkpoint.h"
#include "engine/transform/build_transform.h"
#include "tests/engine/model/random_block.h"

namespace bdq {
namespace {

class Checkpoint : public ::testing::Test {
protected:
    void SetUp() override {
        for (Site site : kLinearSites) {
            QuantizedSite& quantized = m_checkpoint.block.at(site);
            const std::int64_t n = m_weights.at(site).size(1);
            transform::TransformParts parts;
            parts.diagonal = at::exp(testing::randomTensor({n}, 3));
            parts.hadamard = true;
            parts.hadamardSeed = 0xFFFFFFFFFFFFFFF0ULL + static_cast<std::uint64_t>(site);
            quantized.siteTransform = transform::SiteTransform::create(n, parts).value();
            quantized.activation = {4, true, 0};
            const at::Tensor weight = quantized.siteTransform.applyToWeight(m_weights.at(site));
            if (site == Site::O)
                quantized.fullWeight = weight;
            else
                quantized.weight =
                    quant::roundWeights(weight, {3, site != Site::Down, 16}, WeightRounding::Rtn).value();
        }
        m_checkpoint.block.keys = {4, false, 0};
        m_checkpoint.block.keyRotationSeed = 77;
        m_checkpoint.block.keyRotation = transform::HeadRotation::create(m_config.headDim, 77).value();
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
