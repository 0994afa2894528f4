// A decoder block whose transforms and clipping are learned while its weights stay what they are: every
// linear input, weight and cache entry passes a straight-through quantizer (FlatQuant, arXiv 2410.09426; BDQ,
// arXiv 2605.18800; design/product.md 8).
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/api/quant_scheme.h"
#include "engine/model/block.h"
#include "engine/train/learned_head.h"
#include "engine/train/learned_site.h"

namespace bdq::train {

/// Named tensors of a state that a run folder keeps.
using State = NamedTensors;

/// What a block starts from.
struct BlockStart {
    std::array<std::optional<LearnedSite>, kLinearSites.size()> sites; ///< empty = no transform at the site
    std::optional<LearnedHead> keys;                                   ///< q and k after RoPE
    std::optional<LearnedHead> values;                                 ///< v rows and o columns
    std::array<Scheme, kLinearSites.size()> schemes;                   ///< of the linear sites
    OperandScheme keyScheme{16, false, 0};
    OperandScheme valueScheme{16, false, 0};
    bool learnClipping = true;
    bool learnRounding = false; ///< offsets of weights before rounding, at most kRoundingReach steps
    bool autocast = false;      ///< matrix products in bfloat16; parameters and residual stream stay fp32
    /// Orthogonal fp64 leaf R [hidden, hidden] of all blocks: the rows of o and down are quantized as R^T W
    /// and turned back, which is what folding R into the residual stream does to them (SpinQuant, arXiv
    /// 2405.16406). Undefined = none. At qkv and gate_up R is the sites' own matter (Rotation::Shared).
    at::Tensor residual{};
};

/// Half a step decides between a weight's two neighbours (AdaRound, arXiv 2004.10568; SignRound, arXiv
/// 2309.05516).
inline constexpr double kRoundingReach = 0.5;
/// What a transformed weight [out, in] gets added before it is rounded: `rounding` steps of the grid that its
/// clipping gives. Differentiable in `rounding` only.
at::Tensor roundingOffset(const at::Tensor& rounding, const at::Tensor& transformed,
                          const OperandScheme& scheme, const at::Tensor& clip);

class TrainableBlock {
public:
    /// `config` must outlive the block. Weights fp32 on the device of the learned parts; they are not
    /// changed.
    TrainableBlock(const ModelConfig& config, BlockWeights weights, BlockStart start);

    /// Leaves that an optimizer updates.
    [[nodiscard]] std::vector<at::Tensor> transformParameters() const;
    [[nodiscard]] std::vector<at::Tensor> clippingParameters() const;
    /// Leaves of this block that must stay orthogonal; not among the transform parameters.
    [[nodiscard]] std::vector<at::Tensor> rotationParameters() const;
    /// In steps of the weight's grid.
    [[nodiscard]] std::vector<at::Tensor> roundingParameters() const;
    /// Brings rounding parameters back into their reach: after every update.
    void limitRounding();

    /// Transformed and quantized weights from the parameters as they are: once before the forward passes of a
    /// step, and again after the parameters or the grad mode have changed.
    void prepare();
    /// Hidden states [batch, tokens, hidden] through the quantized block. After prepare().
    [[nodiscard]] at::Tensor forward(const at::Tensor& x, const Rope& rope) const;

    /// Parameters by name, on the CPU; copies.
    [[nodiscard]] State state() const;
    /// Errors: BadFormat, ShapeMismatch naming the parameter.
    Status load(const State& state);

    /// Weights with the value head as it is now folded in, otherwise in the original space; same function as
    /// before. Needs no prepare().
    [[nodiscard]] BlockWeights foldedWeights() const;
    [[nodiscard]] const std::optional<LearnedSite>& site(Site site) const {
        return m_start.sites[static_cast<std::size_t>(site)];
    }
    [[nodiscard]] const std::optional<LearnedHead>& keyHead() const { return m_start.keys; }
    [[nodiscard]] const at::Tensor& residualRotation() const { return m_start.residual; }
    /// What the site's matmul reads. After prepare().
    [[nodiscard]] const at::Tensor& preparedWeight(Site site) const { return m_prepared.at(site); }
    /// Learned offsets in steps, [out, in]; undefined where rounding is not learned.
    [[nodiscard]] const at::Tensor& rounding(Site site) const {
        return m_roundings[static_cast<std::size_t>(site)];
    }
    /// Clipping logits: of activations and caches [2], of weights [2, out, 1]; undefined when not learned.
    [[nodiscard]] const at::Tensor& activationClip(Site site) const;
    [[nodiscard]] const at::Tensor& weightClip(Site site) const {
        return m_weightClips[static_cast<std::size_t>(site)];
    }

private:
    class Hooks;
    [[nodiscard]] at::Tensor foldedWeight(Site site) const;
    [[nodiscard]] at::Tensor quantizedWeight(Site site, at::Tensor weight) const;
    [[nodiscard]] at::Tensor foldedBias(Site site) const;
    [[nodiscard]] std::array<at::Tensor, kLinearSites.size()> rotations() const;

    const ModelConfig& m_config;
    BlockWeights m_weights;
    BlockStart m_start;
    std::array<at::Tensor, kLinearSites.size() + kCacheSites.size()> m_activationClips;
    std::array<at::Tensor, kLinearSites.size()> m_weightClips;
    std::array<at::Tensor, kLinearSites.size()> m_roundings; ///< [out, in], steps
    NamedTensors m_clips;                                    ///< the same tensors by name
    NamedTensors m_roundingNames;
    BlockWeights m_prepared;
};

} // namespace bdq::train
