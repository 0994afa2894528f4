// A block whose linear inputs are transformed and quantized, with quantized weights and KV cache; arithmetic
// simulated in fp32.
#pragma once

#include <array>
#include <optional>

#include "engine/api/quant_scheme.h"
#include "engine/model/layer_source.h"
#include "engine/quant/affine.h"
#include "engine/quant/quantized_weight.h"
#include "engine/transform/head_rotation.h"
#include "engine/transform/site_transform.h"

namespace bdq {

/// One linear site of a quantized block.
struct QuantizedSite {
    transform::SiteTransform siteTransform;
    /// Stacked weight in the transformed space: codes, or `fullWeight` fp32 [out, n] when the weight is not
    /// quantized.
    std::optional<quant::QuantizedWeight> weight;
    at::Tensor fullWeight;
    at::Tensor bias; ///< [out] in full precision, v's rotated with its weight; undefined = none
    /// R fp32 [out, out], orthogonal: the codes are those of R^T W; one tensor for the sites of a run that
    /// have it. Folds into the residual stream at inference (SpinQuant, arXiv 2405.16406). Undefined = none.
    at::Tensor outputRotation;
    OperandScheme activation;
    quant::RangeFactors clip; ///< of the activations
    [[nodiscard]] at::Tensor matmulWeight() const;
};

/// All that differs from the full-precision block.
struct QuantizedBlock {
    std::array<QuantizedSite, kLinearSites.size()> sites;
    OperandScheme keys{16, false, 0};
    OperandScheme values{16, false, 0};
    quant::RangeFactors keyClip;
    quant::RangeFactors valueClip;
    std::optional<transform::HeadRotation>
        keyRotation; ///< of q and k after RoPE; v's is folded into the weights

    QuantizedSite& at(Site site) { return sites[static_cast<std::size_t>(site)]; }
    [[nodiscard]] const QuantizedSite& at(Site site) const { return sites[static_cast<std::size_t>(site)]; }
    void moveTo(c10::Device device);
};

/// Transforms and quantizes what flows through a block. The weights it runs with are the caller's.
class QuantizedHooks : public BlockHooks {
public:
    explicit QuantizedHooks(const QuantizedBlock& block) : m_block(block) {}
    at::Tensor siteInput(Site site, at::Tensor x) override;
    void attentionInputs(at::Tensor& q, at::Tensor& k, at::Tensor& v) override;

private:
    const QuantizedBlock& m_block;
};

/// Layers of a finished run; layers it did not quantize come in full precision. A layer that was made from
/// other weights is refused (InvalidSpec).
class RunLayers final : public LayerSource {
public:
    RunLayers(const ModelWeights& weights, const ComputeDevice& device, std::string runDir)
        : m_weights(weights), m_device(device), m_runDir(std::move(runDir)) {}
    Result<std::unique_ptr<Layer>> load(int layer) override;

private:
    const ModelWeights& m_weights;
    ComputeDevice m_device;
    std::string m_runDir;
};

/// A quantized block as a layer. `norms` supplies all but the linear weights and their biases.
std::unique_ptr<Layer> makeQuantizedLayer(const ModelConfig& config, const BlockWeights& norms,
                                          QuantizedBlock block);

} // namespace bdq
