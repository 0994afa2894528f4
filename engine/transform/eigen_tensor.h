// Between the Eigen matrices of bdq::analysis and ATen tensors.
#pragma once

#include <Eigen/Core>

#include <ATen/core/Tensor.h>

namespace bdq::transform {

/// fp64 [rows, cols] copy; a column vector becomes [n, 1].
at::Tensor tensorOf(const Eigen::Ref<const Eigen::MatrixXd>& matrix);
/// Copy of a tensor with 1 (column vector) or 2 dimensions, any floating type and device.
Eigen::MatrixXd matrixOf(const at::Tensor& tensor);

} // namespace bdq::transform
