// Hooks that record what goes into the linear layers of a block.
#pragma once

#include <array>

#include "engine/model/block.h"

namespace bdq {

/// Inputs of the four linear sites of one forward pass, [tokens, n].
using SiteInputs = std::array<at::Tensor, kLinearSites.size()>;

class CaptureHooks final : public BlockHooks {
public:
    at::Tensor siteInput(Site site, at::Tensor x) override {
        m_inputs[static_cast<std::size_t>(site)] = x.flatten(0, -2);
        return x;
    }
    void attentionInputs(at::Tensor& /*q*/, at::Tensor& k, at::Tensor& v) override {
        m_keys = k;
        m_values = v;
    }
    [[nodiscard]] const SiteInputs& inputs() const { return m_inputs; }
    [[nodiscard]] const at::Tensor& keys() const { return m_keys; }     ///< [batch, kvHeads, tokens, headDim]
    [[nodiscard]] const at::Tensor& values() const { return m_values; } ///< same

private:
    SiteInputs m_inputs;
    at::Tensor m_keys;
    at::Tensor m_values;
};

/// The hidden states of all calibration sequences between two layers, in batches [sequences, tokens, hidden].
using HiddenStates = std::vector<at::Tensor>;
/// Embeds the tokens [sequences, length]: one sequence a batch on the CPU, several on a GPU.
HiddenStates embedTokens(const at::Tensor& embedding, const at::Tensor& ids, bool onGpu);

} // namespace bdq
