#include "engine/train/block_trainer.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "engine/train/optimizer.h"

namespace bdq::train {
namespace {

/// The steps of one epoch; losses stay on the device until the epoch is over.
class Epochs {
public:
    Epochs(TrainableBlock& block, const BlockData& data, const Rope& rope, const TrainingRecipe& recipe)
        : m_block(block), m_data(data), m_rope(rope), m_recipe(recipe),
          m_optimizer({{block.transformParameters(), recipe.rate, recipe.weightDecay},
                       {block.clippingParameters(), recipe.clippingRate, recipe.weightDecay},
                       {block.roundingParameters(), recipe.roundingRate, 0}}) {
        m_batches = (data.inputs.size(0) + recipe.batch - 1) / recipe.batch;
    }

    Result<std::vector<double>> run(const JobContext& context, const std::function<void(double)>& advance);

private:
    at::Tensor step(std::int64_t batch);

    TrainableBlock& m_block;
    const BlockData& m_data;
    const Rope& m_rope;
    const TrainingRecipe& m_recipe;
    AdamW m_optimizer;
    std::int64_t m_batches = 0;
    std::int64_t m_step = 0;
};

at::Tensor Epochs::step(std::int64_t batch) {
    const std::int64_t first = batch * m_recipe.batch;
    const std::int64_t count = std::min<std::int64_t>(m_recipe.batch, m_data.inputs.size(0) - first);
    m_block.prepare();
    const at::Tensor output = m_block.forward(m_data.inputs.narrow(0, first, count), m_rope);
    const at::Tensor loss = at::mse_loss(output, m_data.targets.narrow(0, first, count));
    // A block that has nothing to lose (zeros) has a gradient of 0, not of 0 / 0.
    (loss / loss.detach().clamp_min(FLT_MIN)).backward();
    m_optimizer.step(cosineFactor(m_step++, m_recipe.epochs * m_batches));
    m_optimizer.zeroGrad();
    m_block.limitRounding();
    return loss.detach();
}

Result<std::vector<double>> Epochs::run(const JobContext& context,
                                        const std::function<void(double)>& advance) {
    std::vector<at::Tensor> losses;
    for (std::int64_t batch = 0; batch < m_batches; ++batch) {
        BDQ_CHECK(context.checkCancelled());
        losses.push_back(step(batch));
        advance(1.0 / static_cast<double>(m_recipe.epochs * m_batches));
    }
    const at::Tensor host = at::stack(losses).to(at::kCPU, at::kDouble);
    return std::vector<double>(host.const_data_ptr<double>(), host.const_data_ptr<double>() + host.numel());
}

} // namespace

Result<BlockTraining> trainBlock(TrainableBlock& block, const BlockData& data, const Rope& rope,
                                 const TrainingRecipe& recipe, const JobContext& context,
                                 const std::function<void(double)>& advance) {
    const c10::AutoGradMode gradients(true);
    BlockTraining training;
    Epochs epochs(block, data, rope, recipe);
    for (int epoch = 0; epoch < recipe.epochs; ++epoch) {
        const State good = block.state();
        BDQ_TRY(const std::vector<double> losses, epochs.run(context, advance));
        const bool finite =
            std::all_of(losses.begin(), losses.end(), [](double loss) { return std::isfinite(loss); });
        if (!finite) {
            BDQ_CHECK(block.load(good));
            training.stoppedNonFinite = true;
            return training;
        }
        training.losses.insert(training.losses.end(), losses.begin(), losses.end());
    }
    return training;
}

} // namespace bdq::train
