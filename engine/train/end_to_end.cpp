#include "engine/train/end_to_end.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>
#include <random>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "engine/model/device_memory.h"
#include "engine/train/losses.h"
#include "engine/train/optimizer.h"

namespace bdq::train {
namespace {

constexpr double kGradientNorm = 1.0;
// Training takes at least so many times as long as keeping its states: with learned rounding they are larger
// than the model.
constexpr int kLeastShare = 10;
// Logits, gradients and the kernels' scratch beside the blocks' graphs.
constexpr double kHeadroom = 1.5;
// Rows of logits at a time: 2047 x 49152 fp32 are 400 MB, a few of which live at once.
constexpr std::int64_t kLogitRows = 2047;

/// The sequences of a step depend on seed and step alone, so that a resumed training sees the same ones.
std::vector<std::int64_t> sequencesOfStep(std::uint64_t seed, std::int64_t step, std::int64_t sequences,
                                          std::int64_t batch) {
    std::mt19937_64 random(seed * 0x9E3779B97F4A7C15ULL + static_cast<std::uint64_t>(step));
    std::vector<std::int64_t> order(static_cast<std::size_t>(sequences));
    std::iota(order.begin(), order.end(), 0);
    const auto count = static_cast<std::size_t>(std::min(batch, sequences));
    for (std::size_t i = 0; i < count; ++i)
        std::swap(order[i], order[i + random() % (order.size() - i)]);
    order.resize(count);
    return order;
}

class EndToEnd {
public:
    EndToEnd(std::vector<TrainableBlock>& blocks, const Distillation& data, const Rope& rope,
             const TrainingRecipe& recipe, const ModelRotation& rotation)
        : m_blocks(blocks), m_data(data), m_rope(rope), m_recipe(recipe),
          m_optimizer(makeModelOptimizer(blocks, rotation, recipe)) {
        if (rotation.residual.defined()) m_shared["residual"] = rotation.residual;
    }

    Status load(const EndToEndState& state);
    [[nodiscard]] EndToEndState state(std::int64_t step) const;
    /// One update; the loss.
    double step(std::int64_t index);

private:
    /// A block's way through a step. The graph of `output` is kept when memory allows it, else the block is
    /// computed again on the way back.
    struct Pass {
        at::Tensor input;
        at::Tensor output;
    };
    [[nodiscard]] std::vector<Pass> forward(const at::Tensor& tokens);
    [[nodiscard]] Pass pass(TrainableBlock& block, const at::Tensor& x, bool keepGraph) const;
    [[nodiscard]] LossAndGradient loss(const at::Tensor& last, const at::Tensor& tokens,
                                       const at::Tensor& sequences) const;
    void backward(std::vector<Pass> passes, at::Tensor gradient);

