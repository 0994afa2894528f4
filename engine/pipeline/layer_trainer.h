// Closed-form start and training of one layer's transforms and clipping.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "engine/api/job_context.h"
#include "engine/pipeline/block_capture.h"
#include "engine/pipeline/cache_rotation.h"
#include "engine/pipeline/layer_quantizer.h"
#include "engine/train/block_trainer.h"

namespace bdq {

/// Where a block is trained, and in which type: fp32, or fp64 for runs of two devices to compare.
struct BlockPlacement {
    c10::Device device;
    at::ScalarType type = at::kFloat;
};

class LayerTrainer {
public:
    /// All references must outlive it.
    LayerTrainer(const ModelConfig& config, const Rope& rope, const LayerQuantizerOptions& options,
                 const TrainingRecipe& recipe, const ComputeDevice& device, JobContext& context)
        : m_config(config), m_rope(rope), m_options(options), m_recipe(recipe), m_device(device),
          m_context(context) {}

    /// The block as training starts: the method's closed forms, from the full-precision hidden states before
    /// the layer. Errors: buildTransform's, Cancelled.
    Result<train::TrainableBlock> start(int layer, BlockWeights weights, const HiddenStates& full) const {
        return start(layer, std::move(weights), full, {m_device.device});
    }
    /// The same closed forms, but the block lies elsewhere.
    Result<train::TrainableBlock> start(int layer, BlockWeights weights, const HiddenStates& full,
                                        BlockPlacement placement) const;
    /// A block in full precision, for layers that a run leaves alone.
    [[nodiscard]] train::TrainableBlock untouched(BlockWeights weights) const;
    /// Trains on `inputs` (full or quantized hidden states before the layer) towards `targets` (full ones
    /// after it). Warns when a loss is not finite. Errors: Cancelled.
    Status train(int layer, train::TrainableBlock& block, const HiddenStates& inputs,
                 const HiddenStates& targets, const std::function<void(double)>& advance) const;

private:
    Result<std::vector<transform::SiteMoments>> moments(const BlockWeights& weights,
                                                        const HiddenStates& full) const;
    Result<train::LearnedSite> startSite(SiteKey key, const BlockWeights& weights,
                                         const transform::SiteMoments& moments,
                                         BlockPlacement placement) const;
    Status startHeads(const CacheRotation& rotation, BlockPlacement placement,
                      train::BlockStart& start) const;

    const ModelConfig& m_config;
    const Rope& m_rope;
    const LayerQuantizerOptions& m_options;
    const TrainingRecipe& m_recipe;
    const ComputeDevice& m_device;
    JobContext& m_context;
};

/// A training state as a file of the run folder. Errors: Io, DiskFull; BadFormat when it cannot be read.
Status writeTrainingState(const std::filesystem::path& path, const train::State& state);
Result<train::State> readTrainingState(const std::filesystem::path& path);

} // namespace bdq
