// Where training starts for methods that turn the residual stream: SpinQuant (arXiv 2405.16406) and OSTQuant
// (arXiv 2501.13987). Design/transforms.md 4.2, 4.4.
//
// Folding R into the residual stream x -> x R leaves a model as it is once the gains g of the norms are
// folded into the weights behind them, because x -> x R commutes with a norm without gain. What is quantized
// then is
//   at qkv and gate_up  norm(x) R     and  W diag(g) R, with OSTQuant's scale s: norm(x) R s, W diag(g) R /
//   s; at o and down       the input, with what belongs to the site itself, and R^T W.
// Here the residual stream stays unrotated, which changes nothing else: sites get the transform
// diag(1 / g) R diag(s), and the rows of o and down are rounded in the turned space (QuantizedSite).
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "engine/api/job_context.h"
#include "engine/model/weights.h"
#include "engine/pipeline/layer_quantizer.h"
#include "engine/train/trainable_block.h"

namespace bdq {

[[nodiscard]] constexpr bool turnsResidualStream(LearnedForm form) {
    return form == LearnedForm::ResidualRotation || form == LearnedForm::ScaledResidualRotation;
}

/// R as an fp64 leaf [hidden, hidden]. ResidualRotation: a randomised Hadamard. ScaledResidualRotation:
/// principalRotation() of the rows of W diag(g) at qkv and gate_up of all layers (OSTQuant's WOMI). Errors:
/// the readers', Unsupported (no Hadamard for the hidden size), Cancelled.
Result<at::Tensor> startResidualRotation(const ModelWeights& weights, LearnedForm form, std::uint64_t seed,
                                         at::Device device, JobContext& context);

/// The block with the method's transforms at their start; `residual` from startResidualRotation(). Weights
/// are quantized in the training unless the run rounds them by GPTQ afterwards: then it learns with
/// full-precision weights (SpinQuant section 4.3). Errors: InvalidSpec (learned rounding of weights),
/// Unsupported, those of LearnedSite and LearnedHead.
Result<train::TrainableBlock> startResidualBlock(const ModelConfig& config,
                                                 const LayerQuantizerOptions& options,
                                                 const TrainingRecipe& recipe, int layer,
                                                 BlockWeights weights, const at::Tensor& residual);

} // namespace bdq
