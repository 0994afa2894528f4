// One finished layer of a run on disk: integer codes, scales, transforms and the layer's result rows.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/api/results.h"
#include "engine/pipeline/quantized_layer.h"

namespace bdq {

struct LayerCheckpoint {
    QuantizedBlock block; ///< on the CPU
    std::vector<RunSiteResult> rows;
    std::string modelFingerprint{}; ///< of the weights; empty = made before layers named them
};

/// "layers/L007.safetensors"
std::string layerFileName(int layer);
/// Atomic: the file is whole or not there. Errors: Io, DiskFull.
Status writeLayerCheckpoint(const std::filesystem::path& path, const LayerCheckpoint& checkpoint);
/// Errors: the tensor file's; BadFormat, ShapeMismatch when it does not fit the model.
Result<LayerCheckpoint> readLayerCheckpoint(const std::filesystem::path& path, const ModelConfig& config);

} // namespace bdq
