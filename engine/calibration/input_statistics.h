// What calibration remembers of the inputs of one site: merged moments over all tokens, in fp64.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "engine/calibration/matrix_sums.h"
#include "engine/calibration/token_sample.h"
#include "engine/transform/build_transform.h"

namespace bdq {

/// Streaming E[x^T x] of operands, for GPTQ: products in fp32 per call, summed in fp64 (relative error of a
/// call's product below tokens * 2^-24, far below GPTQ's damping of 1e-2).
class SecondMoment {
public:
    void add(const at::Tensor& x);         ///< fp32 [tokens, n]
    [[nodiscard]] at::Tensor mean() const; ///< fp64 [n, n]

private:
    at::Tensor m_sum;
    std::int64_t m_tokens = 0;
};

/// Streaming; add() may be called for any split of the tokens, the order changes results only by fp64
/// rounding.
class InputStatistics {
public:
    /// `needs`: what to remember beyond what every transform uses.
    explicit InputStatistics(transform::MomentNeeds needs = {}) : m_needs(needs) {}
    /// x fp32 [tokens, n]; n the same in every call. Sums live on the device of the first tensor.
    void add(const at::Tensor& x);

    [[nodiscard]] std::int64_t tokens() const { return m_tokens; }
    [[nodiscard]] transform::SiteMoments moments() const;
    /// fp64 [n, n], E[x^T x] on the inputs' device; only with MomentNeeds::secondMoment.
    [[nodiscard]] at::Tensor secondMoment() const { return m_second.mean(); }
    /// fp64 [n], E[x^4] / E[x^2]^2 per channel; 0 for a dead channel. CPU.
    [[nodiscard]] at::Tensor kurtosis() const;
    /// fp32 [tokens] in the order of add(), CPU.
    [[nodiscard]] at::Tensor tokenMin() const;
    [[nodiscard]] at::Tensor tokenMax() const;

private:
    void addBlocks(const at::Tensor& x);

    transform::MomentNeeds m_needs;
    std::int64_t m_tokens = 0;
    ColumnMoments m_moments;
    at::Tensor m_blocks; ///< fp64 [ceil(n / 128), 128, 128]
    std::vector<at::Tensor> m_tokenMin;
    std::vector<at::Tensor> m_tokenMax;
    at::Tensor m_absolute; ///< fp64 [n], sum |x|
    SecondMoment m_second;
    TokenSample m_sample;
};

} // namespace bdq
