// What the whole model loses when a site alone is quantized, for every site, transform and bit width, from
// one backward pass over a few sequences.
//
// KL(full || quantized) is, to second order in the rounding errors e of a tensor z, E (grad_z . e)^2 / 2 with
// the gradient of log p(label), labels drawn from the model itself (the Fisher information). With the
// gradients of a transformed weight W' = W P^-T (gradient G P) and of a transformed input x' = x P (gradient
// u P^-T) no noise has to go through a matmul, and one pass serves all bits. The square of the whole sum is
// one number a sample and too noisy; what is taken is between two sums that average well
// (engine/quant/rounding_losses.h):
//   weights      sqrt(byRow byColumn)      over the gradient of a whole sequence: errors of a weight are the
//   same at
//                                          every token, so the tokens' gradients are added before the square
//   activations  sqrt(byRow independent)   row = token
// Under rotations both sums agree; without one they differ by up to a factor of two and the truth lies
// between (docs: README, Measured, "Estimated losses").
#pragma once

#include <functional>

#include <ATen/core/Tensor.h>

#include "engine/api/job_context.h"
#include "engine/api/results.h"
#include "engine/model/device.h"
#include "engine/model/weights.h"

namespace bdq {

struct LossEstimateOptions {
    int tokens =
        1024; ///< about so many, from the start of the text: what `bdq sensitivity` measures by default
    int sequenceLength = 512; ///< at most
    int labels = 2;           ///< a token; fewer when the gradients of a block would not fit
    std::uint64_t seed = 0;
};

/// Called with the share of the work that was done since the last call; the shares add up to 1.
using LossProgress = std::function<void(double)>;

/// Fills `loss`, the searched weight noise and lossEstimate of `analysis`, whose site files lie in `folder`,
/// and emits an "analysis_site" row for every site again. `ids` int64 [sequences, length >= 2] of the
/// calibration text. Memory: one block, and its gradients once a sequence and label. Must not run in
/// inference mode. Errors: Cancelled, NonFinite naming the site, the readers'.
Status estimateLosses(const ModelWeights& weights, const ComputeDevice& device, const at::Tensor& ids,
                      const std::string& folder, const LossEstimateOptions& options, AnalysisResult& analysis,
                      JobContext& context, const LossProgress& progress);

} // namespace bdq
