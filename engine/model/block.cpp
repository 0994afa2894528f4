#include "engine/model/block.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace bdq {
namespace {

// In-place operations and those with a target cannot be differentiated; training pays for the copies.
bool differentiable() {
    return at::GradMode::is_enabled();
}

// x cos + rotateHalf(x) sin in two passes over x, written half by half instead of through a concatenation.
at::Tensor rotate(const at::Tensor& x, const Rope& rope) {
    const std::int64_t half = x.size(-1) / 2;
    const at::Tensor cosine = rope.cosine.narrow(-1, 0, half);
    const at::Tensor sine = rope.sine.narrow(-1, 0, half);
    const at::Tensor first = x.narrow(-1, 0, half);
    const at::Tensor second = x.narrow(-1, half, half);
    if (differentiable())
        return at::cat({first * cosine - second * sine, second * cosine + first * sine}, -1);
    at::Tensor rotated = at::empty_like(x);
    at::Tensor rotatedFirst = rotated.narrow(-1, 0, half);
    at::Tensor rotatedSecond = rotated.narrow(-1, half, half);
    at::mul_out(rotatedFirst, first, cosine).addcmul_(second, sine, -1);
    at::mul_out(rotatedSecond, second, cosine).addcmul_(first, sine);
    return rotated;
}

// [batch, tokens, heads * headDim] -> [batch, heads, tokens, headDim]
at::Tensor splitHeads(const at::Tensor& x, std::int64_t heads, std::int64_t headDim) {
    return x.view({x.size(0), x.size(1), heads, headDim}).transpose(1, 2);
}

void appendToCache(KvCache& cache, at::Tensor& k, at::Tensor& v) {
    const std::int64_t added = k.size(2);
    cache.keys.narrow(2, cache.length, added).copy_(k);
    cache.values.narrow(2, cache.length, added).copy_(v);
    cache.length += added;
    k = cache.keys.narrow(2, 0, cache.length);
    v = cache.values.narrow(2, 0, cache.length);
}

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t groups) {
    const bool causal = q.size(2) > 1;
    // The CPU kernel reads grouped heads in place; its backward and CUDA's fp32 kernel want one key head a
    // query head.
    if (groups == 1 || (q.is_cpu() && !differentiable()))
        return at::scaled_dot_product_attention(q, k, v, {}, 0.0, causal, {}, groups > 1);
    return at::scaled_dot_product_attention(q, k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1),
                                            {}, 0.0, causal);
}

// silu(gate) * up of [..., 2 intermediate]; on the CPU a few rows at a time, so that silu's result is still
// in cache.
at::Tensor gatedProduct(const at::Tensor& gateUp) {
    constexpr std::int64_t kRows = 64;
    const std::int64_t width = gateUp.size(-1) / 2;
    if (differentiable()) return at::silu(gateUp.narrow(-1, 0, width)) * gateUp.narrow(-1, width, width);
    const at::Tensor rows = gateUp.flatten(0, -2);
    at::Tensor product = at::empty({rows.size(0), width}, gateUp.options());
    const std::int64_t step = gateUp.is_cpu() ? kRows : rows.size(0);
    for (std::int64_t first = 0; first < rows.size(0); first += step) {
        const std::int64_t count = std::min(step, rows.size(0) - first);
        at::Tensor part = product.narrow(0, first, count);
        at::silu_out(part, rows.narrow(0, first, count).narrow(1, 0, width));
        part.mul_(rows.narrow(0, first, count).narrow(1, width, width));
    }
    std::vector<std::int64_t> shape = gateUp.sizes().vec();
    shape.back() = width;
    return product.view(shape);
}

// x + input weight^T; the matmul adds to x as it writes.
at::Tensor addLinear(const at::Tensor& x, const at::Tensor& input, const at::Tensor& weight) {
    return at::addmm(x.flatten(0, -2), input.flatten(0, -2), weight.t()).view(x.sizes());
}

} // namespace

