#include "engine/model/layer_source.h"

namespace bdq {
namespace {

class FullPrecisionLayer final : public Layer {
public:
    FullPrecisionLayer(ModelConfig config, BlockWeights weights)
        : m_config(std::move(config)), m_weights(std::move(weights)) {}
    at::Tensor forward(const at::Tensor& x, const Rope& rope) override {
        BlockHooks none;
        return forwardBlock(m_config, m_weights, rope, x, none);
    }

private:
    ModelConfig m_config;
    BlockWeights m_weights;
};

} // namespace

Result<std::unique_ptr<Layer>> FullPrecisionLayers::load(int layer) {
    BDQ_TRY(BlockWeights weights, m_weights.block(layer, m_device.device));
    return std::make_unique<FullPrecisionLayer>(m_weights.config(), std::move(weights));
}

} // namespace bdq
