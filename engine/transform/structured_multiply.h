// Products of row vectors with block-diagonal and Kronecker matrices. Rows are x [..., n].
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace bdq::transform {

/// x blockdiag(B_0, B_1, ...) with blocks [ceil(n / k), k, k]; of a shorter last block only the leading part
/// counts. Not differentiable (writes into slices of its result).
at::Tensor multiplyBlocks(const at::Tensor& x, const at::Tensor& blocks);

/// x (I kron right): every piece of b channels times right [b, b]. Differentiable.
at::Tensor multiplyRight(const at::Tensor& x, const at::Tensor& right);

/// x (left kron I_b) on every segment of a * b channels: V -> left^T V with V = the segment viewed as [a, b],
/// left [a, a]. Differentiable.
at::Tensor multiplyLeft(const at::Tensor& x, const at::Tensor& left, std::int64_t b);

} // namespace bdq::transform
