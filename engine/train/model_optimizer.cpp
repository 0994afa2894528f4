#include "engine/train/model_optimizer.h"

#include <algorithm>
#include <utility>

#include "engine/train/optimizer.h"
#include "engine/train/riemannian_adam.h"

namespace bdq::train {
namespace {

using ParametersOf = std::vector<at::Tensor> (TrainableBlock::*)() const;

std::vector<at::Tensor> join(const std::vector<TrainableBlock>& blocks, ParametersOf parameters) {
    std::vector<at::Tensor> all;
    for (const TrainableBlock& block : blocks) {
        const std::vector<at::Tensor> part = (block.*parameters)();
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

AdamW adamOf(const std::vector<TrainableBlock>& blocks, double transformRate, const TrainingRecipe& recipe) {
    return AdamW({{join(blocks, &TrainableBlock::transformParameters), transformRate, 0},
                  {join(blocks, &TrainableBlock::clippingParameters), recipe.endToEndClippingRate, 0},
                  {join(blocks, &TrainableBlock::roundingParameters), recipe.endToEndRoundingRate, 0}});
}

/// Everything that an AdamW changes.
std::vector<at::Tensor> freeParameters(const std::vector<TrainableBlock>& blocks) {
    std::vector<at::Tensor> all;
    for (const ParametersOf part : {&TrainableBlock::transformParameters, &TrainableBlock::clippingParameters,
                                    &TrainableBlock::roundingParameters}) {
        const std::vector<at::Tensor> more = join(blocks, part);
        all.insert(all.end(), more.begin(), more.end());
    }
    return all;
}

class FreeOptimizer final : public ModelOptimizer {
public:
    FreeOptimizer(const std::vector<TrainableBlock>& blocks, const TrainingRecipe& recipe)
        : m_recipe(recipe), m_parameters(freeParameters(blocks)),
          m_adam(adamOf(blocks, recipe.endToEndRate, recipe)) {}
    [[nodiscard]] std::vector<at::Tensor> parameters() const override { return m_parameters; }
    void step(std::int64_t index) override { m_adam.step(cosineFactor(index, m_recipe.endToEndSteps)); }
    void zeroGrad() override { m_adam.zeroGrad(); }
    [[nodiscard]] std::vector<at::Tensor> state() const override { return m_adam.state(); }
    Status load(const std::vector<at::Tensor>& state) override { return m_adam.load(state); }

private:
    const TrainingRecipe& m_recipe;
    std::vector<at::Tensor> m_parameters;
    AdamW m_adam;
};

/// Orthogonal matrices by `Rotations` (CayleySgd or RiemannianAdam), the rest by Adam.
template <class Rotations> class RotationOptimizer final : public ModelOptimizer {
public:
    RotationOptimizer(const std::vector<TrainableBlock>& blocks, const at::Tensor& residual,
                      const TrainingRecipe& recipe)
        : m_recipe(recipe), m_parameters(freeParameters(blocks)),
          m_rotations(rotationsOf(blocks, residual), recipe.endToEndRate),
          m_adam(adamOf(blocks, recipe.rate, recipe)) {
        const std::vector<at::Tensor> rotations = rotationsOf(blocks, residual);
        m_parameters.insert(m_parameters.end(), rotations.begin(), rotations.end());
    }
    [[nodiscard]] std::vector<at::Tensor> parameters() const override { return m_parameters; }
    void step(std::int64_t index) override {
        const double factor = cosineFactor(index, m_recipe.endToEndSteps, 0);
        m_rotations.step(factor);
        m_adam.step(factor);
    }
    void zeroGrad() override {
        m_rotations.zeroGrad();
        m_adam.zeroGrad();
    }
    [[nodiscard]] std::vector<at::Tensor> state() const override {
        std::vector<at::Tensor> state = m_rotations.state();
        const std::vector<at::Tensor> rest = m_adam.state();
        state.insert(state.end(), rest.begin(), rest.end());
        return state;
    }
    Status load(const std::vector<at::Tensor>& state) override {
        const std::size_t own = std::min(m_rotations.state().size(), state.size());
        const auto middle = state.begin() + static_cast<std::ptrdiff_t>(own);
        BDQ_CHECK(m_rotations.load({state.begin(), middle}));
        return m_adam.load({middle, state.end()});
    }

private:
    static std::vector<at::Tensor> rotationsOf(const std::vector<TrainableBlock>& blocks,
                                               const at::Tensor& residual) {
        std::vector<at::Tensor> rotations = join(blocks, &TrainableBlock::rotationParameters);
        rotations.push_back(residual);
        return rotations;
    }

    const TrainingRecipe& m_recipe;
    std::vector<at::Tensor> m_parameters;
    Rotations m_rotations;
    AdamW m_adam;
};

} // namespace

std::unique_ptr<ModelOptimizer> makeModelOptimizer(const std::vector<TrainableBlock>& blocks,
                                                   const ModelRotation& rotation,
                                                   const TrainingRecipe& recipe) {
    if (!rotation.residual.defined()) return std::make_unique<FreeOptimizer>(blocks, recipe);
    if (rotation.form == LearnedForm::ScaledResidualRotation)
        return std::make_unique<RotationOptimizer<RiemannianAdam>>(blocks, rotation.residual, recipe);
    return std::make_unique<RotationOptimizer<CayleySgd>>(blocks, rotation.residual, recipe);
}

} // namespace bdq::train
