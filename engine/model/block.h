// One decoder block of the LLaMA family: RMSNorm, rotary attention with grouped queries, SwiGLU (arXiv
// 2302.13971), with what its relatives add: a sliding window (Mistral, arXiv 2310.06825), biases (Qwen2,
// arXiv 2407.10671), norms of query and key heads (Qwen3, arXiv 2505.09388). y = x W^T + b everywhere; linear
// layers that read the same input are stacked into one weight per site.
#pragma once

#include <array>
#include <cstdint>

#include <ATen/core/Tensor.h>

#include "engine/api/model_index.h"
#include "engine/api/quant_scheme.h"

namespace bdq {

/// fp32 weights of one block on one device.
struct BlockWeights {
    at::Tensor attentionNorm; ///< [hidden]
    at::Tensor mlpNorm;       ///< [hidden]
    /// By linear site: qkv [(heads + 2 kvHeads) headDim, hidden], o [hidden, heads headDim], gate_up [2
    /// intermediate, hidden] (gate rows first), down [hidden, intermediate].
    std::array<at::Tensor, kLinearSites.size()> linear;
    /// By linear site, [rows of its weight]; undefined = none.
    std::array<at::Tensor, kLinearSites.size()> bias{};
    /// [headDim]: gains of the RMSNorm of every head of q and k before RoPE; undefined = none.
    at::Tensor queryNorm{};
    at::Tensor keyNorm{};
    std::int64_t window = 0; ///< tokens that a token attends to, itself included; 0 = all up to it

    at::Tensor& at(Site site) { return linear[static_cast<std::size_t>(site)]; }
    [[nodiscard]] const at::Tensor& at(Site site) const { return linear[static_cast<std::size_t>(site)]; }
    at::Tensor& biasAt(Site site) { return bias[static_cast<std::size_t>(site)]; }
    [[nodiscard]] const at::Tensor& biasAt(Site site) const { return bias[static_cast<std::size_t>(site)]; }
    [[nodiscard]] BlockWeights to(c10::Device device, at::ScalarType type = at::kFloat) const;
};

/// cos and sin of the rotary embedding in half-split order, [positions, headDim] each; frequencies divided by
/// config.ropeDivisors.
struct Rope {
    at::Tensor cosine;
    at::Tensor sine;
    static Rope create(const ModelConfig& config, std::int64_t positions, c10::Device device);
    /// Positions first .. first + count - 1.
    [[nodiscard]] Rope slice(std::int64_t first, std::int64_t count) const;
};

/// What happens at the sites of a block. The default does nothing: full precision.
class BlockHooks {
public:
    virtual ~BlockHooks() = default;
    /// Input of the site's linear layers, [..., n]; returns what the matmul reads.
    virtual at::Tensor siteInput(Site, at::Tensor x) { return x; }
    /// q, k after RoPE, and v: [batch, heads or kvHeads, tokens, headDim]; may be replaced.
    virtual void attentionInputs(at::Tensor& /*q*/, at::Tensor& /*k*/, at::Tensor& /*v*/) {}
};

/// Keys and values of earlier tokens for generation, [batch, kvHeads, capacity, headDim]; `length` of them
/// are filled.
struct KvCache {
    at::Tensor keys;
    at::Tensor values;
    std::int64_t length = 0;
};

/// Hidden states [batch, tokens, hidden] through the block; causal attention. With a cache the tokens
/// continue the cached ones (`rope` must be sliced to their positions). With gradient mode on and no cache,
/// the result can be differentiated with respect to x and the weights, in fp32 or fp64; otherwise buffers are
/// written in place, which is faster.
at::Tensor forwardBlock(const ModelConfig& config, const BlockWeights& weights, const Rope& rope,
                        const at::Tensor& x, BlockHooks& hooks, KvCache* cache = nullptr);

/// x / sqrt(mean(x^2) + epsilon) * gain over the last dimension.
at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& gain, double epsilon);

/// Multiply-adds x 2 of one block for `tokens` tokens in windows of `window` (causal half of the attention
/// counted).
double blockFlops(const ModelConfig& config, double tokens, double window);

} // namespace bdq
