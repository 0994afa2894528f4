// What the optimizers ask of their parameters and of a state that they are given back.
#pragma once

#include <cstddef>

#include <ATen/core/Tensor.h>

#include "engine/api/result.h"

namespace bdq::train {

/// c10::Error naming `who` unless the parameter is an fp32 or fp64 leaf with requires_grad.
void requireLeaf(const at::Tensor& parameter, const char* who);
/// The same for square matrices [..., n, n].
void requireSquareLeaf(const at::Tensor& parameter, const char* who);

/// Errors: ShapeMismatch naming `who` and the index of the tensor.
Status checkSame(const at::Tensor& found, const at::Tensor& expected, const char* who, std::size_t index);
Status checkCount(std::size_t found, std::size_t expected, const char* who);

/// Orthogonal factor of X [..., n, n] by QR, the one nearest to it in sign.
at::Tensor orthogonalFactor(const at::Tensor& x);

} // namespace bdq::train
