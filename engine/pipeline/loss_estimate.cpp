#include "engine/pipeline/loss_estimate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "engine/api/model_shape.h"
#include "engine/eval/label_gradients.h"
#include "engine/eval/model_ends.h"
#include "engine/pipeline/job_support.h"
#include "engine/pipeline/site_losses.h"
#include "engine/pipeline/site_variants.h"

namespace bdq {
namespace {

// Gradients of one block's weights over all sequences and labels.
constexpr double kCpuGradientBytes = 4e9;
constexpr double kDeviceGradientBytes = 12e9;

/// Adds a leaf of zeros to what the linear layers read: its gradient is that of the input through these
/// layers alone.
class ProbeHooks final : public BlockHooks {
public:
    at::Tensor siteInput(Site site, at::Tensor x) override {
        const auto i = static_cast<std::size_t>(site);
        inputs[i] = x.detach().flatten(0, -2);
        probes[i] = at::zeros_like(x.detach()).requires_grad_(true);
        return x + probes[i];
    }
    std::array<at::Tensor, kLinearSites.size()> inputs;
    std::array<at::Tensor, kLinearSites.size()> probes;
};

at::Tensor takeGradient(at::Tensor& leaf) {
    at::Tensor gradient = leaf.grad().detach();
    leaf.mutable_grad().reset();
    return gradient;
}

/// What the sequences and labels have left at a site so far.
struct Collected {
    std::vector<at::Tensor> inputs;                      ///< by sequence
    std::vector<std::vector<at::Tensor>> inputGradients; ///< by label, by sequence
    std::vector<at::Tensor> weightGradients;             ///< by sequence and label
    [[nodiscard]] SiteGradients gradients(const at::Tensor& weight, std::int64_t predicted) const {
        std::vector<at::Tensor> byLabel;
        for (const std::vector<at::Tensor>& sequences : inputGradients)
            byLabel.push_back(at::cat(sequences));
        return {at::cat(inputs),
                at::stack(byLabel),
                weight,
                at::stack(weightGradients),
                static_cast<std::int64_t>(inputGradients.size()),
                predicted};
    }
};

class Estimator {
public:
    Estimator(const ModelWeights& weights, const ComputeDevice& device, const std::string& folder,
              AnalysisResult& analysis, JobContext& context, const LossProgress& progress)
        : m_weights(weights), m_device(device), m_folder(folder), m_analysis(analysis), m_context(context),
          m_progress(progress) {}

    Status run(const at::Tensor& ids, const LossEstimateOptions& options);

private:
    void chooseTokens(const at::Tensor& ids, const LossEstimateOptions& options);
    Status forward();
    void drawLabels(std::uint64_t seed);
    Status backward();
    Status passBack(int layer, const std::vector<SiteAnalysis*>& sites);
    Status finishSite(SiteAnalysis& site, const Collected& collected, const at::Tensor& weight);
    [[nodiscard]] std::vector<SiteAnalysis*> sitesOf(int layer) const;
    [[nodiscard]] const ModelConfig& config() const { return m_weights.config(); }

