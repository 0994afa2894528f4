// What end-to-end training changes, and who changes it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "engine/api/method.h"
#include "engine/train/trainable_block.h"

namespace bdq::train {

/// A rotation of the residual stream that all blocks share.
struct ModelRotation {
    /// Orthogonal fp64 leaf [hidden, hidden]; undefined = the method has none.
    at::Tensor residual{};
    /// ResidualRotation: rotations by Cayley SGD (SpinQuant, arXiv 2405.16406). ScaledResidualRotation:
    /// rotations by Riemannian Adam at the end-to-end rate, scales by Adam at the recipe's `rate` (OSTQuant,
    /// arXiv 2501.13987).
    LearnedForm form = LearnedForm::None;
};

class ModelOptimizer {
public:
    virtual ~ModelOptimizer() = default;
    /// Leaves whose gradient norm is limited together.
    [[nodiscard]] virtual std::vector<at::Tensor> parameters() const = 0;
    /// The update of step `index` of recipe.endToEndSteps, with the schedule that belongs to it.
    virtual void step(std::int64_t index) = 0;
    virtual void zeroGrad() = 0;
    /// Copies of moments and counters.
    [[nodiscard]] virtual std::vector<at::Tensor> state() const = 0;
    /// Errors: ShapeMismatch.
    virtual Status load(const std::vector<at::Tensor>& state) = 0;
};

/// Without a residual rotation: AdamW on everything, cosine to 1/1000. With one: see ModelRotation, cosine to
/// 0. `recipe` must outlive it.
std::unique_ptr<ModelOptimizer> makeModelOptimizer(const std::vector<TrainableBlock>& blocks,
                                                   const ModelRotation& rotation,
                                                   const TrainingRecipe& recipe);

} // namespace bdq::train
