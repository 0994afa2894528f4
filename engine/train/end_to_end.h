// Distils the full model into the quantized one: all blocks' transforms and clipping learn from the logits
// (design/product.md 8, bdq.md 7).
#pragma once

#include <functional>
#include <vector>

#include "engine/api/job_context.h"
#include "engine/api/method.h"
#include "engine/train/model_optimizer.h"
#include "engine/train/trainable_block.h"

namespace bdq::train {

/// The model around the blocks and what it learns from. Tensors on the compute device.
struct Distillation {
    at::Tensor tokens; ///< int64 [sequences, length]
    at::Tensor
        teacherHidden;    ///< fp32 [sequences, length, hidden]: the full model's last block, before the norm
    at::Tensor embedding; ///< [vocab, hidden]
    at::Tensor head;      ///< [vocab, hidden]
    at::Tensor finalNorm; ///< [hidden]
    double normEpsilon = 0;
    std::uint64_t seed = 0; ///< of the order of sequences
};

/// Where an interrupted training goes on.
struct EndToEndState {
    std::int64_t step = 0;
    std::vector<State> blocks;
    std::vector<at::Tensor> optimizer;
    State shared; ///< leaves that belong to no block: of a ModelRotation
};

struct EndToEndTraining {
    std::vector<double> losses; ///< of the steps of this process
    bool stoppedNonFinite = false;
};

/// Called with a state to keep after the first `every` steps, then after every `every`-th step at which the
/// training has taken ten times as long as the call before, and after the last step.
struct Checkpointing {
    int every = 25;
    std::function<Status(const EndToEndState&)> save;
};

/// recipe.endToEndSteps steps of recipe.batch random sequences; gradient norm at most 1, updates as
/// makeModelOptimizer() says. Where the graphs of all blocks fit into a GPU's free memory they are kept;
/// else, and on the CPU, only activations between blocks are, and those inside are computed again on the way
/// back. `resume`: state to go on from, step 0 with empty parts to begin. On the CPU a resumed training gives
/// the same bits. A loss that is not finite ends the training with the last saved parameters. Errors:
/// Cancelled, save's.
Result<EndToEndTraining> trainEndToEnd(std::vector<TrainableBlock>& blocks, const Distillation& data,
                                       const Rope& rope, const TrainingRecipe& recipe, EndToEndState resume,
                                       const Checkpointing& checkpointing, const JobContext& context,
                                       const std::function<void(double)>& advance,
                                       const ModelRotation& rotation = {});

} // namespace bdq::train
