#include "engine/pipeline/run_training.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "engine/eval/model_ends.h"
#include "engine/io/tensor_file.h"
#include "engine/pipeline/host_tensor.h"
#include "engine/pipeline/job_support.h"
#include "engine/pipeline/residual_rotation.h"
#include "engine/pipeline/residual_start.h"
#include "engine/pipeline/tensor_float32.h"

namespace bdq {
namespace {

// A training step costs three forward passes and the quantizers; quantizing a layer about six (measured with
// 8 x 2048 tokens on two cores and on a GPU).
constexpr double kUnitsPerEpoch = 0.8;
// The steps of 25 take seconds to minutes; losing them to a crash is bearable, writing more often slows a
// GPU.
constexpr int kStepsPerCheckpoint = 25;
constexpr const char* kStep = "step";
constexpr const char* kOptimizer = "optimizer.";
constexpr const char* kShared = "shared.";
constexpr const char* kLayersFolder = "layers";

std::string layerPart(std::size_t layer) {
    return "layer." + std::to_string(layer) + ".";
}

} // namespace

double RunTraining::blockUnits() const {
    return kUnitsPerEpoch * m_options.recipe.epochs * static_cast<double>(m_options.layers.size());
}

double RunTraining::endToEndUnits(int layers, std::int64_t sequences) const {
    const TrainingRecipe& recipe = m_options.recipe;
    return kUnitsPerEpoch * recipe.endToEndSteps * recipe.batch / static_cast<double>(sequences) * layers;
}

std::filesystem::path RunTraining::statePath(int layer) const {
    char name[40];
    std::snprintf(name, sizeof name, "training/L%03d.safetensors", layer);
    return m_options.folder / name;
}

std::filesystem::path RunTraining::endToEndPath() const {
    return m_options.folder / "training/end_to_end.safetensors";
}

Result<HiddenStates> RunTraining::fullOutputs(int layer, const HiddenStates& full) const {
    const c10::NoGradGuard guard;
    BDQ_TRY(const BlockWeights weights, m_weights.block(layer, m_device.device));
    HiddenStates outputs;
    for (const at::Tensor& x : full) {
        BDQ_CHECK(m_context.checkCancelled());
        BlockHooks none;
        outputs.push_back(forwardBlock(m_weights.config(), weights, m_rope, x, none));
    }
    return outputs;
}

Result<train::TrainableBlock> RunTraining::learn(int layer, const HiddenStates& full,
                                                 const HiddenStates& inputs, const HiddenStates& targets) {
    BDQ_TRY(BlockWeights weights, m_weights.block(layer, m_device.device));
    const bool selected = std::binary_search(m_options.layers.begin(), m_options.layers.end(), layer);
    if (!selected) return m_trainer.untouched(std::move(weights));
    m_context.stage("training layer " + std::to_string(layer), layer);
    const LayerQuantizerOptions& quantization = m_options.quantization;
    auto started = m_rotation.residual.defined()
                       ? startResidualBlock(m_weights.config(), quantization, m_options.recipe, layer,
                                            std::move(weights), m_rotation.residual)
                       : m_trainer.start(layer, std::move(weights), full);
    BDQ_TRY(train::TrainableBlock block, std::move(started));
    const std::filesystem::path path = statePath(layer);
    if (std::filesystem::exists(path)) {
        BDQ_TRY(const train::State state, readTrainingState(path));
        const auto loaded = block.load(state);
        if (!loaded) return passOn(loaded.error(), path.string());
        m_advance(kUnitsPerEpoch * m_options.recipe.epochs);
        return block;
    }
    if (m_options.recipe.epochs > 0) {
        const TensorFloat32 fast;
        BDQ_CHECK(m_trainer.train(layer, block, inputs, targets, [this](double share) {
            m_advance(share * kUnitsPerEpoch * m_options.recipe.epochs);
        }));
    }
    BDQ_CHECK(writeTrainingState(path, block.state()));
    return block;
}

Result<std::vector<train::TrainableBlock>> RunTraining::learnAll(HiddenStates full, at::Tensor& last) {
    std::vector<train::TrainableBlock> blocks;
    HiddenStates quantized = m_options.recipe.quantizedInputs ? full : HiddenStates{};
    for (int layer = 0; layer < m_weights.config().layers; ++layer) {
        BDQ_TRY(HiddenStates targets, fullOutputs(layer, full));
        BDQ_TRY(train::TrainableBlock block,
                learn(layer, full, quantized.empty() ? full : quantized, targets));
        const c10::NoGradGuard guard;
        if (!quantized.empty()) block.prepare();
        for (at::Tensor& x : quantized)
            x = block.forward(x, m_rope);
        blocks.push_back(std::move(block));
        full = std::move(targets);
        releaseFreedMemory();
    }
    last = at::cat(full);
    return blocks;
}

Status RunTraining::trainWholeModel(const at::Tensor& tokens, HiddenStates embedded) {
    const LearnedForm form = m_options.quantization.method->learned;
    if (turnsResidualStream(form)) {
        m_rotation.form = form;
        BDQ_TRY(m_rotation.residual, startResidualRotation(m_weights, form, m_options.quantization.seed,
                                                           m_device.device, m_context));
    }
    train::Distillation data;
    BDQ_TRY(m_blocks, learnAll(std::move(embedded), data.teacherHidden));
    m_context.stage("training end to end");
    data.tokens = tokens;
    BDQ_TRY(const ModelEnds ends, ModelEnds::load(m_weights, m_device));
    data.embedding = ends.embedding;
    data.head = ends.head;
    data.finalNorm = ends.norm;
    data.normEpsilon = ends.normEpsilon;
    data.seed = m_options.quantization.seed;
    BDQ_TRY(train::EndToEndState saved, savedEndToEnd());
    const double total = endToEndUnits(m_weights.config().layers, tokens.size(0));
    const TensorFloat32 fast;
    BDQ_TRY(
        const train::EndToEndTraining training,
        train::trainEndToEnd(
            m_blocks, data, m_rope, m_options.recipe, std::move(saved),
            {kStepsPerCheckpoint, [this](const train::EndToEndState& state) { return saveEndToEnd(state); }},
            m_context, [&](double share) { m_advance(share * total); }, m_rotation));
    if (training.stoppedNonFinite)
        m_context.warning("end-to-end training: the loss left the finite numbers; the parameters of the last "
                          "checkpoint are kept");
    if (m_rotation.residual.defined()) {
        BDQ_CHECK(prepareFolder(m_options.folder / kLayersFolder));
        BDQ_CHECK(writeResidualRotation(m_options.folder / kLayersFolder, m_rotation.residual.detach()));
    }
    return {};
}

Result<LearnedLayer> RunTraining::layer(int layer, const HiddenStates& full, const HiddenStates& quantized) {
    if (!m_blocks.empty()) return bakeLayer(m_blocks[static_cast<std::size_t>(layer)]);
    BDQ_TRY(const HiddenStates targets, fullOutputs(layer, full));
    BDQ_TRY(const train::TrainableBlock block,
            learn(layer, full, m_options.recipe.quantizedInputs ? quantized : full, targets));
    return bakeLayer(block);
}

Status RunTraining::saveEndToEnd(const train::EndToEndState& state) const {
    io::TensorFile file;
    file.metadata[kStep] = std::to_string(state.step);
    for (std::size_t layer = 0; layer < state.blocks.size(); ++layer)
        for (const auto& [name, tensor] : state.blocks[layer])
            file.tensors[layerPart(layer) + name] = toHostTensor(tensor);
    for (const auto& [name, tensor] : state.shared)
        file.tensors[kShared + name] = toHostTensor(tensor);
    for (std::size_t i = 0; i < state.optimizer.size(); ++i)
        file.tensors[kOptimizer + std::to_string(i)] = toHostTensor(state.optimizer[i]);
    return io::writeTensorFile(endToEndPath(), file);
}

Result<train::EndToEndState> RunTraining::savedEndToEnd() const {
    train::EndToEndState state;
    if (!std::filesystem::exists(endToEndPath())) return state;
    BDQ_TRY(const io::TensorFile file, io::readTensorFile(endToEndPath()));
    const auto step = file.metadata.find(kStep);
    const std::string text = step == file.metadata.end() ? "" : step->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), state.step);
    if (error != std::errc{} || end != text.data() + text.size())
        return fail(ErrorCode::BadFormat, endToEndPath().string() + ": metadata '" + kStep + "' is '" + text +
                                              "', expected a number");
    state.blocks.resize(m_blocks.size());
    for (std::size_t layer = 0; layer < m_blocks.size(); ++layer)
        for (auto part = file.tensors.lower_bound(layerPart(layer));
             part != file.tensors.end() && part->first.starts_with(layerPart(layer)); ++part)
            state.blocks[layer][part->first.substr(layerPart(layer).size())] = toTorchTensor(part->second);
    for (const auto& [name, tensor] : file.tensors)
        if (name.starts_with(kShared))
            state.shared[name.substr(std::string_view(kShared).size())] = toTorchTensor(tensor);
    for (std::size_t i = 0;; ++i) {
        const auto part = file.tensors.find(kOptimizer + std::to_string(i));
        if (part == file.tensors.end()) break;
        state.optimizer.push_back(toTorchTensor(part->second).to(m_device.device));
    }
    return state;
}

} // namespace bdq
