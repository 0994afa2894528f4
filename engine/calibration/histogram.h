// Filling LogHistogram from tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include "engine/api/log_histogram.h"

namespace bdq {

/// Adds |x| of every entry; x fp32, any shape, CPU or CUDA. Agrees with LogHistogram::binOf except for
/// magnitudes within one fp32 rounding of an edge.
void addToHistogram(LogHistogram& histogram, const at::Tensor& x);

} // namespace bdq
