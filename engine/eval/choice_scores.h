// Log-probabilities of continuations, many short sequences at once.
#pragma once

#include <functional>
#include <vector>

#include "engine/api/job_context.h"
#include "engine/eval/choice_requests.h"
#include "engine/model/layer_source.h"

namespace bdq {

/// Sum of the log-probabilities of the targets of every request, fp64, in order. Inputs of similar length go
/// through the model as one batch, padded on the right; `layers` is asked for one layer at a time.
/// `progress(done, total)` counts padded tokens times layers. Errors: the source's, Cancelled.
Result<std::vector<double>> scoreChoices(const ModelWeights& weights, LayerSource& layers,
                                         const ChoiceRequests& requests, const ComputeDevice& device,
                                         const JobContext& context,
                                         const std::function<void(double, double)>& progress);

} // namespace bdq
