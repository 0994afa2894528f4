#include "engine/model/weights.h"

#include <ATen/ATen.h>

#include "engine/io/model_config.h"
#include "engine/io/tensor_names.h"

namespace bdq {
namespace {

constexpr const char* kEmbedding = "model.embed_tokens.weight";
constexpr const char* kFinalNorm = "model.norm.weight";
constexpr const char* kHead = "lm_head.weight";

std::string layerPrefix(int layer) {
    return "model.layers." + std::to_string(layer) + ".";
}

std::string attentionNormName(int layer) {
    return layerPrefix(layer) + "input_layernorm.weight";
}

std::string mlpNormName(int layer) {
    return layerPrefix(layer) + "post_attention_layernorm.weight";
}

std::string queryNormName(int layer) {
    return layerPrefix(layer) + "self_attn.q_norm.weight";
}

std::string keyNormName(int layer) {
    return layerPrefix(layer) + "self_attn.k_norm.weight";
}

std::string shapeText(const std::vector<std::int64_t>& shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i)
        text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    return text + "]";
}

struct LinearLayer {
    std::string name; ///< without ".weight"
    MatrixShape shape;
};

/// The linear layers of a site in the order in which their rows are stacked.
std::vector<LinearLayer> linearLayers(const ModelConfig& config, SiteKey key) {
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
    const ModelConfig& config = weights.config();
    BDQ_CHECK(weights.reader().checkComputable());
    if (!io::isComputed(config.architecture))
        return fail(ErrorCode::Unsupported,
                    path + ": architecture '" + config.architecture +
                        "' can be listed but not computed; supported: " + io::computedArchitecturesText());
    if (!config.ropeScaling.empty() && config.ropeDivisors.empty())
        return fail(ErrorCode::Unsupported, path + ": RoPE scaling '" + config.ropeScaling +
                                                "' can be listed but not computed; supported: none, linear, "
                                                "llama3");
    BDQ_CHECK(weights.checkNothingIgnored());
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

// Layer 0 says where biases are; the other layers must then have them, too.
bool ModelWeights::hasBias(Site site) const {
    if (config().architecture == "qwen2" && site == Site::Qkv) return true;
    return m_reader->find(linearLayers(config(), {0, site}).front().name + ".bias") != nullptr;
}

bool ModelWeights::hasHeadNorms() const {
    return config().architecture == "qwen3";
}

// Names of all tensors that the forward pass reads. A layer without a single tensor is found missing later;
// hostile layer counts take no memory here.
std::unordered_set<std::string> ModelWeights::namesOfNetwork() const {
    const std::size_t maxLayers = m_reader->index().tensors.size();
    std::unordered_set<std::string> names{kEmbedding, kFinalNorm, kHead};
    for (int layer = 0; layer < config().layers && static_cast<std::size_t>(layer) < maxLayers; ++layer) {
        names.insert(attentionNormName(layer));
        names.insert(mlpNormName(layer));
        if (hasHeadNorms()) names.insert({queryNormName(layer), keyNormName(layer)});
        for (Site site : kLinearSites)
            for (const LinearLayer& linear : linearLayers(config(), {layer, site})) {
                names.insert(linear.name + ".weight");
                if (hasBias(site)) names.insert(linear.name + ".bias");
            }
    }
    return names;
}

// A tensor that is left out (a bias in one layer only, scales of a quantized checkpoint) would make every
// figure wrong without a word.
Status ModelWeights::checkNothingIgnored() const {
    const std::unordered_set<std::string> used = namesOfNetwork();
    for (const TensorEntry& tensor : m_reader->index().tensors) {
        if (io::isTableTensor(tensor.name) || used.count(io::canonicalTensorName(tensor.name)) != 0) continue;
        const std::string place = std::to_string(config().layers) + "-layer " + config().architecture;
        return fail(
            ErrorCode::Unsupported,
            path() + ": tensor '" + tensor.name + "' " +
                (tensor.name.ends_with(".bias")
                     ? "is a bias at a place where the " + place +
                           " network has none; supported: biases of linear layers that every layer has"
                     : "is not part of the " + place +
                           " network; such models can be listed but not computed"));
    }
    return {};
}

Status ModelWeights::checkBlock(int layer) const {
    const ModelConfig& c = config();
    BDQ_CHECK(check(attentionNormName(layer), {c.hiddenSize}));
    BDQ_CHECK(check(mlpNormName(layer), {c.hiddenSize}));
    if (hasHeadNorms()) {
        BDQ_CHECK(check(queryNormName(layer), {c.headDim}));
        BDQ_CHECK(check(keyNormName(layer), {c.headDim}));
    }
    for (Site site : kLinearSites)
        for (const LinearLayer& linear : linearLayers(c, {layer, site})) {
            BDQ_CHECK(check(linear.name + ".weight", {linear.shape.rows, linear.shape.columns}));
            if (hasBias(site)) BDQ_CHECK(check(linear.name + ".bias", {linear.shape.rows}));
        }
    return {};
}

Status ModelWeights::checkAll() const {
    const ModelConfig& c = config();
    if (c.heads <= 0 || c.kvHeads <= 0 || c.heads % c.kvHeads != 0 || c.headDim <= 0 || c.headDim % 2 != 0)
        return fail(ErrorCode::BadFormat, path() + ": " + std::to_string(c.heads) + " heads, " +
                                              std::to_string(c.kvHeads) + " kv heads, head_dim " +
                                              std::to_string(c.headDim) +
                                              "; expected heads divisible by kv heads and an even head_dim");
    BDQ_CHECK(check(kEmbedding, {c.vocabSize, c.hiddenSize}));
    BDQ_CHECK(check(kFinalNorm, {c.hiddenSize}));
    BDQ_CHECK(check(kHead, {c.vocabSize, c.hiddenSize}));
    for (int layer = 0; layer < c.layers; ++layer)
        BDQ_CHECK(checkBlock(layer));
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
    const std::vector<LinearLayer> layers = linearLayers(config(), key);
    const MatrixShape shape = stackedShape(config(), key.site);
    at::Tensor values = at::empty({shape.rows, shape.columns}, at::kFloat);
    std::int64_t row = 0;
    for (const LinearLayer& layer : layers) {
        at::Tensor target = values.narrow(0, row, layer.shape.rows);
        BDQ_CHECK(m_reader->read(*m_reader->find(layer.name + ".weight"),
                                 {target.data_ptr<float>(), static_cast<std::size_t>(target.numel())}));
        row += layer.shape.rows;
    }
    return values.to(device);
}

Result<at::Tensor> ModelWeights::stackedBias(SiteKey key, c10::Device device) const {
    std::vector<at::Tensor> parts;
    for (const LinearLayer& layer : linearLayers(config(), key)) {
        BDQ_TRY(at::Tensor part, tensor(layer.name + ".bias", {layer.shape.rows}, device));
        parts.push_back(std::move(part));
    }
    return at::cat(parts);
}

Result<BlockWeights> ModelWeights::norms(int layer, c10::Device device) const {
    BlockWeights weights;
    const std::vector<std::int64_t> hidden{config().hiddenSize};
    const std::vector<std::int64_t> head{config().headDim};
    BDQ_TRY(weights.attentionNorm, tensor(attentionNormName(layer), hidden, device));
    BDQ_TRY(weights.mlpNorm, tensor(mlpNormName(layer), hidden, device));
    if (hasHeadNorms()) {
        BDQ_TRY(weights.queryNorm, tensor(queryNormName(layer), head, device));
        BDQ_TRY(weights.keyNorm, tensor(keyNormName(layer), head, device));
    }
    for (Site site : kLinearSites)
        if (hasBias(site)) {
            BDQ_TRY(weights.biasAt(site), stackedBias({layer, site}, device));
        }
    weights.window = layer < config().firstSlidingLayer ? 0 : config().slidingWindow;
    return weights;
}

Result<BlockWeights> ModelWeights::block(int layer, c10::Device device) const {
    BDQ_TRY(BlockWeights weights, norms(layer, device));
    for (Site site : kLinearSites) {
        BDQ_TRY(weights.at(site), stacked({layer, site}, device));
    }
    return weights;
}

Result<at::Tensor> ModelWeights::embedding(c10::Device device) const {
    return tensor(kEmbedding, {config().vocabSize, config().hiddenSize}, device);
}

Result<at::Tensor> ModelWeights::finalNorm(c10::Device device) const {
    return tensor(kFinalNorm, {config().hiddenSize}, device);
}

Result<at::Tensor> ModelWeights::head(c10::Device device) const {
    return tensor(kHead, {config().vocabSize, config().hiddenSize}, device);
}

std::vector<std::string> ModelWeights::linearNames(SiteKey key) {
    std::vector<std::string> names;
    for (const LinearLayer& linear : linearLayers(ModelConfig{}, key))
        names.push_back(linear.name);
    return names;
}

} // namespace bdq
