// Rotations of size head_dim with which a method starts: K's stays online, V's is folded into the weights.
#pragma once

#include <optional>

#include "engine/api/method.h"
#include "engine/model/block.h"
#include "engine/model/device.h"
#include "engine/transform/head_rotation.h"

namespace bdq {

struct CacheRotation {
    std::optional<transform::HeadRotation> keys; ///< on the device; of q and k after RoPE
    std::uint64_t seed = 0;
};

/// Folds V's rotation into `weights` (a private copy: v rows and o columns change) and returns K's. Nothing
/// happens when the method does not rotate or neither cache is quantized. Errors: HeadRotation's.
Result<CacheRotation> rotateCache(const ModelConfig& config, const MethodInfo& method, const Plan& plan,
                                  std::uint64_t jobSeed, int layer, const ComputeDevice& device,
                                  BlockWeights& weights);

} // namespace bdq
