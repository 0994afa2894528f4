// Perplexity of the full or the quantized model, shared by `eval` and `run --eval`.
#pragma once

#include <functional>
#include <string>

#include "engine/api/results.h"
#include "engine/eval/perplexity.h"

namespace bdq {

/// Tokenises the text and runs the protocol. `runDir` empty = the model as it is. Compares with the full
/// model only in evaluate(), which has the time for it.
Result<EvalResult> evaluateModel(const ModelWeights& weights, const std::string& runDir,
                                 const EvaluationOptions& options, const ComputeDevice& device,
                                 JobContext& context, const std::function<void(double, double)>& progress);

} // namespace bdq
