#include "engine/pipeline/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <ATen/ATen.h>

#include "engine/api/atomic_file.h"
#include "engine/calibration/token_source.h"
#include "engine/eval/divergence.h"
#include "engine/eval/model_ends.h"
#include "engine/model/torch_guard.h"
#include "engine/pipeline/analysis_folder.h"
#include "engine/pipeline/block_capture.h"
#include "engine/pipeline/folder_lock.h"
#include "engine/pipeline/job_support.h"
#include "engine/pipeline/site_variants.h"

namespace bdq {
namespace {

// Tokens that go through a block together: enough for the matmuls' full rate.
constexpr std::int64_t kCpuBatchTokens = 2048;
constexpr std::int64_t kDeviceBatchTokens = 32768;

/// The variants of a range of layers go through the model together; as many layers as their hidden states
/// fit in memory.
class Sensitivity {
public:
    Sensitivity(const SensitivitySpec& spec, JobContext& context, double stateBytes)
        : m_spec(spec), m_context(context), m_clock(spec), m_stateBytes(stateBytes) {}
    Result<SensitivityResult> run();

private:
    Status prepare();
    Status checkModel() const;
    Status chooseWork();
    Status prepareTokens();
    void countWork();
    Status runGroup(std::size_t first, std::size_t count);
    Status passFull(const BlockWeights& weights, const std::vector<const SiteAnalysis*>& sites);
    Status addSite(const SiteAnalysis& site, const BlockWeights& weights, const at::Tensor& inputs);
    Status addVariant(const SiteVariant& variant, const BlockWeights& weights);
    Status passVariants(const BlockWeights& weights);
    Status compare();
    void advance(double passes);
    [[nodiscard]] at::Tensor normedStates(const at::Tensor& states) const;
    [[nodiscard]] std::size_t layersAtOnce() const;
    [[nodiscard]] std::int64_t batch() const {
        const std::int64_t tokens = m_device.isCuda() ? kDeviceBatchTokens : kCpuBatchTokens;
        return std::max<std::int64_t>(1, tokens / m_full.size(1));
    }
    [[nodiscard]] const ModelConfig& config() const { return m_weights->config(); }

