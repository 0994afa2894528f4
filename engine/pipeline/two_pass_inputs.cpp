#include "engine/pipeline/two_pass_inputs.h"

#include <utility>

#include <ATen/ATen.h>

namespace bdq {
namespace {

std::uint64_t bytesOf(const SiteInputs& inputs) {
    std::uint64_t bytes = 0;
    for (const at::Tensor& input : inputs)
        bytes += input.nbytes();
    return bytes;
}

} // namespace

TwoPassInputs::TwoPassInputs(const ModelConfig& config, const BlockWeights& weights, const Rope& rope,
                             const HiddenStates& before, std::uint64_t keptBytes)
    : m_config(config), m_weights(weights), m_rope(rope), m_before(before), m_bytesLeft(keptBytes),
      m_kept(before.size()) {}

TwoPassInputs::FirstPass TwoPassInputs::forward(std::size_t batch) const {
    FirstPass pass;
    pass.output = forwardBlock(m_config, m_weights, m_rope, m_before[batch], pass.capture);
    return pass;
}

TwoPassInputs::FirstPass TwoPassInputs::first(std::size_t batch) {
    FirstPass pass = forward(batch);
    const std::uint64_t bytes = bytesOf(pass.capture.inputs());
    if (bytes <= m_bytesLeft) {
        m_kept[batch] = pass.capture.inputs();
        m_bytesLeft -= bytes;
    }
    return pass;
}

SiteInputs TwoPassInputs::second(std::size_t batch) {
    if (m_kept[batch]) return *std::exchange(m_kept[batch], std::nullopt);
    return forward(batch).capture.inputs();
}

} // namespace bdq
