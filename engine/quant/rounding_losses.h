// What rounding a matrix costs a scalar function of it to second order, for all bit widths at once, from
// samples of that function's gradient: the data behind estimated losses (engine/pipeline/loss_estimate.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

namespace bdq::quant {

/// How the range of a row is chosen; one grid a row.
struct RangeRule {
    bool symmetric = true;
    bool searched =
        false; ///< by the L2.4 norm among the factors 1.00, 0.95, ... 0.25; else the row's extremes
};

/// Adds up, over rows r of X, samples s and bits b = 2..8 of every rule, with e = Q_b(X) - X and p = e g_s:
///   independent = sum_s sum_r sum_i p_ri^2         (errors of different entries have nothing to do with each
///   other) byRow       = sum_s sum_r (sum_i p_ri)^2       (within a row they add up as they are) byColumn =
///   sum_s sum_i (sum_r p_ri)^2       (within a column)
/// The sum over everything, sum_s (sum_ri p_ri)^2, is the second-order loss itself, but one number a sample:
/// too noisy.
class RoundingLosses {
public:
    static constexpr int kWidths = 7; ///< bits 2..8

    /// n columns; `samples` gradients; rows shorter than `absmaxFloor` get that range. `device`: CPU or CUDA.
    RoundingLosses(std::vector<RangeRule> rules, float absmaxFloor, std::int64_t samples, std::int64_t n,
                   c10::Device device);

    /// `rows` fp32 [r, n] contiguous, `gradients` fp32 [samples, r, n] contiguous, on the device. On the CPU
    /// the result does not depend on the number of threads.
    void add(const at::Tensor& rows, const at::Tensor& gradients);

    /// fp64 [rules, 7] on the CPU.
    [[nodiscard]] const at::Tensor& independent() const { return m_independent; }
    [[nodiscard]] const at::Tensor& byRow() const { return m_byRow; }
    [[nodiscard]] at::Tensor byColumn() const;
    /// sum_r e_ri^2, fp64 [rules, 7, n] on the CPU.
    [[nodiscard]] at::Tensor squaredErrors() const;

private:
    [[nodiscard]] std::int64_t grids() const { return static_cast<std::int64_t>(m_rules.size()) * kWidths; }
    void addOnCpu(const at::Tensor& rows, const at::Tensor& gradients);
    void addWithAten(const at::Tensor& rows, const at::Tensor& gradients);

    std::vector<RangeRule> m_rules;
    float m_floor;
    at::Tensor m_independent; ///< fp64 [rules, 7], CPU
    at::Tensor m_byRow;       ///< same
    at::Tensor m_columns;     ///< fp64 [grids, samples, n]: sum_r p, on the device
    at::Tensor m_squares;     ///< fp64 [grids, n], on the device
};

} // namespace bdq::quant
