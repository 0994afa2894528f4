// The rotation of the residual stream that all layers of a run share (SpinQuant, arXiv 2405.16406; OSTQuant,
// arXiv 2501.13987): one file beside the layer checkpoints, which refer to it.
#pragma once

#include <cstdint>
#include <filesystem>

#include <ATen/core/Tensor.h>

#include "engine/api/result.h"

namespace bdq {

/// Writes `rotation` [hidden, hidden] as fp32 into `layersFolder`, atomically. Errors: Io, DiskFull.
Status writeResidualRotation(const std::filesystem::path& layersFolder, const at::Tensor& rotation);

/// fp32 [hidden, hidden] on the CPU. Errors: NotFound (no such file), the tensor file's, ShapeMismatch,
/// BadFormat, all naming the file. That it is orthogonal is for transform::SiteTransform to check.
Result<at::Tensor> readResidualRotation(const std::filesystem::path& layersFolder, std::int64_t hidden);

} // namespace bdq
