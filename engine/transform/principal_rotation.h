// Orthogonal matrix from the principal axes of rows: OSTQuant's weight outlier minimisation (WOMI), arXiv
// 2501.13987 section 4.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "engine/api/result.h"

namespace bdq::transform {

/// Sums over rows w [rows, n], of any number of calls, in fp64.
class RowCovariance {
public:
    void add(const at::Tensor& rows);
    /// (sum w^T w - sum^T sum / rows) / rows, fp64 [n, n].
    [[nodiscard]] at::Tensor covariance() const;

private:
    at::Tensor m_sum;    ///< [n]
    at::Tensor m_square; ///< [n, n]
    std::int64_t m_rows = 0;
};

/// R = U H fp64 [n, n] on the covariance's device: U the eigenvectors of `covariance` in columns, by
/// ascending eigenvalue, each with its largest entry positive; H the randomised Hadamard of SiteTransform.
/// Rows w R have every principal axis spread over all channels. Errors: NonFinite, Unsupported (no Hadamard
/// for n).
Result<at::Tensor> principalRotation(const at::Tensor& covariance, std::uint64_t seed);

/// The randomised Hadamard alone, fp64 [n, n] on the CPU. Errors: Unsupported, InvalidSpec (n).
Result<at::Tensor> hadamardMatrix(std::int64_t n, std::uint64_t seed);

} // namespace bdq::transform
