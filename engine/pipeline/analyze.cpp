#include <algorithm>
#include <optional>

#include <ATen/ATen.h>

#include "engine/calibration/input_statistics.h"
#include "engine/calibration/token_source.h"
#include "engine/model/torch_guard.h"
#include "engine/pipeline/analysis_folder.h"
#include "engine/pipeline/folder_lock.h"
#include "engine/pipeline/job_support.h"
#include "engine/pipeline/jobs.h"
#include "engine/pipeline/loss_estimate.h"
#include "engine/pipeline/site_analyzer.h"
#include "engine/pipeline/two_pass_inputs.h"

namespace bdq {
namespace {

// Time of the loss estimate in passes through an analysed layer, a layer (measured on the demo model).
constexpr double kEstimateShare = 0.7;

/// One analysis: layer by layer, two passes over the inputs of each layer (moments, then everything that
/// needs them); then one backward pass over some of the text for the losses.
class Analysis {
public:
    Analysis(const AnalyzeSpec& spec, JobContext& context)
        : m_spec(spec), m_context(context), m_clock(spec) {}
    Result<AnalysisResult> run();

private:
    Status prepare();
    Status visitLayers();
    Status estimate();
    Status visitLayer(int layer, bool wanted);
    Status passThrough(const BlockWeights& weights);
    Status analyzeSites(int layer, const BlockWeights& weights);
    Result<std::vector<SiteAnalyzer>> buildAnalyzers(int layer, const BlockWeights& weights,
                                                     const std::vector<InputStatistics>& statistics) const;
    Status finishSites(std::vector<SiteAnalyzer>& analyzers);
    void advance(double steps);

