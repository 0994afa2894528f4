#include <gtest/gtest.h>

#include "engine/io/tensor_file.h"
#include "engine/model/weights.h"
#include "tests/e2e/e2e_support.h"
#include "tests/e2e/tiny_model.h"

namespace bdq {
namespace {

class Weights : public ::testing::Test {
protected:
    void SetUp() override {
        m_folder = std::filesystem::path(::testing::TempDir()) / "bdq-weights";
        std::filesystem::remove_all(m_folder);
        e2e::writeTinyModel(m_folder);
    }
    void TearDown() override { std::filesystem::remove_all(m_folder); }
    /// Rewrites the model with one tensor changed.
    void change(const std::function<void(io::TensorFile&)>& edit) {
        auto file = io::readTensorFile(m_folder / "model.safetensors");
        ASSERT_TRUE(file) << file.error().text();
        edit(*file);
        ASSERT_TRUE(io::writeTensorFile(m_folder / "model.safetensors", *file));
    }
    std::filesystem::path m_folder;
};

TEST_F(Weights, StacksTheLinearLayersOfASite) {
    const auto weights = ModelWeights::open(m_folder.string());
    ASSERT_TRUE(weights) << weights.error().text();
    const ModelConfig& config = weights->config();
    const auto block = weights->block(1, at::kCPU);
    ASSERT_TRUE(block) << block.error().text();
    const auto file = io::readTensorFile(m_folder / "model.safetensors");
    ASSERT_TRUE(file);
    const auto& k = file->tensors.at("model.layers.1.self_attn.k_proj.weight");
    const at::Tensor rows =
        block->at(Site::Qkv).narrow(0, config.heads * config.headDim, config.kvHeads * config.headDim);
    ASSERT_EQ(rows.nbytes(), k.bytes.size());
    EXPECT_EQ(std::memcmp(rows.const_data_ptr(), k.bytes.data(), k.bytes.size()), 0);
    EXPECT_EQ(block->at(Site::GateUp).size(0), 2 * config.intermediateSize);
}

TEST_F(Weights, AMissingTensorIsNamed) {
    change([](io::TensorFile& file) { file.tensors.erase("model.layers.1.mlp.down_proj.weight"); });
    const auto weights = ModelWeights::open(m_folder.string());
    ASSERT_FALSE(weights);
    EXPECT_EQ(weights.error().code, ErrorCode::NotFound);
    EXPECT_NE(weights.error().text().find("model.layers.1.mlp.down_proj.weight"), std::string::npos)
        << weights.error().text();
}

TEST_F(Weights, AWrongShapeIsNamedWithBothShapes) {
    change([](io::TensorFile& file) {
        io::HostTensor& tensor = file.tensors.at("model.layers.0.self_attn.o_proj.weight");
        tensor.shape[0] /= 2;
        tensor.bytes.resize(tensor.bytes.size() / 2);
    });
    const auto weights = ModelWeights::open(m_folder.string());
    ASSERT_FALSE(weights);
    EXPECT_EQ(weights.error().code, ErrorCode::ShapeMismatch);
    EXPECT_NE(weights.error().text().find("[32, 64]"), std::string::npos) << weights.error().text();
    EXPECT_NE(weights.error().text().find("[64, 64]"), std::string::npos) << weights.error().text();
}

} // namespace
} // namespace bdq
