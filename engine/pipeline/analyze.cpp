#include <algorithm>
#include <optional>

#include <ATen/ATen.h>

#include "engine/calibration/input_statistics.h"
#include "engine/calibration/token_source.h"
#include "engine/model/torch_guard.h"
#include "engine/pipeline/analysis_folder.h"
#include "engine/pipeline/block_capture.h"
#include "engine/pipeline/job_support.h"
#include "engine/pipeline/jobs.h"
#include "engine/pipeline/site_analyzer.h"

namespace bdq {
namespace {

// Captured inputs that are kept for the second pass over a layer; beyond it the forward pass is repeated.
constexpr std::uint64_t kKeptBytes = std::uint64_t{1} << 30;

/// One analysis: layer by layer, two passes over the inputs of each layer (moments, then everything that
/// needs them).
class Analysis {
public:
    Analysis(const AnalyzeSpec& spec, JobContext& context)
        : m_spec(spec), m_context(context), m_clock(spec) {}
    Result<AnalysisResult> run();

private:
    Status prepare();
    Status analyzeLayer(int layer, bool wanted);
    SiteInputs forward(const BlockWeights& weights, const at::Tensor& x, at::Tensor* output) const;
    Result<std::vector<SiteAnalyzer>> buildAnalyzers(int layer, const BlockWeights& weights,
                                                     const std::vector<InputStatistics>& statistics) const;
    Status finishSites(std::vector<SiteAnalyzer>& analyzers);
    void advance(double steps);

    const AnalyzeSpec& m_spec;
    JobContext& m_context;
    JobClock m_clock;
    std::optional<ModelWeights> m_weights;
    ComputeDevice m_device;
    SiteAnalyzerOptions m_options;
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
    m_options.transforms = m_spec.transforms;
    m_options.seed = m_spec.seed;
    BDQ_CHECK(prepareFolder(m_spec.outDir));
    BDQ_CHECK(prepareFolder(std::filesystem::path(m_spec.outDir) / "sites"));
    m_context.emit(
        AcceptedEvent{"analyze", m_device.id, m_spec.outDir, static_cast<int>(m_result.spec.layers.size())});

    BDQ_TRY(const CalibrationTokens tokens,
            calibrationTokens(*m_weights, m_spec.calibration, m_spec.seed, m_device, m_context));
    m_result.text = tokens.info;
    BDQ_TRY(const at::Tensor embedding, m_weights->embedding(m_device.device));
    m_hidden = embedTokens(embedding, tokens.ids, m_device.isCuda());
    m_rope = Rope::create(m_weights->config(), tokens.ids.size(1), m_device.device);
    return {};
}

SiteInputs Analysis::forward(const BlockWeights& weights, const at::Tensor& x, at::Tensor* output) const {
    CaptureHooks capture;
    const at::Tensor y = forwardBlock(m_weights->config(), weights, m_rope, x, capture);
    if (output != nullptr) *output = y;
    return capture.inputs();
}

Result<std::vector<SiteAnalyzer>>
Analysis::buildAnalyzers(int layer, const BlockWeights& weights,
                         const std::vector<InputStatistics>& statistics) const {
    std::vector<SiteAnalyzer> analyzers;
    for (Site site : kLinearSites) {
        const auto i = static_cast<std::size_t>(site);
        auto analyzer = SiteAnalyzer::create({layer, site}, statistics[i], weights.at(site), m_options);
        if (!analyzer)
            return passOn(std::move(analyzer).error(),
                          "layer " + std::to_string(layer) + ", site " + std::string(siteName(site)));
        analyzers.push_back(std::move(*analyzer));
    }
    return analyzers;
}

Status Analysis::finishSites(std::vector<SiteAnalyzer>& analyzers) {
    for (SiteAnalyzer& analyzer : analyzers) {
        BDQ_CHECK(m_context.checkCancelled());
        auto site = analyzer.finish();
        const SiteKey key = analyzer.detail().key;
        if (!site)
            return passOn(std::move(site).error(),
                          "layer " + std::to_string(key.layer) + ", site " + std::string(siteName(key.site)));
        BDQ_CHECK(saveSite(m_spec.outDir, *site, analyzer.detail()));
        m_context.emit(RowEvent{"analysis_site", encodeSiteRow(*site)});
        m_result.sites.push_back(std::move(*site));
    }
    return {};
}

Status Analysis::analyzeLayer(int layer, bool wanted) {
    m_context.stage("layer " + std::to_string(layer), layer);
    BDQ_TRY(const BlockWeights weights, m_weights->block(layer, m_device.device));
    std::vector<InputStatistics> statistics(kLinearSites.size());
    std::vector<std::optional<SiteInputs>> kept(m_hidden.size());
    HiddenStates next(m_hidden.size());
    std::uint64_t keptBytes = 0;
    const double share = (wanted ? 0.3 : 1.0) / static_cast<double>(m_hidden.size());
    for (std::size_t i = 0; i < m_hidden.size(); ++i) {
        BDQ_CHECK(m_context.checkCancelled());
        SiteInputs inputs = forward(weights, m_hidden[i], &next[i]);
        for (std::size_t site = 0; wanted && site < inputs.size(); ++site)
            statistics[site].add(inputs[site]);
        keptBytes += bytesOf(inputs);
        if (wanted && keptBytes <= kKeptBytes) kept[i] = std::move(inputs);
        advance(share);
    }
    if (wanted) {
        BDQ_TRY(std::vector<SiteAnalyzer> analyzers, buildAnalyzers(layer, weights, statistics));
        for (std::size_t i = 0; i < m_hidden.size(); ++i) {
            BDQ_CHECK(m_context.checkCancelled());
            const SiteInputs inputs = kept[i] ? std::move(*kept[i]) : forward(weights, m_hidden[i], nullptr);
            for (std::size_t site = 0; site < inputs.size(); ++site)
                analyzers[site].add(inputs[site]);
            kept[i].reset();
        }
        advance(0.2);
        BDQ_CHECK(finishSites(analyzers));
        advance(0.5);
    }
    m_hidden = std::move(next);
    releaseFreedMemory();
    return {};
}

Result<AnalysisResult> Analysis::run() {
    const c10::InferenceMode guard;
    BDQ_CHECK(prepare());
    const std::vector<int> layers = m_result.spec.layers;
    const int last = *std::max_element(layers.begin(), layers.end());
    m_total = last + 1;
    for (int layer = 0; layer <= last; ++layer)
        BDQ_CHECK(analyzeLayer(layer, std::find(layers.begin(), layers.end(), layer) != layers.end()));
    m_result.spec = m_spec;
    m_result.model = m_weights->config();
    m_result.parameters = m_weights->reader().index().parameters;
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
