// Shared by the weight rounders: argument checks and the grid of one group of weights.
#pragma once

#include <cstdint>
#include <string>

#include <ATen/core/Tensor.h>

#include "engine/api/quant_scheme.h"
#include "engine/api/result.h"
#include "engine/quant/row_kernels.h"

namespace bdq::quant {

/// "Float [576, 1536]".
std::string describeTensor(const at::Tensor& tensor);

/// fp32 [out, in], not empty, finite; bits 2..8; group size >= 0. Errors: InvalidSpec, ShapeMismatch,
/// NonFinite.
Status requireWeight(const at::Tensor& weight, const OperandScheme& scheme, const char* who);

/// Grid of x[0..n) from its extremes, or from the L2.4 search.
Grid groupGrid(const float* x, std::int64_t n, const OperandScheme& scheme, bool search);

} // namespace bdq::quant
