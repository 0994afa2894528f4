// Fake quantization with learned clipping (LWC, LAC) that passes gradients to its input and to the clipping:
// design/transforms.md 2.1 and 3.5, FlatQuant arXiv 2410.09426.
#pragma once

#include <ATen/core/Tensor.h>

#include "engine/api/quant_scheme.h"

namespace bdq::train {

/// Quantizes and dequantizes the rows of `x` [..., n] (per row, or per scheme.groupSize columns when > 0)
/// with the arithmetic of quant::fakeQuantize; with `clampFirst` that of quant::roundWeights (absmax floor of
/// weights).
///
/// `clip`: undefined, or sigmoid logits: [2] (one pair for all rows: activations) or [2, rows, 1] (one pair
/// for a row of x [rows, n]: weights). hi = max(x, 0) sigmoid(clip[0]), lo = min(x, 0) sigmoid(clip[1]).
/// `clampFirst`: x is clamped to [lo, hi] before it is quantized. 16 bits: returns x.
///
/// Gradients: rounding (of codes and of the zero point) is straight-through; the clamps pass the gradient
/// inside, their ends included; the scale is differentiable through the largest and the smallest number of a
/// group (the first of equals) and through clip. A group that is all zero has no gradient through its scale.
///
/// x: fp32, fp64, or half precision on any device (half is computed in fp32, result and gradient have x's
/// type); clip: fp32, or fp64 with fp64 x. Preconditions (c10::Error otherwise): bits 2..8 or 16, groupSize
/// >= 0, shapes as above, x not empty.
///
/// One custom autograd function: it keeps x and a few numbers a row. fp32 on the CPU runs in fused loops.
at::Tensor clippedQuantize(const at::Tensor& x, const OperandScheme& scheme, const at::Tensor& clip,
                           bool clampFirst);

/// The same from elementary differentiable operations: slow, readable, for tests and fp64.
at::Tensor clippedQuantizeReference(const at::Tensor& x, const OperandScheme& scheme, const at::Tensor& clip,
                                    bool clampFirst);

/// Ends of the clipped ranges of the groups of a weight [rows, n]: low, high fp32 [rows, groups].
struct ClippedRanges {
    at::Tensor low;
    at::Tensor high;
};
/// What learned weight clipping `clip` ([2, rows, 1], or undefined) makes of the groups' extremes, for
/// quant::roundWeights: it then gives the same numbers as clippedQuantize(weight, scheme, clip, true).
ClippedRanges clippedRanges(const at::Tensor& weight, const OperandScheme& scheme, const at::Tensor& clip);
/// Distance of neighbouring grid points of clippedQuantize(weight, scheme, clip, true) at every weight:
/// fp32, [rows, 1] or, with groups, [rows, n].
at::Tensor clippedStep(const at::Tensor& weight, const OperandScheme& scheme, const at::Tensor& clip);

} // namespace bdq::train
