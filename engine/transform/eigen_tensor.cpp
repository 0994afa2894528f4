#include "engine/transform/eigen_tensor.h"

#include <ATen/ATen.h>

namespace bdq::transform {

namespace {
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
}

at::Tensor tensorOf(const Eigen::Ref<const Eigen::MatrixXd>& matrix) {
    at::Tensor tensor = at::empty({matrix.rows(), matrix.cols()}, at::kDouble);
    Eigen::Map<RowMajor>(tensor.mutable_data_ptr<double>(), matrix.rows(), matrix.cols()) = matrix;
    return tensor;
}

Eigen::MatrixXd matrixOf(const at::Tensor& tensor) {
    const at::Tensor values = tensor.to(at::kCPU, at::kDouble).contiguous();
    const std::int64_t columns = values.dim() == 2 ? values.size(1) : 1;
    return Eigen::Map<const RowMajor>(values.const_data_ptr<double>(), values.size(0), columns);
}

} // namespace bdq::transform
