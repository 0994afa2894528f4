// Fused CPU loops of clippedQuantize: fp32 rows, every row a group of its own.
#pragma once

#include <ATen/core/Tensor.h>

namespace bdq::train {

struct ClippedRowOptions {
    int bits = 4;
    bool symmetric = true;
    bool clampFirst = false;
    float floor = 0; ///< smallest absmax of a symmetric grid
};

/// x fp32 [..., n] contiguous on the CPU; clip undefined, fp32 [2], or fp32 [2, rows, 1, ..] whose pair r is
/// that of x[r]. Returns the quantized rows.
at::Tensor clippedRows(const at::Tensor& x, const at::Tensor& clip, const ClippedRowOptions& options);

struct RowGradients {
    at::Tensor x;
    at::Tensor clip; ///< undefined without clip
};
/// Gradients of sum(g * clippedRows(x, clip)), rounding straight-through; the same with any thread count.
RowGradients clippedRowGradients(const at::Tensor& x, const at::Tensor& g, const at::Tensor& clip,
                                 const ClippedRowOptions& options);

} // namespace bdq::train
