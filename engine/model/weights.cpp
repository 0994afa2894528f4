#include "engine/model/weights.h"

#include <ATen/ATen.h>

namespace bdq {
namespace {

std::string layerPrefix(int layer) {
    return "model.layers." + std::to_string(layer) + ".";
}

std::string shapeText(const std::vector<std::int64_t>& shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i)
        text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    return text + "]";
}

struct NamedShape {
    std::string name;
    std::vector<std::int64_t> shape;
};

std::vector<NamedShape> linearShapes(const ModelConfig& config, SiteKey key) {
    const std::string prefix = layerPrefix(key.layer);
    const std::int64_t queryRows = config.heads * config.headDim;
    const std::int64_t cacheRows = config.kvHeads * config.headDim;
    switch (key.site) {
    case Site::Qkv:
        return {{prefix + "self_attn.q_proj", {queryRows, config.hiddenSize}},
                {prefix + "self_attn.k_proj", {cacheRows, config.hiddenSize}},
                {prefix + "self_attn.v_proj", {cacheRows, config.hiddenSize}}};
    case Site::O:
        return {{prefix + "self_attn.o_proj", {config.hiddenSize, queryRows}}};
    case Site::GateUp:
        return {{prefix + "mlp.gate_proj", {config.intermediateSize, config.hiddenSize}},
                {prefix + "mlp.up_proj", {config.intermediateSize, config.hiddenSize}}};
    case Site::Down:
        return {{prefix + "mlp.down_proj", {config.hiddenSize, config.intermediateSize}}};
    case Site::KCache:
    case Site::VCache:
        break;
    }
    return {};
}

} // namespace

ModelWeights::ModelWeights(io::ModelReader reader)
    : m_reader(std::make_shared<io::ModelReader>(std::move(reader))) {}

Result<ModelWeights> ModelWeights::open(const std::string& path) {
    BDQ_TRY(io::ModelReader reader, io::ModelReader::open(path));
    ModelWeights weights(std::move(reader));
    if (weights.config().architecture != "llama")
        return fail(ErrorCode::Unsupported, path + ": architecture '" + weights.config().architecture +
                                                "' can be listed but not computed; supported: llama");
    if (!weights.config().ropeScaling.empty())
        return fail(ErrorCode::Unsupported, path + ": RoPE scaling '" + weights.config().ropeScaling +
                                                "' can be listed but not computed; supported: none");
    BDQ_CHECK(weights.checkAll());
    return weights;
}

Status ModelWeights::check(const std::string& name, const std::vector<std::int64_t>& shape) const {
    const TensorEntry* entry = m_reader->find(name);
    if (entry == nullptr) return fail(ErrorCode::NotFound, path() + ": tensor '" + name + "' is missing");
    if (entry->shape != shape)
        return fail(ErrorCode::ShapeMismatch, path() + ": tensor '" + name + "' has shape " +
                                                  shapeText(entry->shape) + ", expected " + shapeText(shape));
    return {};
}

Status ModelWeights::checkLinear(const std::string& name, const std::vector<std::int64_t>& shape) const {
    if (m_reader->find(name + ".bias") != nullptr)
        return fail(ErrorCode::Unsupported,
                    path() + ": linear layer '" + name + "' has a bias; supported: layers without bias");
    return check(name + ".weight", shape);
}

Status ModelWeights::checkAll() const {
    const ModelConfig& c = config();
    if (c.heads <= 0 || c.kvHeads <= 0 || c.heads % c.kvHeads != 0 || c.headDim <= 0 || c.headDim % 2 != 0)
        return fail(ErrorCode::BadFormat, path() + ": " + std::to_string(c.heads) + " heads, " +
                                              std::to_string(c.kvHeads) + " kv heads, head_dim " +
                                              std::to_string(c.headDim) +
                                              "; expected heads divisible by kv heads and an even head_dim");
    BDQ_CHECK(check("model.embed_tokens.weight", {c.vocabSize, c.hiddenSize}));
    BDQ_CHECK(check("model.norm.weight", {c.hiddenSize}));
    BDQ_CHECK(check("lm_head.weight", {c.vocabSize, c.hiddenSize}));
    for (int layer = 0; layer < c.layers; ++layer) {
        BDQ_CHECK(check(layerPrefix(layer) + "input_layernorm.weight", {c.hiddenSize}));
        BDQ_CHECK(check(layerPrefix(layer) + "post_attention_layernorm.weight", {c.hiddenSize}));
        for (Site site : kLinearSites)
            for (const NamedShape& linear : linearShapes(c, {layer, site}))
                BDQ_CHECK(checkLinear(linear.name, linear.shape));
    }
    return {};
}

Result<at::Tensor> ModelWeights::tensor(const std::string& name, const std::vector<std::int64_t>& shape,
                                        c10::Device device) const {
    BDQ_CHECK(check(name, shape));
    at::Tensor values = at::empty(shape, at::kFloat);
    BDQ_CHECK(m_reader->read(*m_reader->find(name),
                             {values.data_ptr<float>(), static_cast<std::size_t>(values.numel())}));
    return values.to(device);
}

Result<at::Tensor> ModelWeights::stacked(SiteKey key, c10::Device device) const {
    const std::vector<NamedShape> parts = linearShapes(config(), key);
    std::int64_t rows = 0;
    for (const NamedShape& part : parts)
        rows += part.shape[0];
    at::Tensor values = at::empty({rows, parts.front().shape[1]}, at::kFloat);
    std::int64_t row = 0;
    for (const NamedShape& part : parts) {
        at::Tensor target = values.narrow(0, row, part.shape[0]);
        BDQ_CHECK(m_reader->read(*m_reader->find(part.name + ".weight"),
                                 {target.data_ptr<float>(), static_cast<std::size_t>(target.numel())}));
        row += part.shape[0];
    }
    return values.to(device);
}

Result<BlockWeights> ModelWeights::block(int layer, c10::Device device) const {
    BlockWeights weights;
    const std::vector<std::int64_t> hidden{config().hiddenSize};
    BDQ_TRY(weights.attentionNorm, tensor(layerPrefix(layer) + "input_layernorm.weight", hidden, device));
    BDQ_TRY(weights.mlpNorm, tensor(layerPrefix(layer) + "post_attention_layernorm.weight", hidden, device));
    for (Site site : kLinearSites) {
        BDQ_TRY(weights.at(site), stacked({layer, site}, device));
    }
    return weights;
}

Result<at::Tensor> ModelWeights::embedding(c10::Device device) const {
    return tensor("model.embed_tokens.weight", {config().vocabSize, config().hiddenSize}, device);
}

Result<at::Tensor> ModelWeights::finalNorm(c10::Device device) const {
    return tensor("model.norm.weight", {config().hiddenSize}, device);
}

Result<at::Tensor> ModelWeights::head(c10::Device device) const {
    return tensor("lm_head.weight", {config().vocabSize, config().hiddenSize}, device);
}

std::vector<std::string> ModelWeights::linearNames(SiteKey key) {
    std::vector<std::string> names;
    for (const NamedShape& linear : linearShapes(ModelConfig{}, key))
        names.push_back(linear.name);
    return names;
}

} // namespace bdq
