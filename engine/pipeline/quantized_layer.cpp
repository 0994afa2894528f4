#include "engine/pipeline/quantized_layer.h"

#include <filesystem>

#include <ATen/ATen.h>

#include "engine/pipeline/layer_checkpoint.h"

namespace bdq {
namespace {

class QuantizedLayer final : public Layer {
public:
    QuantizedLayer(ModelConfig config, BlockWeights weights, QuantizedBlock block)
        : m_config(std::move(config)), m_weights(std::move(weights)), m_block(std::move(block)) {}
    at::Tensor forward(const at::Tensor& x, const Rope& rope) override {
        QuantizedHooks hooks(m_block);
        return forwardBlock(m_config, m_weights, rope, x, hooks);
    }

private:
    ModelConfig m_config;
    BlockWeights m_weights;
    QuantizedBlock m_block;
};

} // namespace

at::Tensor QuantizedSite::matmulWeight() const {
    if (!weight) return fullWeight;
    const at::Tensor rounded = weight->dequantize();
    return outputRotation.defined() ? at::matmul(outputRotation, rounded) : rounded;
}

void QuantizedBlock::moveTo(c10::Device device) {
    for (QuantizedSite& site : sites) {
        if (site.outputRotation.defined()) site.outputRotation = site.outputRotation.to(device);
        site.siteTransform = site.siteTransform.to(device);
        if (site.bias.defined()) site.bias = site.bias.to(device);
        if (site.weight) {
            site.weight->codes = site.weight->codes.to(device);
            site.weight->scales = site.weight->scales.to(device);
            site.weight->zeros = site.weight->zeros.to(device);
        } else {
            site.fullWeight = site.fullWeight.to(device);
        }
    }
    if (keyRotation) keyRotation = keyRotation->to(device);
}

at::Tensor QuantizedHooks::siteInput(Site site, at::Tensor x) {
    const QuantizedSite& quantized = m_block.at(site);
    return quant::fakeQuantize(quantized.siteTransform.applyToActivations(x), quantized.activation,
                               quantized.clip);
}

void QuantizedHooks::attentionInputs(at::Tensor& q, at::Tensor& k, at::Tensor& v) {
    if (m_block.keyRotation) {
        q = m_block.keyRotation->applyToQueries(q);
        k = m_block.keyRotation->applyToKeys(k);
    }
    k = quant::fakeQuantize(k, m_block.keys, m_block.keyClip);
    v = quant::fakeQuantize(v, m_block.values, m_block.valueClip);
}

std::unique_ptr<Layer> makeQuantizedLayer(const ModelConfig& config, const BlockWeights& norms,
                                          QuantizedBlock block) {
    BlockWeights weights = norms;
    for (Site site : kLinearSites) {
        weights.at(site) = block.at(site).matmulWeight();
        weights.biasAt(site) = block.at(site).bias;
    }
    return std::make_unique<QuantizedLayer>(config, std::move(weights), std::move(block));
}

Result<std::unique_ptr<Layer>> RunLayers::load(int layer) {
    const std::filesystem::path path = std::filesystem::path(m_runDir) / layerFileName(layer);
    if (!std::filesystem::exists(path)) return FullPrecisionLayers(m_weights, m_device).load(layer);
    BDQ_TRY(LayerCheckpoint checkpoint, readLayerCheckpoint(path, m_weights.config()));
    if (!checkpoint.modelFingerprint.empty() &&
        checkpoint.modelFingerprint != m_weights.reader().fingerprint())
        return fail(ErrorCode::InvalidSpec, path.string() +
                                                ": found a layer of other weights than those of " +
                                                m_weights.path() + ", expected the same model");
    BDQ_TRY(const BlockWeights norms, m_weights.norms(layer, m_device.device));
    checkpoint.block.moveTo(m_device.device);
    return makeQuantizedLayer(m_weights.config(), norms, std::move(checkpoint.block));
}

} // namespace bdq
