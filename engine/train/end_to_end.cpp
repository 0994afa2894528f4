#include "engine/train/end_to_end.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "engine/train/losses.h"
#include "engine/train/optimizer.h"

namespace bdq::train {
namespace {

constexpr double kGradientNorm = 1.0;
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

std::vector<at::Tensor> join(const std::vector<TrainableBlock>& blocks, bool clipping) {
    std::vector<at::Tensor> all;
    for (const TrainableBlock& block : blocks) {
        const std::vector<at::Tensor> part =
            clipping ? block.clippingParameters() : block.transformParameters();
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

class EndToEnd {
public:
    EndToEnd(std::vector<TrainableBlock>& blocks, const Distillation& data, const Rope& rope,
             const TrainingRecipe& recipe)
        : m_blocks(blocks), m_data(data), m_rope(rope), m_recipe(recipe), m_parameters(join(blocks, false)),
          m_optimizer({{m_parameters, recipe.endToEndRate, 0},
                       {join(blocks, true), recipe.endToEndClippingRate, 0}}) {
        const std::vector<at::Tensor> clipping = join(blocks, true);
        m_parameters.insert(m_parameters.end(), clipping.begin(), clipping.end());
    }

    Status load(const EndToEndState& state);
    [[nodiscard]] EndToEndState state(std::int64_t step) const;
    /// One update; the loss.
    double step(std::int64_t index);

private:
    [[nodiscard]] std::vector<at::Tensor> forward(const at::Tensor& tokens);
    [[nodiscard]] LossAndGradient loss(const at::Tensor& last, const at::Tensor& tokens,
                                       const at::Tensor& sequences) const;
    void backward(const std::vector<at::Tensor>& inputs, at::Tensor gradient);

    std::vector<TrainableBlock>& m_blocks;
    const Distillation& m_data;
    const Rope& m_rope;
    const TrainingRecipe& m_recipe;
    std::vector<at::Tensor> m_parameters;
    AdamW m_optimizer;
};

Status EndToEnd::load(const EndToEndState& state) {
    for (std::size_t i = 0; i < state.blocks.size() && i < m_blocks.size(); ++i)
        BDQ_CHECK(m_blocks[i].load(state.blocks[i]));
    return state.optimizer.empty() ? Status{} : m_optimizer.load(state.optimizer);
}

EndToEndState EndToEnd::state(std::int64_t step) const {
    EndToEndState state{step, {}, m_optimizer.state()};
    for (const TrainableBlock& block : m_blocks)
        state.blocks.push_back(block.state());
    return state;
}

// Inputs of every block, and last the output.
std::vector<at::Tensor> EndToEnd::forward(const at::Tensor& tokens) {
    const c10::NoGradGuard guard;
    std::vector<at::Tensor> states{at::embedding(m_data.embedding, tokens)};
    for (TrainableBlock& block : m_blocks) {
        block.prepare();
        states.push_back(block.forward(states.back(), m_rope));
    }
    return states;
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

void EndToEnd::backward(const std::vector<at::Tensor>& inputs, at::Tensor gradient) {
    for (std::size_t i = m_blocks.size(); i-- > 0;) {
        const at::Tensor input = inputs[i].detach().requires_grad_(true);
        m_blocks[i].prepare();
        m_blocks[i].forward(input, m_rope).backward(gradient);
        gradient = input.grad();
    }
}

double EndToEnd::step(std::int64_t index) {
    const std::vector<std::int64_t> chosen =
        sequencesOfStep(m_data.seed, index, m_data.tokens.size(0), m_recipe.batch);
    const at::Tensor sequences =
        at::tensor(at::ArrayRef<std::int64_t>(chosen), at::kLong).to(m_data.tokens.device());
    const at::Tensor tokens = m_data.tokens.index_select(0, sequences);
    const std::vector<at::Tensor> states = forward(tokens);
    const LossAndGradient result = loss(states.back(), tokens, sequences);
    const double value = result.loss.item<double>();
    if (!std::isfinite(value)) return value;
    backward(states, result.hiddenGradient);
    clipGradientNorm(m_parameters, kGradientNorm);
    m_optimizer.step(cosineFactor(index, m_recipe.endToEndSteps));
    m_optimizer.zeroGrad();
    return value;
}

} // namespace

Result<EndToEndTraining> trainEndToEnd(std::vector<TrainableBlock>& blocks, const Distillation& data,
                                       const Rope& rope, const TrainingRecipe& recipe, EndToEndState resume,
                                       const Checkpointing& checkpointing, const JobContext& context,
                                       const std::function<void(double)>& advance) {
    const c10::AutoGradMode gradients(true);
    EndToEnd training(blocks, data, rope, recipe);
    BDQ_CHECK(training.load(resume));
    EndToEndState good = training.state(resume.step);
    EndToEndTraining result;
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
        if ((step + 1) % checkpointing.every != 0 && step + 1 != recipe.endToEndSteps) continue;
        good = training.state(step + 1);
        BDQ_CHECK(checkpointing.save(good));
    }
    return result;
}

} // namespace bdq::train