    const AnalyzeSpec& m_spec;
    JobContext& m_context;
    JobClock m_clock;
    std::optional<FolderLock> m_lock;
    std::optional<ModelWeights> m_weights;
    ComputeDevice m_device;
    SiteAnalyzerOptions m_options;
    at::Tensor m_ids; ///< [sequences, tokens] of the calibration text
    HiddenStates m_hidden;
    Rope m_rope;
    AnalysisResult m_result;
    double m_done = 0;
    double m_total = 0;
};

void Analysis::advance(double steps) {
    m_done += steps;
    m_context.progress(m_done, m_total, "layers");
}

Status Analysis::prepare() {
    BDQ_TRY(m_device, openDevice(m_spec.device));
    BDQ_TRY(ModelWeights weights, ModelWeights::open(m_spec.modelPath));
    m_weights = std::move(weights);
    BDQ_TRY(m_result.spec.layers, chooseLayers(m_spec.layers, m_weights->config().layers));
    for (const std::string& text : m_spec.schemes) {
        BDQ_TRY(const Scheme scheme, parseScheme(text));
        m_options.schemes.push_back(scheme);
    }
    const auto quantized = std::find_if(m_options.schemes.begin(), m_options.schemes.end(),
                                        [](const Scheme& scheme) { return scheme.weight.quantizes(); });
    if (quantized != m_options.schemes.end()) m_options.weights = quantized->weight;
    m_options.transforms = m_spec.transforms;
    m_options.seed = m_spec.seed;
    BDQ_CHECK(prepareFolder(m_spec.outDir));
    BDQ_TRY(m_lock, FolderLock::take(m_spec.outDir));
    BDQ_CHECK(prepareFolder(std::filesystem::path(m_spec.outDir) / "sites"));
    m_context.emit(
        AcceptedEvent{"analyze", m_device.id, m_spec.outDir, static_cast<int>(m_result.spec.layers.size())});

    BDQ_TRY(const CalibrationTokens tokens,
            calibrationTokens(*m_weights, m_spec.calibration, m_spec.seed, m_device, m_context));
    m_result.text = tokens.info;
    m_ids = tokens.ids;
    BDQ_TRY(const at::Tensor embedding, m_weights->embedding(m_device.device));
    m_hidden = embedTokens(embedding, tokens.ids, m_device.isCuda());
    m_rope = Rope::create(m_weights->config(), tokens.ids.size(1), m_device.device);
    return {};
}

Result<std::vector<SiteAnalyzer>>
Analysis::buildAnalyzers(int layer, const BlockWeights& weights,
                         const std::vector<InputStatistics>& statistics) const {
    std::vector<SiteAnalyzer> analyzers;
    for (Site site : kLinearSites) {
        const auto i = static_cast<std::size_t>(site);
        auto analyzer = SiteAnalyzer::create({layer, site}, statistics[i], weights.at(site), m_options);
        if (!analyzer) return passOn(std::move(analyzer).error(), siteLabel({layer, site}));
        analyzers.push_back(std::move(*analyzer));
    }
    return analyzers;
}

Status Analysis::finishSites(std::vector<SiteAnalyzer>& analyzers) {
    for (SiteAnalyzer& analyzer : analyzers) {
        BDQ_CHECK(m_context.checkCancelled());
        auto site = analyzer.finish();
        if (!site) return passOn(std::move(site).error(), siteLabel(analyzer.detail().key));
        BDQ_CHECK(saveSite(m_spec.outDir, *site, analyzer.detail()));
        m_context.emit(RowEvent{"analysis_site", encodeSiteRow(*site)});
        m_result.sites.push_back(std::move(*site));
    }
    return {};
}

Status Analysis::passThrough(const BlockWeights& weights) {
    for (at::Tensor& x : m_hidden) {
        BDQ_CHECK(m_context.checkCancelled());
        BlockHooks none;
        x = forwardBlock(m_weights->config(), weights, m_rope, x, none);
        advance(1.0 / static_cast<double>(m_hidden.size()));
    }
    return {};
}

Status Analysis::analyzeSites(int layer, const BlockWeights& weights) {
    TwoPassInputs inputs(m_weights->config(), weights, m_rope, m_hidden);
    std::vector<InputStatistics> statistics(kLinearSites.size(), InputStatistics(momentNeeds(m_options)));
    HiddenStates next;
    for (std::size_t batch = 0; batch < inputs.batches(); ++batch) {
        BDQ_CHECK(m_context.checkCancelled());
        const TwoPassInputs::FirstPass pass = inputs.first(batch);
        for (std::size_t site = 0; site < statistics.size(); ++site)
            statistics[site].add(pass.capture.inputs()[site]);
        next.push_back(pass.output);
        advance(0.3 / static_cast<double>(inputs.batches()));
    }
    BDQ_TRY(std::vector<SiteAnalyzer> analyzers, buildAnalyzers(layer, weights, statistics));
    for (std::size_t batch = 0; batch < inputs.batches(); ++batch) {
        BDQ_CHECK(m_context.checkCancelled());
        const SiteInputs again = inputs.second(batch);
        for (std::size_t site = 0; site < analyzers.size(); ++site)
            analyzers[site].add(again[site]);
    }
    advance(0.2);
    BDQ_CHECK(finishSites(analyzers));
    advance(0.5);
    m_hidden = std::move(next);
    return {};
}

Status Analysis::visitLayer(int layer, bool wanted) {
    m_context.stage("layer " + std::to_string(layer), layer);
    BDQ_TRY(const BlockWeights weights, m_weights->block(layer, m_device.device));
    BDQ_CHECK(wanted ? analyzeSites(layer, weights) : passThrough(weights));
    releaseFreedMemory();
    return {};
}

Status Analysis::visitLayers() {
    const c10::InferenceMode guard;
    BDQ_CHECK(prepare());
    const std::vector<int> layers = m_result.spec.layers;
    const int last = *std::max_element(layers.begin(), layers.end());
    m_total = last + 1;
    if (m_spec.estimateLosses) m_total += kEstimateShare * m_weights->config().layers;
    for (int layer = 0; layer <= last; ++layer)
        BDQ_CHECK(visitLayer(layer, std::find(layers.begin(), layers.end(), layer) != layers.end()));
    m_hidden.clear();
    return {};
}

// Outside of inference mode: its tensors cannot be differentiated.
Status Analysis::estimate() {
    LossEstimateOptions options;
    options.seed = m_spec.seed;
    const double steps = kEstimateShare * m_weights->config().layers;
    return estimateLosses(*m_weights, m_device, m_ids, m_spec.outDir, options, m_result, m_context,
                          [this, steps](double share) { advance(share * steps); });
}

Result<AnalysisResult> Analysis::run() {
    BDQ_CHECK(visitLayers());
    if (m_spec.estimateLosses) BDQ_CHECK(estimate());
    m_result.spec = m_spec;
    m_result.model = m_weights->config();
    m_result.parameters = m_weights->reader().index().parameters;
    m_result.modelFingerprint = m_weights->reader().fingerprint();
    m_result.warnings = m_context.warnings();
    m_result.provenance = m_clock.provenance(m_device);
    BDQ_CHECK(saveAnalysis(m_spec.outDir, m_result));
    emitArtifact(m_context, m_spec.outDir, "analysis.json");
    return std::move(m_result);
}

} // namespace

Result<AnalysisResult> analyze(const AnalyzeSpec& spec, JobContext& context) {
    BDQ_CHECK(validate(spec));
    return torchGuard([&] { return Analysis(spec, context).run(); });
}

} // namespace bdq