BlockWeights BlockWeights::to(c10::Device device) const {
    BlockWeights moved{attentionNorm.to(device), mlpNorm.to(device), {}};
    for (std::size_t i = 0; i < linear.size(); ++i)
        moved.linear[i] = linear[i].to(device);
    return moved;
}

Rope Rope::create(const ModelConfig& config, std::int64_t positions, c10::Device device) {
    // fp64 angles: at position 2047 an fp32 angle is already off by 1e-4.
    const auto fp64 = at::TensorOptions().dtype(at::kDouble);
    const at::Tensor exponent = at::arange(0, config.headDim, 2, fp64) / static_cast<double>(config.headDim);
    const at::Tensor frequency = at::pow(at::scalar_tensor(config.ropeTheta, fp64), -exponent);
    const at::Tensor angle = at::outer(at::arange(positions, fp64), frequency);
    const at::Tensor both = at::cat({angle, angle}, -1);
    return {both.cos().to(device, at::kFloat), both.sin().to(device, at::kFloat)};
}

Rope Rope::slice(std::int64_t first, std::int64_t count) const {
    return {cosine.narrow(0, first, count), sine.narrow(0, first, count)};
}

at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& gain, double epsilon) {
    if (differentiable()) return x * at::rsqrt(x.square().mean(-1, true) + epsilon) * gain;
    // ATen's rms_norm writes the squares first; the norm alone needs one reading pass.
    const at::Tensor norm = at::linalg_vector_norm(x, 2, {-1}, true);
    const at::Tensor scale = norm.square_().div_(x.size(-1)).add_(epsilon).rsqrt_();
    return (x * scale).mul_(gain);
}

at::Tensor forwardBlock(const ModelConfig& config, const BlockWeights& weights, const Rope& rope,
                        const at::Tensor& x, BlockHooks& hooks, KvCache* cache) {
    const std::int64_t queryRows = config.heads * config.headDim;
    const std::int64_t cacheRows = config.kvHeads * config.headDim;

    const at::Tensor normed =
        hooks.siteInput(Site::Qkv, rmsNorm(x, weights.attentionNorm, config.normEpsilon));
    const auto qkv =
        at::linear(normed, weights.at(Site::Qkv)).split_with_sizes({queryRows, cacheRows, cacheRows}, -1);
    at::Tensor q = rotate(splitHeads(qkv[0], config.heads, config.headDim), rope);
    at::Tensor k = rotate(splitHeads(qkv[1], config.kvHeads, config.headDim), rope);
    at::Tensor v = splitHeads(qkv[2], config.kvHeads, config.headDim);
    hooks.attentionInputs(q, k, v);
    if (cache != nullptr) appendToCache(*cache, k, v);
    const at::Tensor mixed = attend(q, k, v, config.heads / config.kvHeads).transpose(1, 2).flatten(2);
    const at::Tensor attended = addLinear(x, hooks.siteInput(Site::O, mixed), weights.at(Site::O));

    const at::Tensor mlpInput =
        hooks.siteInput(Site::GateUp, rmsNorm(attended, weights.mlpNorm, config.normEpsilon));
    const at::Tensor product = gatedProduct(at::linear(mlpInput, weights.at(Site::GateUp)));
    return addLinear(attended, hooks.siteInput(Site::Down, product), weights.at(Site::Down));
}

double blockFlops(const ModelConfig& config, double tokens, double window) {
    const auto hidden = static_cast<double>(config.hiddenSize);
    const auto headsWidth = static_cast<double>(config.heads * config.headDim);
    const auto kvWidth = static_cast<double>(config.kvHeads * config.headDim);
    const double linear =
        hidden * (2 * headsWidth + 2 * kvWidth) + 3 * hidden * static_cast<double>(config.intermediateSize);
    const double attention = 2 * headsWidth * window / 2;
    return 2 * tokens * (linear + attention);
}

} // namespace bdq