    const ModelWeights& m_weights;
    const ComputeDevice& m_device;
    const std::string& m_folder;
    AnalysisResult& m_analysis;
    JobContext& m_context;
    const LossProgress& m_progress;
    int m_lowest = 0; ///< layer that the backward pass ends at
    int m_labels = 0;
    at::Tensor m_ids; ///< [sequences, tokens]
    ModelEnds m_ends;
    Rope m_rope;
    std::vector<at::Tensor>
        m_states; ///< [sequences, tokens, hidden] that each layer from m_lowest on reads; then the end
    std::vector<std::vector<at::Tensor>>
        m_gradients; ///< by sequence and label: [tokens, hidden] by a layer's output
};

std::vector<SiteAnalysis*> Estimator::sitesOf(int layer) const {
    std::vector<SiteAnalysis*> sites;
    for (SiteAnalysis& site : m_analysis.sites)
        if (site.key.layer == layer) sites.push_back(&site);
    return sites;
}

void Estimator::chooseTokens(const at::Tensor& ids, const LossEstimateOptions& options) {
    const std::int64_t length = std::min<std::int64_t>(options.sequenceLength, ids.size(1));
    // Windows of a text follow each other, and so do the pieces of one: these are the first tokens of the
    // text.
    const at::Tensor pieces = ids.narrow(1, 0, ids.size(1) / length * length).reshape({-1, length});
    const std::int64_t wanted = std::max<std::int64_t>(1, options.tokens / length);
    const std::int64_t count = std::min(wanted, pieces.size(0));
    m_ids = pieces.narrow(0, 0, count).contiguous();
    const double blockBytes = 4.0 * static_cast<double>(blockWeightCount(config()));
    const double room = m_device.isCuda() ? kDeviceGradientBytes : kCpuGradientBytes;
    m_labels =
        std::clamp(static_cast<int>(room / (blockBytes * static_cast<double>(count))), 1, options.labels);
    m_lowest = m_analysis.sites.front().key.layer;
    for (const SiteAnalysis& site : m_analysis.sites)
        m_lowest = std::min(m_lowest, site.key.layer);
}

Status Estimator::forward() {
    const c10::AutoGradMode off(false);
    BDQ_TRY(m_ends, ModelEnds::load(m_weights, m_device));
    m_rope = Rope::create(config(), m_ids.size(1), m_device.device);
    at::Tensor x = at::embedding(m_ends.embedding, m_ids.to(m_device.device));
    for (int layer = 0; layer < config().layers; ++layer) {
        BDQ_CHECK(m_context.checkCancelled());
        if (layer >= m_lowest) m_states.push_back(x);
        BDQ_TRY(const BlockWeights weights, m_weights.block(layer, m_device.device));
        BlockHooks none;
        x = forwardBlock(config(), weights, m_rope, x, none);
        m_progress(0.1 / config().layers);
    }
    m_states.push_back(x);
    return {};
}

void Estimator::drawLabels(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const std::int64_t predicted = m_ids.size(1) - 1;
    for (std::int64_t s = 0; s < m_ids.size(0); ++s) {
        at::Tensor draws = at::empty({m_labels, predicted}, at::kDouble);
        double* values = draws.mutable_data_ptr<double>();
        // 53 bits, the same on every platform.
        for (std::int64_t i = 0; i < draws.numel(); ++i)
            values[i] = static_cast<double>(random() >> 11) * 0x1p-53;
        m_gradients.push_back(labelGradients(m_ends, m_states.back()[s], draws.to(m_device.device)));
    }
    m_progress(0.05);
}

Status Estimator::finishSite(SiteAnalysis& site, const Collected& collected, const at::Tensor& weight) {
    std::vector<TransformKind> kinds;
    for (const auto& entry : site.transforms)
        kinds.push_back(entry.first);
    BDQ_TRY(const std::vector<transform::SiteTransform> transforms,
            storedTransforms(m_folder, site, kinds, m_device));
    const SiteGradients gradients = collected.gradients(weight, m_ids.size(0) * (m_ids.size(1) - 1));
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        BDQ_CHECK(m_context.checkCancelled());
        const SiteLosses losses = siteLosses(gradients, transforms[i]);
        const auto finite = [](double value) { return std::isfinite(value); };
        if (!std::ranges::all_of(losses.loss.weightSymmetric, finite) ||
            !std::ranges::all_of(losses.loss.activationSymmetric, finite))
            return fail(ErrorCode::NonFinite, siteLabel(site.key) + ", transform " +
                                                  std::string(transformInfo(kinds[i]).id) +
                                                  ": the estimated loss is not a finite number");
        TransformAnalysis& result = site.transforms.at(kinds[i]);
        result.loss = losses.loss;
        result.weightNoiseSymmetricSearched = losses.weightNoiseSymmetricSearched;
        result.weightNoiseAsymmetricSearched = losses.weightNoiseAsymmetricSearched;
    }
    m_context.emit(RowEvent{"analysis_site", encodeSiteRow(site)});
    return {};
}

Status Estimator::passBack(int layer, const std::vector<SiteAnalysis*>& sites) {
    BDQ_TRY(BlockWeights weights, m_weights.block(layer, m_device.device));
    std::array<Collected, kLinearSites.size()> collected;
    for (Collected& site : collected)
        site.inputGradients.resize(static_cast<std::size_t>(m_labels));
    const bool wanted = !sites.empty();
    if (wanted)
        for (at::Tensor& weight : weights.linear)
            weight.requires_grad_(true);
    const at::Tensor& states = m_states[static_cast<std::size_t>(layer - m_lowest)];
    for (std::int64_t s = 0; s < m_ids.size(0); ++s) {
        BDQ_CHECK(m_context.checkCancelled());
        at::Tensor input = states[s].detach().requires_grad_(true);
        ProbeHooks probes;
        BlockHooks none;
        at::Tensor output;
        {
            const c10::AutoGradMode on(true);
            output = forwardBlock(config(), weights, m_rope, input.unsqueeze(0),
                                  wanted ? static_cast<BlockHooks&>(probes) : none);
        }
        for (int label = 0; label < m_labels; ++label) {
            at::Tensor& gradient = m_gradients[static_cast<std::size_t>(s)][static_cast<std::size_t>(label)];
            output.backward(gradient.unsqueeze(0), label + 1 < m_labels);
            gradient = takeGradient(input);
            for (std::size_t i = 0; wanted && i < collected.size(); ++i) {
                collected[i].inputGradients[static_cast<std::size_t>(label)].push_back(
                    takeGradient(probes.probes[i]).flatten(0, -2));
                collected[i].weightGradients.push_back(takeGradient(weights.linear[i]));
            }
        }
        for (std::size_t i = 0; wanted && i < collected.size(); ++i)
            collected[i].inputs.push_back(probes.inputs[i]);
    }
    const c10::AutoGradMode off(false);
    for (SiteAnalysis* site : sites) {
        const auto i = static_cast<std::size_t>(site->key.site);
        BDQ_CHECK(finishSite(*site, collected[i], weights.linear[i].detach()));
        collected[i] = {};
    }
    return {};
}

Status Estimator::backward() {
    for (int layer = config().layers - 1; layer >= m_lowest; --layer) {
        m_context.stage("losses of layer " + std::to_string(layer), layer);
        BDQ_CHECK(passBack(layer, sitesOf(layer)));
        m_states.pop_back();
        releaseFreedMemory();
        m_progress(0.85 / (config().layers - m_lowest));
    }
    return {};
}

Status Estimator::run(const at::Tensor& ids, const LossEstimateOptions& options) {
    if (m_analysis.sites.empty()) return {};
    const auto start = std::chrono::steady_clock::now();
    chooseTokens(ids, options);
    m_context.stage("losses");
    BDQ_CHECK(forward());
    drawLabels(options.seed);
    BDQ_CHECK(backward());
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    m_analysis.lossEstimate = LossEstimateInfo{static_cast<int>(m_ids.size(0)),
                                               static_cast<int>(m_ids.size(1)), m_labels, seconds.count()};
    return {};
}

} // namespace

Status estimateLosses(const ModelWeights& weights, const ComputeDevice& device, const at::Tensor& ids,
                      const std::string& folder, const LossEstimateOptions& options, AnalysisResult& analysis,
                      JobContext& context, const LossProgress& progress) {
    return Estimator(weights, device, folder, analysis, context, progress).run(ids, options);
}

} // namespace bdq
