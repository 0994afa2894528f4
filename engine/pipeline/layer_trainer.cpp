#include "engine/pipeline/layer_trainer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "engine/calibration/input_statistics.h"
#include "engine/io/tensor_file.h"
#include "engine/pipeline/host_tensor.h"
#include "engine/pipeline/job_support.h"
#include "engine/pipeline/site_analyzer.h"
#include "engine/transform/build_transform.h"

namespace bdq {
namespace {

// Closed forms settle with fewer tokens than training uses: 32 x 2048 in the reference measurements.
constexpr std::int64_t kStartSequences = 32;

train::Rotation rotationOf(LearnedForm form) {
    switch (form) {
    case LearnedForm::None:
    case LearnedForm::ResidualRotation:
    case LearnedForm::ScaledResidualRotation:
        return train::Rotation::Fixed;
    case LearnedForm::DiagonalAndRotation:
        return train::Rotation::CayleyBlocks;
    case LearnedForm::FreeBlocks:
        return train::Rotation::FreeBlocks;
    case LearnedForm::Kronecker:
        return train::Rotation::Kronecker;
    }
    return train::Rotation::Fixed;
}

} // namespace

Result<std::vector<transform::SiteMoments>> LayerTrainer::moments(const BlockWeights& weights,
                                                                  const HiddenStates& full) const {
    std::vector<InputStatistics> statistics(kLinearSites.size());
    std::int64_t sequences = 0;
    for (const at::Tensor& x : full) {
        if (sequences >= kStartSequences) break;
        BDQ_CHECK(m_context.checkCancelled());
        CaptureHooks capture;
        forwardBlock(m_config, weights, m_rope, x, capture);
        for (std::size_t site = 0; site < statistics.size(); ++site)
            statistics[site].add(capture.inputs()[site]);
        sequences += x.size(0);
    }
    std::vector<transform::SiteMoments> moments;
    for (const InputStatistics& site : statistics)
        moments.push_back(site.moments());
    return moments;
}

Result<train::LearnedSite> LayerTrainer::startSite(SiteKey key, const BlockWeights& weights,
                                                   const transform::SiteMoments& moments,
                                                   BlockPlacement placement) const {
    std::vector<std::string> notes;
    const std::uint64_t seed = siteSeed(m_options.seed, key);
    const at::Tensor& weight = weights.at(key.site);
    auto closedForm = transform::buildTransform(m_options.start, moments, weight, seed, notes);
    if (!closedForm) return passOn(std::move(closedForm).error(), siteLabel(key));
    for (const std::string& note : notes)
        m_context.warning(siteLabel(key) + ": " + note);
    train::SiteParameterisation form;
    form.rotation = rotationOf(m_options.method->learned);
    form.seed = seed;
    form.logDiagonal = form.rotation != train::Rotation::Kronecker;
    // FlatQuant transforms o across heads; inside a head V's matrix does it (design/transforms.md 3.6).
    if (form.rotation == train::Rotation::Kronecker && key.site == Site::O) {
        form.learnDiagonal = false;
        form.kroneckerLeft = m_config.heads;
        form.learnKroneckerRight = false;
        return train::LearnedSite::create(weight.size(1), {}, form, placement.device, placement.type);
    }
    return train::LearnedSite::create(weight.size(1), *closedForm, form, placement.device, placement.type);
}

Status LayerTrainer::startHeads(const CacheRotation& rotation, BlockPlacement placement,
                                train::BlockStart& start) const {
    const MethodInfo& method = *m_options.method;
    const bool svd = method.learned == LearnedForm::Kronecker;
    const auto head = [&](const std::optional<transform::HeadRotation>& from, std::uint64_t part) {
        return train::LearnedHead::create(m_config.headDim, from, {svd, m_options.seed * 2 + part},
                                          placement.device, placement.type);
    };
    if (start.keyScheme.quantizes() && method.learnHeads) {
        BDQ_TRY(start.keys, head(svd ? std::nullopt : rotation.keys, 0));
    }
    // V's matrix transforms half of o's input too, so FlatQuant learns it even when the cache is not
    // quantized.
    if ((start.valueScheme.quantizes() || svd) && method.learnHeads) {
        BDQ_TRY(start.values, head(std::nullopt, 1));
    }
    return {};
}

Result<train::TrainableBlock> LayerTrainer::start(int layer, BlockWeights weights, const HiddenStates& full,
                                                  BlockPlacement placement) const {
    train::BlockStart start;
    start.learnClipping = m_recipe.learnClipping;
    start.learnRounding = m_recipe.learnRounding;
    start.autocast = m_recipe.autocast;
    start.keyScheme = m_options.plan.at({layer, Site::KCache}).kv;
    start.valueScheme = m_options.plan.at({layer, Site::VCache}).kv;
    std::optional<CacheRotation> rotation;
    {
        const c10::NoGradGuard guard;
        BDQ_TRY(rotation, rotateCache(m_config, *m_options.method, m_options.plan, m_options.seed, layer,
                                      m_device, weights));
        BDQ_TRY(const std::vector<transform::SiteMoments> moments, this->moments(weights, full));
        for (std::size_t i = 0; i < kLinearSites.size(); ++i) {
            const SiteKey key{layer, kLinearSites[i]};
            start.schemes[i] = m_options.plan.at(key);
            // A site that is not quantized keeps its plain form, as in the runs without training.
            if (!start.schemes[i].activation.quantizes() && !start.schemes[i].weight.quantizes()) continue;
            BDQ_TRY(start.sites[i], startSite(key, weights, moments[i], placement));
        }
    }
    BDQ_CHECK(startHeads(*rotation, placement, start));
    return train::TrainableBlock(m_config, weights.to(placement.device, placement.type), std::move(start));
}

train::TrainableBlock LayerTrainer::untouched(BlockWeights weights) const {
    train::BlockStart start;
    start.learnClipping = false;
    return {m_config, std::move(weights), std::move(start)};
}

Status LayerTrainer::train(int layer, train::TrainableBlock& block, const HiddenStates& inputs,
                           const HiddenStates& targets, const std::function<void(double)>& advance) const {
    BDQ_TRY(const train::BlockTraining training, train::trainBlock(block, {at::cat(inputs), at::cat(targets)},
                                                                   m_rope, m_recipe, m_context, advance));
    if (training.stoppedNonFinite)
        m_context.warning(
            "layer " + std::to_string(layer) +
            ": the loss left the finite numbers; the parameters of the last good epoch are kept");
    return {};
}

Status writeTrainingState(const std::filesystem::path& path, const train::State& state) {
    io::TensorFile file;
    for (const auto& [name, tensor] : state)
        file.tensors[name] = toHostTensor(tensor);
    return io::writeTensorFile(path, file);
}

Result<train::State> readTrainingState(const std::filesystem::path& path) {
    BDQ_TRY(const io::TensorFile file, io::readTensorFile(path));
    train::State state;
    for (const auto& [name, tensor] : file.tensors)
        state[name] = toTorchTensor(tensor);
    return state;
}

} // namespace bdq
