// Orthogonal matrices from unconstrained ones by the Cayley map.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace bdq::train {

/// L - L^T with L the strictly lower triangle of `free` [..., k, k]; the rest of `free` has no effect.
/// Differentiable.
at::Tensor skewOf(const at::Tensor& free);

/// (I + S)^-1 (I - S), orthogonal for a skew S [..., k, k] and I for S = 0; computed and returned in fp64 on
/// the device of S. Differentiable. I + S is never singular: the eigenvalues of S are imaginary.
at::Tensor cayley(const at::Tensor& skew);

/// Orthogonal [k, k] from the QR decomposition of a Gaussian matrix, signs fixed so that it is Haar
/// distributed; fp64, CPU. The same for the same seed on one machine.
at::Tensor randomOrthogonal(std::int64_t k, std::uint64_t seed);

} // namespace bdq::train
