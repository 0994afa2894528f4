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

TEST_F(Weights, TheStackedShapeIsTheShapeOfTheLoadedWeight) {
    const auto weights = ModelWeights::open(m_folder.string());
    ASSERT_TRUE(weights) << weights.error().text();
    const auto block = weights->block(0, at::kCPU);
    ASSERT_TRUE(block) << block.error().text();
    for (Site site : kLinearSites) {
        const MatrixShape shape = stackedShape(weights->config(), site);
        EXPECT_EQ(block->at(site).sizes(), (at::IntArrayRef{shape.rows, shape.columns})) << siteName(site);
    }
}

TEST_F(Weights, NormsComeWithoutTheLinearWeights) {
    const auto weights = ModelWeights::open(m_folder.string());
    ASSERT_TRUE(weights) << weights.error().text();
    const auto norms = weights->norms(1, at::kCPU);
    const auto block = weights->block(1, at::kCPU);
    ASSERT_TRUE(norms && block);
    EXPECT_TRUE(at::equal(norms->attentionNorm, block->attentionNorm));
    EXPECT_TRUE(at::equal(norms->mlpNorm, block->mlpNorm));
    EXPECT_FALSE(norms->at(Site::Qkv).defined());
}

TEST_F(Weights, TensorsThatWouldBeIgnoredAreRefused) {
    const io::HostTensor vector{io::HostTensor::Type::F32, {64}, std::vector<std::byte>(256)};
    for (const char* name :
         {"model.layers.1.self_attn.q_proj.bias", "model.layers.1.self_attn.k_proj.bias",
          "model.layers.1.self_attn.v_proj.bias", "model.layers.1.mlp.down_proj.bias", "model.norm.bias",
          "lm_head.bias", "model.layers.0.self_attn.q_norm.weight", "model.layers.1.self_attn.k_norm.weight",
          "model.layers.2.mlp.up_proj.weight", "model.layers.0.mlp.down_proj.weight_scale"}) {
        change([&](io::TensorFile& file) { file.tensors[name] = vector; });
        const auto weights = ModelWeights::open(m_folder.string());
        ASSERT_FALSE(weights) << name;
        EXPECT_EQ(weights.error().code, ErrorCode::Unsupported) << name;
        EXPECT_EQ(exitCodeFor(weights.error().code), 4);
        const std::string message = weights.error().text();
        EXPECT_NE(message.find(m_folder.string()), std::string::npos) << message;
        EXPECT_NE(message.find(name), std::string::npos) << message;
        EXPECT_EQ(message.find("is a bias") != std::string::npos, std::string_view(name).ends_with(".bias"))
            << message;
        change([&](io::TensorFile& file) { file.tensors.erase(name); });
    }
    change([&](io::TensorFile& file) {
        file.tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = vector; // a table, not a parameter
    });
    EXPECT_TRUE(ModelWeights::open(m_folder.string()));
}

TEST_F(Weights, BiasesAreStackedAndWantedInEveryLayer) {
    const auto bias = [](std::size_t rows, float value) {
        const std::vector<float> values(rows, value);
        const auto bytes = std::as_bytes(std::span(values));
        return io::HostTensor{io::HostTensor::Type::F32,
                              {static_cast<std::int64_t>(rows)},
                              std::vector<std::byte>(bytes.begin(), bytes.end())};
    };
    change([&](io::TensorFile& file) {
        for (const std::string layer : {"0", "1"}) {
            file.tensors["model.layers." + layer + ".self_attn.q_proj.bias"] = bias(64, 1);
            file.tensors["model.layers." + layer + ".self_attn.k_proj.bias"] = bias(32, 2);
            file.tensors["model.layers." + layer + ".self_attn.v_proj.bias"] = bias(32, 3);
        }
    });
    const auto weights = ModelWeights::open(m_folder.string());
    ASSERT_TRUE(weights) << weights.error().text();
    const auto norms = weights->norms(1, at::kCPU);
    ASSERT_TRUE(norms) << norms.error().text();
    EXPECT_TRUE(at::equal(norms->biasAt(Site::Qkv),
                          at::cat({at::full({64}, 1.f), at::full({32}, 2.f), at::full({32}, 3.f)})));
    EXPECT_FALSE(norms->biasAt(Site::O).defined());
    change([](io::TensorFile& file) { file.tensors.erase("model.layers.1.self_attn.k_proj.bias"); });
    const auto without = ModelWeights::open(m_folder.string());
    ASSERT_FALSE(without);
    EXPECT_EQ(without.error().code, ErrorCode::NotFound);
    EXPECT_NE(without.error().text().find("model.layers.1.self_attn.k_proj.bias"), std::string::npos);
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
