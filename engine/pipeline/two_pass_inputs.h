// The inputs of a layer's linear sites, needed twice: for moments first, then for what the moments decide.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/pipeline/block_capture.h"

namespace bdq {

/// Runs the batches of hidden states through one block and keeps the captured inputs for the second pass as
/// far as they fit; batches beyond are run through the block again, with the same result bit for bit. All
/// references must outlive it and stay unchanged between the passes.
class TwoPassInputs {
public:
    static constexpr std::uint64_t kKeptBytes = std::uint64_t{1} << 30;

    TwoPassInputs(const ModelConfig& config, const BlockWeights& weights, const Rope& rope,
                  const HiddenStates& before, std::uint64_t keptBytes = kKeptBytes);

    /// Hidden states after the block, and everything captured inside.
    struct FirstPass {
        at::Tensor output;
        CaptureHooks capture;
    };
    [[nodiscard]] std::size_t batches() const { return m_before.size(); }
    /// Once for every batch, in order.
    FirstPass first(std::size_t batch);
    /// The inputs that first() captured; what was kept of them is given away.
    SiteInputs second(std::size_t batch);

private:
    [[nodiscard]] FirstPass forward(std::size_t batch) const;

    const ModelConfig& m_config;
    const BlockWeights& m_weights;
    const Rope& m_rope;
    const HiddenStates& m_before;
    std::uint64_t m_bytesLeft;
    std::vector<std::optional<SiteInputs>> m_kept;
};

} // namespace bdq
