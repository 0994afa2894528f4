// Times steps of the training on a model: what an epoch will take on this machine, and losses that two
// devices can be compared by.
#pragma once

#include <functional>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include "engine/pipeline/block_capture.h"
#include "engine/pipeline/jobs.h"
#include "engine/pipeline/layer_trainer.h"

namespace bdq {

class TrainingBench {
public:
    using Json = nlohmann::ordered_json;

    /// References must outlive it. `matmulRate`: FLOP/s of a large fp32 matmul with the settings of the
    /// moment.
    TrainingBench(const ModelWeights& weights, const BenchSpec& spec, const ComputeDevice& device,
                  JobContext& context, std::function<double()> matmulRate)
        : m_weights(weights), m_spec(spec), m_device(device), m_context(context),
          m_matmulRate(std::move(matmulRate)) {}

    /// Whether the preset trains what is to be timed. Errors: InvalidSpec.
    static Status check(const BenchSpec& spec, bool blocks, bool endToEnd);
    /// Tokens and recipe. After check(). Errors: those of the text.
    Status prepare();
    /// Block 0. Errors: Cancelled.
    Result<Json> block();
    /// All blocks together, from their start. Errors: Cancelled, Io of the temporary folder.
    Result<Json> endToEnd();

private:
    Status readTokens();
    [[nodiscard]] TrainingRecipe recipeOf(int steps) const;
    Result<std::vector<double>> exactLosses();
    Result<std::vector<double>> trainBlock(const TrainingRecipe& recipe, const ComputeDevice& source,
                                           BlockPlacement placement, std::vector<double>& seconds);
    [[nodiscard]] Json summary(const std::vector<double>& seconds, double flops, double matmulRate) const;

    const ModelWeights& m_weights;
    const BenchSpec& m_spec;
    const ComputeDevice& m_device;
    JobContext& m_context;
    std::function<double()> m_matmulRate;
    TrainingRecipe m_recipe;
    LayerQuantizerOptions m_options;
    at::Tensor m_ids; ///< int64 [sequences, length]
    HiddenStates m_embedded;
    Rope m_rope;
};

} // namespace bdq
