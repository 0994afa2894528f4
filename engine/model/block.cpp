#include "engine/model/block.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>

#include "engine/api/model_shape.h"

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

// True where a query reads a key: [queries, keys]; the last query stands at the last key.
at::Tensor attentionMask(std::int64_t queries, std::int64_t keys, std::int64_t window, c10::Device device) {
    const auto options = at::TensorOptions().dtype(at::kLong).device(device);
    const at::Tensor query = at::arange(keys - queries, keys, options).unsqueeze(1);
    const at::Tensor key = at::arange(keys, options).unsqueeze(0);
    const at::Tensor causal = key <= query;
    return window > 0 ? causal.logical_and(key > query - window) : causal;
}

at::Tensor attend(const at::Tensor& q, at::Tensor k, at::Tensor v, std::int64_t groups, std::int64_t window) {
    const std::int64_t queries = q.size(2);
    const bool windowed = window > 0 && k.size(2) > window;
    if (queries == 1) {
        if (windowed) {
            k = k.narrow(2, k.size(2) - window, window);
            v = v.narrow(2, v.size(2) - window, window);
        }
        // It reads every key: the queries of a group stand as the rows of one head, which is read once.
        return at::scaled_dot_product_attention(q.reshape({q.size(0), k.size(1), groups, q.size(3)}), k, v)
            .reshape(q.sizes());
    }
    const bool masked = windowed || queries != k.size(2);
    const bool causal = !masked;
    std::optional<at::Tensor> mask;
    if (masked) mask = attentionMask(queries, k.size(2), window, q.device());
    // The CPU kernel reads grouped heads in place; its backward and CUDA's fp32 kernel want one key head a
    // query head.
    if (groups == 1 || (q.is_cpu() && !differentiable()))
        return at::scaled_dot_product_attention(q, k, v, mask, 0.0, causal, {}, groups > 1);
    return at::scaled_dot_product_attention(q, k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1),
                                            mask, 0.0, causal);
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

// x + input weight^T + bias; the matmul adds to x as it writes.
at::Tensor addLinear(const at::Tensor& x, const at::Tensor& input, const BlockWeights& weights, Site site) {
    // In half precision the residual stream would lose what the blocks add to it.
    if (at::autocast::is_autocast_enabled(x.device().type()))
        return x + at::linear(input, weights.at(site), weights.biasAt(site));
    const at::Tensor sum =
        at::addmm(x.flatten(0, -2), input.flatten(0, -2), weights.at(site).t()).view(x.sizes());
    return weights.biasAt(site).defined() ? sum + weights.biasAt(site) : sum;
}

// [batch, heads, tokens, headDim], normalised where the model does so, then rotated.
at::Tensor rotatedHeads(const at::Tensor& x, std::int64_t heads, const ModelConfig& config,
                        const at::Tensor& gain, const Rope& rope) {
    const at::Tensor split = splitHeads(x, heads, config.headDim);
    return rotate(gain.defined() ? rmsNorm(split, gain, config.normEpsilon) : split, rope);
}

} // namespace

BlockWeights BlockWeights::to(c10::Device device, at::ScalarType type) const {
    BlockWeights moved = *this;
    const auto move = [device, type](at::Tensor& tensor) {
        if (tensor.defined()) tensor = tensor.to(device, type);
    };
    for (at::Tensor* tensor : {&moved.attentionNorm, &moved.mlpNorm, &moved.queryNorm, &moved.keyNorm})
        move(*tensor);
    for (std::size_t i = 0; i < linear.size(); ++i) {
        move(moved.linear[i]);
        move(moved.bias[i]);
    }
    return moved;
}

Rope Rope::create(const ModelConfig& config, std::int64_t positions, c10::Device device) {
    // fp64 angles: at position 2047 an fp32 angle is already off by 1e-4.
    const auto fp64 = at::TensorOptions().dtype(at::kDouble);
    const at::Tensor exponent = at::arange(0, config.headDim, 2, fp64) / static_cast<double>(config.headDim);
    at::Tensor frequency = at::pow(at::scalar_tensor(config.ropeTheta, fp64), -exponent);
    if (!config.ropeDivisors.empty()) frequency = frequency / at::tensor(config.ropeDivisors, fp64);
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
    const auto qkv = at::linear(normed, weights.at(Site::Qkv), weights.biasAt(Site::Qkv))
                         .split_with_sizes({queryRows, cacheRows, cacheRows}, -1);
    at::Tensor q = rotatedHeads(qkv[0], config.heads, config, weights.queryNorm, rope);
    at::Tensor k = rotatedHeads(qkv[1], config.kvHeads, config, weights.keyNorm, rope);
    at::Tensor v = splitHeads(qkv[2], config.kvHeads, config.headDim);
    hooks.attentionInputs(q, k, v);
    if (cache != nullptr) appendToCache(*cache, k, v);
    const at::Tensor mixed =
        attend(q, k, v, config.heads / config.kvHeads, weights.window).transpose(1, 2).flatten(2);
    const at::Tensor attended = addLinear(x, hooks.siteInput(Site::O, mixed), weights, Site::O);

    const at::Tensor mlpInput =
        hooks.siteInput(Site::GateUp, rmsNorm(attended, weights.mlpNorm, config.normEpsilon));
    const at::Tensor product =
        gatedProduct(at::linear(mlpInput, weights.at(Site::GateUp), weights.biasAt(Site::GateUp)));
    return addLinear(attended, hooks.siteInput(Site::Down, product), weights, Site::Down);
}

double blockFlops(const ModelConfig& config, double tokens, double window) {
    const auto headsWidth = static_cast<double>(config.heads * config.headDim);
    const auto linear = static_cast<double>(blockWeightCount(config));
    const double attention = 2 * headsWidth * window / 2;
    return 2 * tokens * (linear + attention);
}

} // namespace bdq
