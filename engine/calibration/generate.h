// Text that the model generates itself: calibration without data, as LLM-QAT does (arXiv 2305.17888,
// section 3.1).
#pragma once

#include <cstdint>
#include <optional>

#include <ATen/core/Tensor.h>

#include "engine/api/job_context.h"
#include "engine/model/device.h"
#include "engine/model/weights.h"

namespace bdq {

struct GenerationOptions {
    int sequences = 8;
    int length = 512; ///< tokens per sequence, the first included
    std::uint64_t seed = 0;
    std::optional<std::int32_t> bosId; ///< never generated; starts every sequence when the model has one
    std::optional<std::int32_t> eosId; ///< never generated: the text goes on
    int greedyTokens = 4; ///< most likely token at the beginning, sampled after that, as LLM-QAT found best
    std::int64_t cacheBytes = 0; ///< of keys and values at once; 0 = 2 GiB, 16 GiB on a GPU
};

/// As many sequences at once as `cacheBytes` hold, at least one; one token a step; all layers stay resident
/// in fp32. Returns [sequences, length] int64 on the CPU; the same seed gives the same text on the same
/// device. Errors: Cancelled, the readers', DeviceOom, HostOom.
Result<at::Tensor> generateTokens(const ModelWeights& weights, const GenerationOptions& options,
                                  const ComputeDevice& device, JobContext& context);

} // namespace bdq
