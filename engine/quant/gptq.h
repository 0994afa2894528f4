// GPTQ (arXiv 2210.17323): rounding column by column, the error of each column compensated in the columns not
// yet rounded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "engine/api/result.h"
#include "engine/quant/quantized_weight.h"

namespace bdq::quant {

struct GptqOptions {
    double damp = 0.01; ///< added to the diagonal as a share of its mean, > 0; GPTQ's default
    std::int64_t blockColumns =
        128;               ///< columns compensated one by one before the rest is updated by one product, >= 1
    bool mseRanges = true; ///< range of each row or group by the L2.4 search; false = extremes
};

struct GptqResult {
    QuantizedWeight weight;
    double loss = 0;     ///< tr((W - W^) H (W - W^)^T): mean squared output error per token, H undamped
    double usedDamp = 0; ///< damping that made H positive definite
    std::vector<std::string> notes; ///< warnings for people: dead input channels, raised damping
};

/// Quantizes `weight` (fp32 [out, n]) given `hessian` = E[x x^T] (fp64 [n, n], symmetric, in the same
/// transformed space). Input channels with H_jj = 0 never occur in the data: their weights become 0. With
/// groups the range of a group is computed from the compensated weights when its first column is reached;
/// groups may straddle column blocks. If the Cholesky factorisation fails, the damping is raised tenfold (and
/// noted) up to 1e2. Errors: InvalidSpec (bits, options), ShapeMismatch, NonFinite (weight, hessian, or no
/// damping suffices).
Result<GptqResult> gptq(const at::Tensor& weight, const at::Tensor& hessian, const OperandScheme& scheme,
                        const GptqOptions& options = {});

/// tr(E H E^T) with E = W - W^, computed in fp64: the loss above, for any rounding.
double outputError(const at::Tensor& weight, const at::Tensor& rounded, const at::Tensor& hessian);

} // namespace bdq::quant
