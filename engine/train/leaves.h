// Parameters of a trainable part by name: what optimizers change and checkpoints hold.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "engine/api/result.h"

namespace bdq::train {

using NamedTensors = std::map<std::string, at::Tensor>;

/// A new leaf with requires_grad that holds the values.
at::Tensor leaf(const at::Tensor& values, at::Device device, at::ScalarType type);

/// The tensors in the order of their names.
std::vector<at::Tensor> tensorsOf(const NamedTensors& leaves);

/// Detached copies on the leaves' device.
NamedTensors copyOf(const NamedTensors& leaves);

/// Copies the values into the leaves, which stay the same tensors (optimizers hold them). Nothing is changed
/// on error. Errors, naming `owner` and the tensor: BadFormat (missing or unknown name), ShapeMismatch,
/// NonFinite.
Status assign(const NamedTensors& leaves, const NamedTensors& values, const std::string& owner);

/// Adds `part`'s leaves under prefix + name.
void addLeaves(NamedTensors& leaves, const std::string& prefix, const NamedTensors& part);

} // namespace bdq::train
