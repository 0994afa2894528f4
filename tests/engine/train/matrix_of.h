// Tensors as the plain matrices of tests/reference and back.
#pragma once

#include <ATen/ATen.h>

#include "tests/reference/rotation_reference.h"

namespace bdq::test {

inline reference::Matrix matrixOf(const at::Tensor& tensor) {
    const at::Tensor values = tensor.detach().to(at::kCPU, at::kDouble).contiguous();
    reference::Matrix matrix;
    for (std::int64_t i = 0; i < values.size(0); ++i) {
        const double* const row = values.const_data_ptr<double>() + i * values.size(1);
        matrix.emplace_back(row, row + values.size(1));
    }
    return matrix;
}

inline at::Tensor tensorOf(const reference::Matrix& matrix) {
    at::Tensor tensor = at::empty(
        {static_cast<std::int64_t>(matrix.size()), static_cast<std::int64_t>(matrix[0].size())}, at::kDouble);
    double* out = tensor.mutable_data_ptr<double>();
    for (const auto& row : matrix)
        out = std::copy(row.begin(), row.end(), out);
    return tensor;
}

inline double largestDifference(const at::Tensor& a, const at::Tensor& b) {
    return (a.detach().to(at::kDouble) - b.detach().to(at::kDouble)).abs().max().item<double>();
}

/// Largest entry of X X^T - 1.
inline double orthogonalityError(const at::Tensor& x) {
    const at::Tensor wide = x.detach().to(at::kDouble);
    return (at::matmul(wide, wide.mT()) - at::eye(x.size(-1), at::kDouble)).abs().max().item<double>();
}

} // namespace bdq::test
