// AWQ's search for a scale per channel (arXiv 2306.00978, released settings).
#pragma once

#include <ATen/core/Tensor.h>

#include "engine/api/quant_scheme.h"
#include "engine/api/result.h"

namespace bdq::transform {

/// Exponents that are tried: r = i / 20, i = 0..19.
inline constexpr int kAwqSteps = 20;
/// Smallest m^r before the scale is centred.
inline constexpr double kAwqFloor = 1e-4;

struct AwqScale {
    at::Tensor scale;    ///< s fp64 [n] > 0, on the weight's device; W -> W s, x -> x / s
    double exponent = 0; ///< r
    double error = 0;    ///< mean squared output error per token with it
};

/// s(r) = max(m^r, 1e-4) / sqrt(max s min s), m = meanAbs = E|x| (fp64 [n]); the r whose rounded weight
/// Q(W s) / s (nearest codes, range from the extremes) has the smallest tr((W^ - W) S (W^ - W)^T), the first
/// of equals: design/transforms.md 4.6. Products in fp32 (a sum of n terms is off by about 2^-24 sqrt(n) of
/// |e| |S| |e|, far below the difference between exponents), rows summed in fp64. `weight` fp32 [out, n],
/// `secondMoment` S = E[x^T x] fp64 [n, n], any device; computed on the weight's. A scheme that does not
/// quantize gives s = 1. The released code measures the error behind the attention or the MLP for weights
/// that feed one; S gives that of the linear layers themselves. Errors: ShapeMismatch, NonFinite, InvalidSpec
/// (bits).
Result<AwqScale> searchAwqScale(const at::Tensor& meanAbs, const at::Tensor& secondMoment,
                                const at::Tensor& weight, const OperandScheme& scheme);

} // namespace bdq::transform
