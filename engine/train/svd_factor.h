// A square matrix as U diag(s) V^T with learned orthogonal U, V: its inverse needs no matrix inverse
// (FlatQuant, arXiv 2410.09426, released code; design/transforms.md 3.3).
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "engine/train/leaves.h"

namespace bdq::train {

/// P and P^-T, fp64, differentiable in the parameters.
struct MatrixPair {
    at::Tensor forward;
    at::Tensor inverseTransposed;
};

/// U = cayley(-skew(F_u) / 2) = (I - A/2)^-1 (I + A/2) with A = skew(F_u), V likewise. F_u and F_v start at
/// random orthogonal matrices, which the map does not reproduce: U starts part-way between identity and a
/// random rotation (mean diagonal about 0.65), P at 0.39-0.43. s starts at 1 and may change its sign.
class SvdFactor {
public:
    /// Order k >= 1. Two factors of one site need different seeds.
    SvdFactor(std::int64_t k, std::uint64_t seed, at::Device device, at::ScalarType type);

    [[nodiscard]] MatrixPair matrices() const;
    /// Leaves by name: "u" [k, k], "v" [k, k], "s" [k].
    [[nodiscard]] NamedTensors leaves() const;

private:
    at::Tensor m_freeU, m_freeV; ///< [k, k]
    at::Tensor m_values;         ///< s [k]
};

} // namespace bdq::train
