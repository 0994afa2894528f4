// Where the layers of a forward pass come from: the model as it is, or a quantized run.
#pragma once

#include <memory>
#include <vector>

#include "engine/api/result.h"
#include "engine/model/block.h"
#include "engine/model/device.h"
#include "engine/model/weights.h"

namespace bdq {

/// One resident layer.
class Layer {
public:
    virtual ~Layer() = default;
    /// [batch, tokens, hidden] -> the same shape.
    virtual at::Tensor forward(const at::Tensor& x, const Rope& rope) = 0;
};

/// Hands out one layer at a time; the caller drops it before asking for the next.
class LayerSource {
public:
    virtual ~LayerSource() = default;
    virtual Result<std::unique_ptr<Layer>> load(int layer) = 0;
};

/// The model in full precision.
class FullPrecisionLayers final : public LayerSource {
public:
    FullPrecisionLayers(const ModelWeights& weights, const ComputeDevice& device)
        : m_weights(weights), m_device(device) {}
    Result<std::unique_ptr<Layer>> load(int layer) override;

private:
    const ModelWeights& m_weights;
    ComputeDevice m_device;
};

} // namespace bdq
