// Learns the transforms and clipping of one block so that its quantized output is that of the full block
// (FlatQuant, arXiv 2410.09426, released code; design/transforms.md 3.8).
#pragma once

#include <functional>
#include <vector>

#include "engine/api/job_context.h"
#include "engine/api/method.h"
#include "engine/train/trainable_block.h"

namespace bdq::train {

/// What a block is trained on: hidden states [sequences, tokens, hidden] in calibration order.
struct BlockData {
    at::Tensor inputs;
    at::Tensor targets; ///< of the full-precision block
};

struct BlockTraining {
    std::vector<double> losses; ///< mean squared error of every step
    bool stoppedNonFinite =
        false; ///< the loss left the finite numbers; parameters are those of the last epoch before
};

/// recipe.epochs passes over the sequences in fixed order, recipe.batch at a time; loss MSE / its own value;
/// AdamW, cosine to 1/1000 of the rates. A loss that is not finite ends the block with the parameters of the
/// last good epoch. `advance(share)` adds up to 1. Errors: Cancelled.
Result<BlockTraining> trainBlock(TrainableBlock& block, const BlockData& data, const Rope& rope,
                                 const TrainingRecipe& recipe, const JobContext& context,
                                 const std::function<void(double)>& advance);

} // namespace bdq::train