    const SensitivitySpec& m_spec;
    JobContext& m_context;
    JobClock m_clock;
    double m_stateBytes; ///< of the variants of a group; 0 = as the device has
    std::optional<FolderLock> m_lock;
    std::optional<ModelWeights> m_weights;
    ComputeDevice m_device;
    AnalysisResult m_analysis;
    std::vector<TransformKind> m_transforms;
    std::vector<int> m_layers;
    std::vector<std::vector<const SiteAnalysis*>> m_sites; ///< by m_layers
    ModelEnds m_ends;
    Rope m_rope;
    at::Tensor m_full;      ///< hidden states of the full model, [sequences, tokens, hidden]
    at::Tensor m_nextStart; ///< of the first layer of the next group
    at::Tensor m_variants;  ///< hidden states of the group's variants, [variants x sequences, tokens, hidden]
    std::size_t m_begun = 0;    ///< variants of the group that have passed their own layer
    std::size_t m_firstRow = 0; ///< of the group
    std::optional<DivergenceReference> m_reference;
    double m_comparePasses = 0; ///< what a comparison costs, in passes of a variant through a layer
    SensitivityResult m_result;
    double m_done = 0;
    double m_total = 1;
};

void Sensitivity::advance(double passes) {
    m_done += passes;
    m_context.progress(std::min(m_done, m_total), m_total, "layer passes");
}

Status Sensitivity::checkModel() const {
    const ModelConfig& found = config();
    const ModelConfig& expected = m_analysis.model;
    if (found.layers == expected.layers && found.hiddenSize == expected.hiddenSize &&
        found.intermediateSize == expected.intermediateSize && found.vocabSize == expected.vocabSize)
        return {};
    return fail(ErrorCode::InvalidSpec, m_weights->path() + ": found " + std::to_string(found.layers) +
                                            " layers of width " + std::to_string(found.hiddenSize) +
                                            ", the analysis in " + m_spec.analysisDir +
                                            " is of a model with " + std::to_string(expected.layers) +
                                            " of width " + std::to_string(expected.hiddenSize));
}

Status Sensitivity::chooseWork() {
    m_transforms = m_spec.transforms;
    if (m_transforms.empty() && !m_analysis.spec.transforms.empty())
        m_transforms = {m_analysis.spec.transforms.back()};
    if (m_transforms.empty())
        return fail(ErrorCode::InvalidSpec, m_spec.analysisDir + ": the analysis has no transform");
    for (const SiteAnalysis& site : m_analysis.sites) {
        const int layer = site.key.layer;
        if (!m_spec.layers.empty() && std::ranges::find(m_spec.layers, layer) == m_spec.layers.end())
            continue;
        if (layer >= config().layers || std::ranges::find(kLinearSites, site.key.site) == kLinearSites.end())
            return fail(ErrorCode::BadFormat,
                        m_spec.analysisDir + ": " + siteLabel(site.key) + " is not in the model");
        if (m_layers.empty() || m_layers.back() != layer) {
            m_layers.push_back(layer);
            m_sites.emplace_back();
        }
        m_sites.back().push_back(&site);
    }
    if (!std::ranges::is_sorted(m_layers) || std::ranges::adjacent_find(m_layers) != m_layers.end())
        return fail(ErrorCode::BadFormat, m_spec.analysisDir + ": the sites are not in the order of layers");
    for (const int layer : m_spec.layers)
        if (std::ranges::find(m_layers, layer) == m_layers.end())
            return fail(ErrorCode::InvalidSpec,
                        m_spec.analysisDir + ": layer " + std::to_string(layer) + " is not in the analysis");
    if (m_layers.empty())
        return fail(ErrorCode::InvalidSpec, m_spec.analysisDir + ": the analysis has no sites");
    return {};
}

Status Sensitivity::prepareTokens() {
    CalibrationOptions options = m_spec.text;
    if (options.source.empty()) options.source = m_analysis.spec.calibration.source;
    options.bos = m_spec.bos.value_or(m_analysis.spec.calibration.bos);
    BDQ_TRY(const CalibrationTokens tokens,
            calibrationTokens(*m_weights, options, m_analysis.spec.seed, m_device, m_context));
    m_result.text = tokens.info;
    m_full = at::embedding(m_ends.embedding, tokens.ids.to(m_device.device));
    m_rope = Rope::create(config(), tokens.ids.size(1), m_device.device);
    m_result.klTokens = tokens.ids.size(0) * (tokens.ids.size(1) - 1);
    return {};
}

Status Sensitivity::prepare() {
    BDQ_TRY(m_device, openDevice(m_spec.device));
    BDQ_TRY(m_analysis, loadAnalysis(m_spec.analysisDir));
    const std::string path = m_spec.modelPath.empty() ? m_analysis.spec.modelPath : m_spec.modelPath;
    BDQ_TRY(ModelWeights weights, ModelWeights::open(path));
    m_weights = std::move(weights);
    BDQ_CHECK(checkModel());
    BDQ_CHECK(checkSameModel(*m_weights, m_analysis.modelFingerprint, "the analysis in " + m_spec.analysisDir,
                             m_context));
    BDQ_CHECK(chooseWork());
    BDQ_CHECK(prepareFolder(m_spec.analysisDir));
    BDQ_TRY(m_lock, FolderLock::take(m_spec.analysisDir));
    m_context.emit(
        AcceptedEvent{"sensitivity", m_device.id, m_spec.analysisDir, static_cast<int>(m_layers.size())});
    BDQ_TRY(m_ends, ModelEnds::load(*m_weights, m_device));
    m_result.modelPath = path;
    m_result.modelFingerprint = m_weights->reader().fingerprint();
    m_result.activation = m_spec.activation;
    m_result.rounding = m_spec.rounding;
    return prepareTokens();
}

void Sensitivity::countWork() {
    const double tokens = static_cast<double>(m_full.size(0) * m_full.size(1));
    const double block = blockFlops(config(), tokens, static_cast<double>(m_full.size(1)));
    // The softmax over the vocabulary costs about half as much again as its matmul (measured on the CPU).
    const double head = 3.0 * static_cast<double>(config().hiddenSize * config().vocabSize) *
                        static_cast<double>(m_result.klTokens);
    m_comparePasses = head / block;
    m_total = 0;
    for (std::size_t i = 0; i < m_layers.size(); ++i) {
        const auto variants =
            static_cast<double>(m_sites[i].size() * m_transforms.size() * m_spec.weights.size());
        m_total += variants * (config().layers - m_layers[i] + m_comparePasses);
    }
}

std::size_t Sensitivity::layersAtOnce() const {
    const double variants =
        static_cast<double>(kLinearSites.size() * m_transforms.size() * m_spec.weights.size());
    const double bytes = variants * static_cast<double>(m_full.nbytes());
    const double limit = m_stateBytes > 0 ? m_stateBytes : residentHiddenBytes(m_device);
    return std::max<std::size_t>(1, static_cast<std::size_t>(limit / bytes));
}

// The last token of a sequence predicts nothing, as in `bdq eval`.
at::Tensor Sensitivity::normedStates(const at::Tensor& states) const {
    return m_ends.finalNorm(states.narrow(1, 0, states.size(1) - 1).flatten(0, 1)).contiguous();
}

Status Sensitivity::addVariant(const SiteVariant& variant, const BlockWeights& weights) {
    const std::int64_t sequences = m_full.size(0);
    const std::int64_t offset = static_cast<std::int64_t>(m_begun) * sequences;
    for (std::int64_t first = 0; first < sequences; first += batch()) {
        BDQ_CHECK(m_context.checkCancelled());
        const std::int64_t count = std::min(batch(), sequences - first);
        m_variants.narrow(0, offset + first, count)
            .copy_(forwardVariant(config(), weights, m_rope, m_full.narrow(0, first, count), variant));
    }
    ++m_begun;
    m_result.rows.push_back(variant.row);
    advance(1);
    return {};
}

Status Sensitivity::addSite(const SiteAnalysis& site, const BlockWeights& weights, const at::Tensor& inputs) {
    const at::Tensor& weight = weights.at(site.key.site);
    if (weight.size(0) != site.outFeatures || weight.size(1) != site.inFeatures)
        return fail(ErrorCode::BadFormat, m_spec.analysisDir + ": " + siteLabel(site.key) + ": found " +
                                              std::to_string(site.outFeatures) + " x " +
                                              std::to_string(site.inFeatures) + ", the model has " +
                                              std::to_string(weight.size(0)) + " x " +
                                              std::to_string(weight.size(1)));
    BDQ_TRY(const std::vector<transform::SiteTransform> transforms,
            storedTransforms(m_spec.analysisDir, site, m_transforms, m_device));
    for (std::size_t t = 0; t < transforms.size(); ++t)
        for (const OperandScheme& scheme : m_spec.weights) {
            BDQ_TRY(const SiteVariant variant,
                    makeVariant(site, m_transforms[t], transforms[t], weight, inputs, scheme, m_spec));
            BDQ_CHECK(addVariant(variant, weights));
        }
    return {};
}

// The full model through a layer; its inputs give the variants of `sites`.
Status Sensitivity::passFull(const BlockWeights& weights, const std::vector<const SiteAnalysis*>& sites) {
    at::Tensor next = at::empty_like(m_full);
    std::vector<std::vector<at::Tensor>> inputs(kLinearSites.size());
    for (std::int64_t first = 0; first < m_full.size(0); first += batch()) {
        BDQ_CHECK(m_context.checkCancelled());
        const std::int64_t count = std::min(batch(), m_full.size(0) - first);
        CaptureHooks capture;
        next.narrow(0, first, count)
            .copy_(forwardBlock(config(), weights, m_rope, m_full.narrow(0, first, count), capture));
        for (const SiteAnalysis* site : sites) {
            const auto index = static_cast<std::size_t>(site->key.site);
            inputs[index].push_back(capture.inputs()[index]);
        }
    }
    for (const SiteAnalysis* site : sites)
        BDQ_CHECK(addSite(*site, weights, at::cat(inputs[static_cast<std::size_t>(site->key.site)])));
    m_full = std::move(next);
    return {};
}

Status Sensitivity::passVariants(const BlockWeights& weights) {
    const std::int64_t sequences = m_full.size(0);
    const std::int64_t rows = static_cast<std::int64_t>(m_begun) * sequences;
    for (std::int64_t first = 0; first < rows; first += batch()) {
        BDQ_CHECK(m_context.checkCancelled());
        at::Tensor part = m_variants.narrow(0, first, std::min(batch(), rows - first));
        BlockHooks none;
        part.copy_(forwardBlock(config(), weights, m_rope, part, none));
        advance(static_cast<double>(part.size(0)) / static_cast<double>(sequences));
    }
    return {};
}

Status Sensitivity::compare() {
    const std::int64_t sequences = m_full.size(0);
    for (std::size_t i = 0; i < m_begun; ++i) {
        BDQ_CHECK(m_context.checkCancelled());
        SensitivityRow& row = m_result.rows[m_firstRow + i];
        const at::Tensor states = m_variants.narrow(0, static_cast<std::int64_t>(i) * sequences, sequences);
        const double divergence = m_reference->divergence(normedStates(states)).mean().item<double>();
        if (!std::isfinite(divergence))
            return fail(ErrorCode::NonFinite, siteLabel(row.key) + " with " + weightText(row.weight) +
                                                  ": the divergence is not a finite number");
        row.klDivergence = std::max(0.0, divergence); // below 0 only by rounding
        advance(m_comparePasses);
    }
    return {};
}

Status Sensitivity::runGroup(std::size_t first, std::size_t count) {
    const int lastOwn = m_layers[first + count - 1];
    const bool needsReference = !m_reference;
    std::size_t variants = 0;
    for (std::size_t i = first; i < first + count; ++i)
        variants += m_sites[i].size() * m_transforms.size() * m_spec.weights.size();
    m_variants =
        at::empty({static_cast<std::int64_t>(variants) * m_full.size(0), m_full.size(1), m_full.size(2)},
                  m_full.options());
    m_begun = 0;
    m_firstRow = m_result.rows.size();
    const int begin = first == 0 ? 0 : m_layers[first - 1] + 1;
    std::size_t next = first;
    for (int layer = begin; layer < config().layers; ++layer) {
        m_context.stage("layer " + std::to_string(layer), layer);
        BDQ_TRY(const BlockWeights weights, m_weights->block(layer, m_device.device));
        BDQ_CHECK(passVariants(weights));
        const bool own = next < first + count && m_layers[next] == layer;
        if (layer <= lastOwn || needsReference)
            BDQ_CHECK(passFull(weights, own ? m_sites[next] : std::vector<const SiteAnalysis*>{}));
        if (own) ++next;
        if (layer == lastOwn) m_nextStart = m_full;
        releaseFreedMemory();
    }
    if (needsReference) m_reference.emplace(normedStates(m_full), m_ends.head);
    m_context.stage("comparing with the full model");
    BDQ_CHECK(compare());
    m_full = m_nextStart;
    return {};
}

Result<SensitivityResult> Sensitivity::run() {
    const c10::InferenceMode guard;
    BDQ_CHECK(prepare());
    countWork();
    const std::size_t atOnce = layersAtOnce();
    for (std::size_t first = 0; first < m_layers.size(); first += atOnce)
        BDQ_CHECK(runGroup(first, std::min(atOnce, m_layers.size() - first)));
    advance(m_total - m_done); // what rounding left
    m_result.provenance = m_clock.provenance(m_device);
    m_result.warnings = m_context.warnings();
    BDQ_CHECK(writeFileAtomically(std::filesystem::path(m_spec.analysisDir) / kSensitivityFileName,
                                  encodeSensitivity(m_result)));
    emitArtifact(m_context, m_spec.analysisDir, kSensitivityFileName);
    return std::move(m_result);
}

} // namespace

Result<SensitivityResult> measureSensitivity(const SensitivitySpec& spec, JobContext& context,
                                             double stateBytes) {
    BDQ_CHECK(validate(spec));
    return torchGuard([&] { return Sensitivity(spec, context, stateBytes).run(); });
}

} // namespace bdq
