// Tensors of libtorch as arrays of our own safetensors files, and back.
#pragma once

#include <ATen/core/Tensor.h>

#include "engine/io/tensor_file.h"

namespace bdq {

/// libtorch's name of an array's type.
at::ScalarType scalarType(io::HostTensor::Type type);
/// Copy of a tensor of any device; fp32, fp64, uint8 or int8 to int64.
io::HostTensor toHostTensor(const at::Tensor& tensor);
/// Copy on the CPU.
at::Tensor toTorchTensor(const io::HostTensor& tensor);

} // namespace bdq