    std::vector<TrainableBlock>& m_blocks;
    const Distillation& m_data;
    const Rope& m_rope;
    const TrainingRecipe& m_recipe;
    NamedTensors m_shared; ///< leaves of no block
    std::unique_ptr<ModelOptimizer> m_optimizer;
    std::optional<bool> m_keepGraphs; ///< decided by the first block of the first step
};

Status EndToEnd::load(const EndToEndState& state) {
    for (std::size_t i = 0; i < state.blocks.size() && i < m_blocks.size(); ++i)
        BDQ_CHECK(m_blocks[i].load(state.blocks[i]));
    if (!state.blocks.empty()) BDQ_CHECK(assign(m_shared, state.shared, "rotation of the residual stream"));
    return state.optimizer.empty() ? Status{} : m_optimizer->load(state.optimizer);
}

EndToEndState EndToEnd::state(std::int64_t step) const {
    EndToEndState state{step, {}, m_optimizer->state(), copyOf(m_shared)};
    for (const TrainableBlock& block : m_blocks)
        state.blocks.push_back(block.state());
    return state;
}

EndToEnd::Pass EndToEnd::pass(TrainableBlock& block, const at::Tensor& x, bool keepGraph) const {
    const c10::AutoGradMode gradients(keepGraph);
    const at::Tensor input = x.detach().requires_grad_(keepGraph);
    block.prepare();
    return {input, block.forward(input, m_rope)};
}

std::vector<EndToEnd::Pass> EndToEnd::forward(const at::Tensor& tokens) {
    at::Tensor x = at::embedding(m_data.embedding, tokens);
    std::vector<Pass> passes;
    for (TrainableBlock& block : m_blocks) {
        const std::uint64_t before = allocatedDeviceBytes(x.device());
        passes.push_back(pass(block, x, m_keepGraphs.value_or(!x.is_cpu())));
        if (!m_keepGraphs) {
            const std::uint64_t ofOne = allocatedDeviceBytes(x.device()) - before;
            m_keepGraphs =
                ofOne > 0 && kHeadroom * static_cast<double>(ofOne) * static_cast<double>(m_blocks.size()) <
                                 static_cast<double>(freeDeviceBytes(x.device()));
            if (!*m_keepGraphs) passes.back().output = passes.back().output.detach();
        }
        x = passes.back().output;
    }
    return passes;
}

// Targets are the next tokens; the last position of a sequence has none and is left out, for every loss
// alike.
LossAndGradient EndToEnd::loss(const at::Tensor& last, const at::Tensor& tokens,
                               const at::Tensor& sequences) const {
    const std::int64_t predicted = tokens.size(1) - 1;
    const at::Tensor hidden = last.detach().requires_grad_(true);
    const at::Tensor normed =
        rmsNorm(hidden, m_data.finalNorm, m_data.normEpsilon).narrow(1, 0, predicted).flatten(0, 1);
    at::Tensor teacher;
    {
        const c10::NoGradGuard guard;
        teacher =
            rmsNorm(m_data.teacherHidden.index_select(0, sequences), m_data.finalNorm, m_data.normEpsilon)
                .narrow(1, 0, predicted)
                .flatten(0, 1);
    }
    LossAndGradient result = logitLoss(m_recipe.loss, normed.detach(), teacher, m_data.head,
                                       tokens.narrow(1, 1, predicted).flatten(), kLogitRows);
    normed.backward(result.hiddenGradient);
    result.hiddenGradient = hidden.grad();
    return result;
}

void EndToEnd::backward(std::vector<Pass> passes, at::Tensor gradient) {
    for (std::size_t i = m_blocks.size(); i-- > 0;) {
        const Pass whole =
            passes[i].output.requires_grad() ? passes[i] : pass(m_blocks[i], passes[i].input, true);
        passes.pop_back();
        whole.output.backward(gradient);
        gradient = whole.input.grad();
    }
}

double EndToEnd::step(std::int64_t index) {
    const std::vector<std::int64_t> chosen =
        sequencesOfStep(m_data.seed, index, m_data.tokens.size(0), m_recipe.batch);
    const at::Tensor sequences =
        at::tensor(at::ArrayRef<std::int64_t>(chosen), at::kLong).to(m_data.tokens.device());
    const at::Tensor tokens = m_data.tokens.index_select(0, sequences);
    std::vector<Pass> passes = forward(tokens);
    const LossAndGradient result = loss(passes.back().output, tokens, sequences);
    const double value = result.loss.item<double>();
    if (!std::isfinite(value)) return value;
    backward(std::move(passes), result.hiddenGradient);
    clipGradientNorm(m_optimizer->parameters(), kGradientNorm);
    m_optimizer->step(index);
    m_optimizer->zeroGrad();
    for (TrainableBlock& block : m_blocks)
        block.limitRounding();
    return value;
}

} // namespace

Result<EndToEndTraining> trainEndToEnd(std::vector<TrainableBlock>& blocks, const Distillation& data,
                                       const Rope& rope, const TrainingRecipe& recipe, EndToEndState resume,
                                       const Checkpointing& checkpointing, const JobContext& context,
                                       const std::function<void(double)>& advance,
                                       const ModelRotation& rotation) {
    const c10::AutoGradMode gradients(true);
    EndToEnd training(blocks, data, rope, recipe, rotation);
    BDQ_CHECK(training.load(resume));
    EndToEndState good = training.state(resume.step);
    EndToEndTraining result;
    using Clock = std::chrono::steady_clock;
    Clock::time_point lastSave{}; // the first state is always worth keeping
    Clock::duration saving{};
    for (std::int64_t step = resume.step; step < recipe.endToEndSteps; ++step) {
        BDQ_CHECK(context.checkCancelled());
        const double loss = training.step(step);
        if (!std::isfinite(loss)) {
            result.stoppedNonFinite = true;
            good.step = recipe.endToEndSteps;
            BDQ_CHECK(training.load(good));
            BDQ_CHECK(checkpointing.save(good));
            return result;
        }
        result.losses.push_back(loss);
        advance(1.0 / recipe.endToEndSteps);
        const Clock::time_point now = Clock::now();
        const bool due = (step + 1) % checkpointing.every == 0 && now - lastSave >= kLeastShare * saving;
        if (!due && step + 1 != recipe.endToEndSteps) continue;
        good = training.state(step + 1);
        BDQ_CHECK(checkpointing.save(good));
        lastSave = Clock::now();
        saving = lastSave - now;
    }
    return result;
}

} // namespace bdq::train
