// Calibration tokens: from a text file, or text that the model generates itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "engine/api/job_context.h"
#include "engine/api/results.h"
#include "engine/model/device.h"
#include "engine/model/weights.h"

namespace bdq {

struct CalibrationTokens {
    at::Tensor ids; ///< [sequences, sequenceLength] int64 on the CPU
    TextInfo info;
};

/// The first windows of a text, or generated text for "self". A text that is too short for all sequences
/// gives fewer and a warning. Errors: NotFound, Io, MissingCalibration when there is not one whole sequence,
/// the tokenizer's.
Result<CalibrationTokens> calibrationTokens(const ModelWeights& weights, const CalibrationOptions& options,
                                            std::uint64_t seed, const ComputeDevice& device,
                                            JobContext& context);

/// Tokens of a whole text file. Errors: NotFound, Io, the tokenizer's.
Result<std::vector<std::int32_t>> tokenizeFile(const ModelWeights& weights, const std::string& path);

/// SHA-256 of tokens as little-endian int32.
std::string tokenHash(const std::vector<std::int32_t>& tokens);

} // namespace bdq
