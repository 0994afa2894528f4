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

/// The first windows of a text, or generated text for "self", whose sequences all begin with the model's BOS
/// token when it has one. Warnings: a text that is too short for all sequences gives fewer; sequences are
/// longer than the model's context; what readTextOf warns of. Errors: NotFound, Io, MissingCalibration when
/// there is not one whole sequence, readTextOf's and the tokenizer's.
Result<CalibrationTokens> calibrationTokens(const ModelWeights& weights, const CalibrationOptions& options,
                                            std::uint64_t seed, const ComputeDevice& device,
                                            JobContext& context);

/// The tokens of a whole text file.
struct TextTokens {
    std::vector<std::int32_t> ids; ///< each has a row in the model's embedding
    bool bos = false;              ///< the first one is a BOS that was put in front
    std::string form;              ///< FileText::form
};
/// Warns of what readTextOf warns of, and when texts are taken from records. Errors: readTextOf's, the
/// tokenizer's.
Result<TextTokens> tokenizeFile(const ModelWeights& weights, const std::string& path, BosMode bos,
                                JobContext& context);

/// Warns when `length` tokens, "--seq-len" and the like, are more than the model was made for: what lies
/// beyond its context has positions that it never saw. `what` = "windows" or "calibration sequences".
void warnBeyondContext(const ModelConfig& model, int length, const std::string& what, JobContext& context);

/// SHA-256 of tokens as little-endian int32.
std::string tokenHash(const std::vector<std::int32_t>& tokens);

} // namespace bdq
