// Weights rounded to the nearest code with the range that disturbs the layer's output least: AWQ's clipping
// search (arXiv 2306.00978, released code).
#pragma once

#include <ATen/core/Tensor.h>

#include "engine/quant/quantized_weight.h"

namespace bdq::quant {

/// Shrinking factors that are tried: p = 1 - i/20, i = 0..9.
inline constexpr int kOutputRangeSteps = 10;

/// Rounds `weight` fp32 [out, n]. Every group is clamped to +-p max|w|; kept is the p with the smallest
/// e^T S_gg e, e = W^ - W over the group's columns and S_gg their block of `secondMoment` S = E[x^T x] (fp64
/// [n, n], in the space of the weight), the first of equals: the error of the group's part of the output, as
/// the released code measures it on 512 tokens. Without groups that is the output's error of a row. Products
/// in fp32, rows in chunks; the same on CPU and CUDA. Errors: InvalidSpec, ShapeMismatch,
/// NonFinite.
Result<QuantizedWeight> roundToOutput(const at::Tensor& weight, const at::Tensor& secondMoment,
                                      const OperandScheme& scheme);

} // namespace bdq::quant
