// A weight matrix as integer codes with scales and zero points, and plain rounding of weights (RTN, MSE
// ranges).
#pragma once

#include <ATen/core/Tensor.h>

#include "engine/api/quant_scheme.h"
#include "engine/api/result.h"

namespace bdq::quant {

/// W^ = scale (code - zero) per group of input columns. Groups g = 0.. cover columns [g G, (g + 1) G), G =
/// scheme.groupSize or the whole row when that is 0; the last group may be shorter.
struct QuantizedWeight {
    at::Tensor codes;     ///< int8 [out, in]; asymmetric codes 0..2^b-1 are stored minus 2^(b-1)
    at::Tensor scales;    ///< fp32 [out, groups], > 0
    at::Tensor zeros;     ///< int32 [out, groups], in the same offset as the codes; all 0 when symmetric
    OperandScheme scheme; ///< bits 2..8

    /// fp32 [out, in] on the codes' device.
    [[nodiscard]] at::Tensor dequantize() const;
    /// Shapes, dtypes, scales finite and positive, codes and zeros inside the range of `scheme`.
    /// Errors: ShapeMismatch, NonFinite, BadFormat, naming the part, what was found and what was expected.
    [[nodiscard]] Status validate() const;
};

/// Number of range factors that the MSE range search tries: p = 1 - i/100, i = 0..79
/// (design/transforms.md 2.1).
inline constexpr int kRangeSteps = 80;
/// A weight group's absmax is not taken smaller than this (FlatQuant's released code).
inline constexpr float kWeightAbsmaxFloor = 1e-5F;

/// Rounds `weight` (fp32 [out, in], finite) to the nearest code. Rtn takes the range from the group's
/// extremes, Mse shrinks both ends by the p that minimises sum |W^ - W|^2.4 over the group. Fused loop on
/// CPU, ATen on CUDA. Errors: InvalidSpec (bits; OutputMse and Gptq, see output_mse.h and gptq.h),
/// ShapeMismatch, NonFinite.
Result<QuantizedWeight> roundWeights(const at::Tensor& weight, const OperandScheme& scheme,
                                     WeightRounding rounding);

/// Rounds `weight` to the nearest code of given ranges: low, high fp32 [out, groups] ([out] for one group),
/// finite, low <= 0 <= high, on the weight's device; the weight is clamped to [low, high] first (learned
/// weight clipping, design/transforms.md 3.5). Errors: InvalidSpec, ShapeMismatch, NonFinite (weight or a
/// range), BadFormat (0 outside a range).
Result<QuantizedWeight> roundWeights(const at::Tensor& weight, const OperandScheme& scheme,
                                     const at::Tensor& low, const at::Tensor& high);

} // namespace bdq::quant
