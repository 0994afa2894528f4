// The trained part of a run: every layer's transforms and clipping learned block by block, then if asked for
// all together, with everything finished kept in the run folder.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "engine/model/weights.h"
#include "engine/pipeline/layer_trainer.h"
#include "engine/train/end_to_end.h"

namespace bdq {

struct RunTrainingOptions {
    LayerQuantizerOptions quantization;
    TrainingRecipe recipe;
    std::vector<int> layers;      ///< that are quantized, sorted
    std::filesystem::path folder; ///< of the run; states go into its training/
};

class RunTraining {
public:
    /// References must outlive it. `advance(units)`: one unit = quantizing one layer, see units().
    RunTraining(const ModelWeights& weights, const Rope& rope, RunTrainingOptions options,
                const ComputeDevice& device, JobContext& context, std::function<void(double)> advance)
        : m_weights(weights), m_rope(rope), m_options(std::move(options)), m_device(device),
          m_context(context), m_advance(std::move(advance)),
          m_trainer(weights.config(), rope, m_options.quantization, m_options.recipe, device, context) {}

    /// Work of the training in units of quantizing one layer, an estimate for the time left: of the blocks
    /// that are quantized, and of the model of `layers` layers end to end.
    [[nodiscard]] double blockUnits() const;
    [[nodiscard]] double endToEndUnits(int layers, std::int64_t sequences) const;

    /// Trains every block, then the model end to end. Only for recipes with end-to-end steps; layer() gives
    /// the results afterwards. `tokens` int64 [sequences, length] on the device, `embedded` their hidden
    /// states. Errors: Cancelled, Io, those of LayerTrainer.
    Status trainWholeModel(const at::Tensor& tokens, HiddenStates embedded);
    /// What was learned about one layer; trains it first when that has not been done. Hidden states before
    /// the layer, full and (when the recipe asks for quantized inputs) quantized.
    Result<LearnedLayer> layer(int layer, const HiddenStates& full, const HiddenStates& quantized);

private:
    Result<train::TrainableBlock> learn(int layer, const HiddenStates& full, const HiddenStates& inputs,
                                        const HiddenStates& targets);
    Result<HiddenStates> fullOutputs(int layer, const HiddenStates& full) const;
    Result<std::vector<train::TrainableBlock>> learnAll(HiddenStates full, at::Tensor& last);
    Result<train::EndToEndState> savedEndToEnd() const;
    Status saveEndToEnd(const train::EndToEndState& state) const;
    [[nodiscard]] std::filesystem::path statePath(int layer) const;
    [[nodiscard]] std::filesystem::path endToEndPath() const;

    const ModelWeights& m_weights;
    const Rope& m_rope;
    RunTrainingOptions m_options;
    const ComputeDevice& m_device;
    JobContext& m_context;
    std::function<void(double)> m_advance;
    LayerTrainer m_trainer;
    train::ModelRotation m_rotation; ///< of methods that turn the residual stream, from trainWholeModel() on
    std::vector<train::TrainableBlock> m_blocks; ///< of all layers, after trainWholeModel()
};

} // namespace bdq
