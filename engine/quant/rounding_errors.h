// Per-channel rounding errors of a matrix for all bit widths at once: the data behind predicted SQNR
// (design/measurements.md, "Per-channel rounding error").
#pragma once

#include <ATen/core/Tensor.h>

namespace bdq::quant {

/// Row b - 2 (b = 2..8), column i: (Q_b(x)_ri - x_ri)^2 averaged (activations) or summed (weights) over the
/// rows r.
struct RoundingErrors {
    at::Tensor symmetric;  ///< fp64 [7, n]
    at::Tensor asymmetric; ///< fp64 [7, n]
};

/// One pass over `x` (fp32 [rows, n] or [..., n], CPU or CUDA; rows >= 1) with one scale per row, arithmetic
/// of affine.h; squares in fp32, sums in fp64. `mean` true divides by the number of rows. Result on x's
/// device.
RoundingErrors roundingErrors(const at::Tensor& x, bool mean);

} // namespace bdq::quant
