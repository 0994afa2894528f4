// Sums of fp32 tensors in fp64 without a double-precision copy of the tensor.
#pragma once

#include <ATen/core/Tensor.h>

namespace bdq {

/// Sum of all entries of x fp32 [rows, n]: rows in fp32 (pairwise, relative error below log2(n) 2^-24 <
/// 1e-6), over rows in fp64. ATen's sum(kDouble) converts the whole tensor first, which took a third of an
/// analysis.
double sumOf(const at::Tensor& x);

/// fp64 [n]: column sums of x fp32 [rows, n]; up to 256 rows in fp32, over those in fp64.
at::Tensor columnSums(const at::Tensor& x);

} // namespace bdq
