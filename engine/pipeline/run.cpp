#include <algorithm>
#include <optional>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "engine/api/atomic_file.h"
#include "engine/model/torch_guard.h"
#include "engine/pipeline/analysis_folder.h"
#include "engine/pipeline/evaluate.h"
#include "engine/pipeline/job_support.h"
#include "engine/pipeline/jobs.h"
#include "engine/pipeline/layer_quantizer.h"
#include "engine/pipeline/run_folder.h"
#include "engine/pipeline/run_training.h"

namespace bdq {
namespace {

/// One run: evaluate the full model, quantize layer by layer with a checkpoint each, evaluate the result.
class Run {
public:
    Run(const RunSpec& spec, JobContext& context)
        : m_spec(spec), m_context(context), m_clock(spec), m_folder(std::nullopt) {}
    Result<RunResult> run();

private:
    Status prepare();
    Status prepareTokens();
    Status evaluateInto(std::optional<EvalResult>& result, const std::string& runDir);
    Status train();
    Status quantizeLayers();
    Status quantizeLayer(int layer);
    Status passThrough(int layer);
    Status propagate(int layer, bool quantized);
    Status finishLayer(int layer, LayerOutcome& outcome);
    void averageBits();
    Status saveResults();
    void advance(double units);
    [[nodiscard]] double evaluationUnits() const;
    [[nodiscard]] bool selected(int layer) const {
        return std::binary_search(m_layers.begin(), m_layers.end(), layer);
    }

    const RunSpec& m_spec;
    JobContext& m_context;
    JobClock m_clock;
    std::optional<ModelWeights> m_weights;
    std::optional<RunFolder> m_folder;
    ComputeDevice m_device;
    LayerQuantizerOptions m_options;
    TrainingRecipe m_recipe;
    std::optional<RunTraining> m_training;
    std::vector<int> m_layers;
    HiddenStates m_full;      ///< hidden states of the full model
    HiddenStates m_quantized; ///< of the quantized layers before, where GPTQ or the training wants them
    at::Tensor m_ids;         ///< int64 [sequences, length], calibration tokens on the device
    Rope m_rope;
    RunResult m_result;
    AnalysisResult m_analysis;
    double m_done = 0;
    double m_total = 1;
};

// Progress is counted in quantized layers. Evaluating one window through the whole model takes about as long
// as quantizing a fifth of a layer with 8 x 2048 tokens (measured); a text without a limit has about 150
// windows.
constexpr double kUnitsPerWindow = 0.2;
constexpr int kTypicalWindows = 150;

double Run::evaluationUnits() const {
    if (!m_spec.evaluation) return 0;
    const int windows = m_spec.evaluation->maxWindows;
    return kUnitsPerWindow * (windows > 0 ? windows : kTypicalWindows);
}

void Run::advance(double units) {
    m_done += units;
    m_context.progress(std::min(m_done, m_total), m_total, "layers");
}

Status Run::prepare() {
    BDQ_TRY(m_device, openDevice(m_spec.device));
    BDQ_TRY(ModelWeights weights, ModelWeights::open(m_spec.modelPath));
    m_weights = std::move(weights);
    BDQ_TRY(m_layers, chooseLayers(m_spec.layers, m_weights->config().layers));
    for (const auto& [key, scheme] : m_spec.plan.overrides)
        if (key.layer >= m_weights->config().layers)
            return fail(ErrorCode::InvalidSpec, "plan: layer " + std::to_string(key.layer) +
                                                    " is not in the model, expected 0-" +
                                                    std::to_string(m_weights->config().layers - 1));
    m_options.plan = m_spec.plan;
    m_options.method = &methodInfo(m_spec.method);
    m_options.rounding = effectiveRounding(m_spec);
    m_options.seed = m_spec.seed;
    m_recipe = effectiveRecipe(m_spec);
    m_options.start = presetInfo(m_spec.method, m_spec.preset).start;
    BDQ_TRY(m_folder, RunFolder::open(m_spec, m_weights->reader().fingerprint()));
    m_context.emit(AcceptedEvent{"run", m_device.id, m_spec.outDir, static_cast<int>(m_layers.size())});
    m_result.spec = m_spec;
    m_result.model = m_weights->config();
    m_result.parameters = m_weights->reader().index().parameters;
    return prepareTokens();
}

Status Run::prepareTokens() {
    BDQ_TRY(std::optional<CalibrationTokens> tokens, m_folder->tokens());
    if (!tokens) {
        BDQ_TRY(tokens, calibrationTokens(*m_weights, m_spec.calibration, m_spec.seed, m_device, m_context));
        BDQ_CHECK(m_folder->saveTokens(*tokens));
    }
    m_result.text = tokens->info;
    BDQ_TRY(const at::Tensor embedding, m_weights->embedding(m_device.device));
    m_full = embedTokens(embedding, tokens->ids, m_device.isCuda());
    if (m_options.rounding == WeightRounding::Gptq || m_recipe.quantizedInputs) m_quantized = m_full;
    m_rope = Rope::create(m_weights->config(), tokens->ids.size(1), m_device.device);
    m_ids = tokens->ids.to(m_device.device, at::kLong);
    if (m_recipe.trains())
        m_training.emplace(*m_weights, m_rope,
                           RunTrainingOptions{m_options, m_recipe, m_layers, m_folder->path()}, m_device,
                           m_context, [this](double units) { advance(units); });
    return {};
}

Status Run::evaluateInto(std::optional<EvalResult>& result, const std::string& runDir) {
    if (!m_spec.evaluation) return {};
    const double before = m_done;
    BDQ_TRY(result, evaluateModel(*m_weights, runDir, *m_spec.evaluation, m_device, m_context,
                                  [&](double done, double total) {
                                      m_done = before;
                                      advance(evaluationUnits() * done / total);
                                  }));
    return {};
}

// Moves one of the two streams of hidden states through a layer.
Status Run::propagate(int layer, bool quantized) {
    HiddenStates& states = quantized ? m_quantized : m_full;
    if (states.empty()) return {};
    std::unique_ptr<LayerSource> source;
    if (quantized)
        source = std::make_unique<RunLayers>(*m_weights, m_device, m_folder->path().string());
    else
        source = std::make_unique<FullPrecisionLayers>(*m_weights, m_device);
    BDQ_TRY(const std::unique_ptr<Layer> block, source->load(layer));
    for (at::Tensor& x : states) {
        BDQ_CHECK(m_context.checkCancelled());
        x = block->forward(x, m_rope);
    }
    return {};
}

Status Run::passThrough(int layer) {
    BDQ_CHECK(propagate(layer, false));
    BDQ_CHECK(propagate(layer, true));
    advance(1);
    return {};
}

Status Run::finishLayer(int layer, LayerOutcome& outcome) {
    outcome.checkpoint.block.moveTo(c10::kCPU);
    for (std::size_t i = 0; i < outcome.sites.size(); ++i) {
        BDQ_CHECK(saveSite(m_folder->analysisPath(), outcome.sites[i], outcome.details[i]));
        BDQ_CHECK(
            writeFileAtomically(m_folder->analysisPath() / (siteFileName(outcome.sites[i].key) + ".json"),
                                encodeSiteRow(outcome.sites[i])));
    }
    BDQ_CHECK(writeLayerCheckpoint(m_folder->layerPath(layer), outcome.checkpoint));
    m_context.emit(CheckpointEvent{layer});
    for (const RunSiteResult& row : outcome.checkpoint.rows)
        m_context.emit(RowEvent{"run_site", encodeRunRow(row)});
    return {};
}

Status Run::quantizeLayer(int layer) {
    m_context.stage("layer " + std::to_string(layer), layer);
    LayerQuantizer quantizer(m_weights->config(), m_rope, m_options, m_device, m_context,
                             [this](double share) { advance(share * 0.85); });
    std::optional<LearnedLayer> learned;
    if (m_training) {
        BDQ_TRY(learned, m_training->layer(layer, m_full, m_quantized));
    }
    const LearnedLayer* const given = learned ? &*learned : nullptr;
    BDQ_TRY(BlockWeights weights, m_weights->block(layer, m_device.device));
    if (m_folder->hasLayer(layer)) {
        BDQ_TRY(m_full, quantizer.skip(layer, std::move(weights), m_full, given));
        advance(0.85);
    } else {
        BDQ_TRY(LayerOutcome outcome, quantizer.run(layer, std::move(weights), m_full, m_quantized, given));
        BDQ_CHECK(finishLayer(layer, outcome));
        m_full = std::move(outcome.output);
    }
    // Later layers see the layer as it is on disk, whether this process made it or an earlier one: a resumed
    // run gives the same figures.
    BDQ_CHECK(propagate(layer, true));
    BDQ_TRY(const LayerCheckpoint checkpoint,
            readLayerCheckpoint(m_folder->layerPath(layer), m_weights->config()));
    m_result.perLayer.insert(m_result.perLayer.end(), checkpoint.rows.begin(), checkpoint.rows.end());
    for (Site site : kLinearSites) {
        const std::filesystem::path path = m_folder->analysisPath() / (siteFileName({layer, site}) + ".json");
        BDQ_TRY(const std::string json, readTextFile(path, std::size_t{1} << 22));
        BDQ_TRY(SiteAnalysis analysis, decodeSiteRow(json, path.string()));
        m_analysis.sites.push_back(std::move(analysis));
    }
    releaseFreedMemory();
    advance(0.15);
    return {};
}

// What recipes with end-to-end steps need before the first layer is quantized; the others train layer by
// layer.
Status Run::train() {
    if (!m_training || m_recipe.endToEndSteps == 0) return {};
    return m_training->trainWholeModel(m_ids, m_full);
}

Status Run::quantizeLayers() {
    const c10::NoGradGuard guard; // not inference mode: training keeps these tensors for its way back
    const int last = m_layers.back();
    for (int layer = 0; layer <= last; ++layer)
        BDQ_CHECK(selected(layer) ? quantizeLayer(layer) : passThrough(layer));
    m_full.clear();
    m_quantized.clear();
    return {};
}

void Run::averageBits() {
    double bits = 0;
    double weights = 0;
    const ModelConfig& config = m_weights->config();
    for (int layer = 0; layer < config.layers; ++layer)
        for (Site site : kLinearSites) {
            const MatrixShape shape = stackedShape(config, site);
            const double count = static_cast<double>(shape.rows * shape.columns);
            const OperandScheme scheme =
                selected(layer) ? m_spec.plan.at({layer, site}).weight : OperandScheme{};
            bits += count * effectiveWeightBits(scheme, shape.columns);
            weights += count;
        }
    m_result.averageWeightBits = bits / weights;
}

// The run's own before and after, in the format of an analysis.
Status Run::saveResults() {
    m_analysis.spec.modelPath = m_spec.modelPath;
    m_analysis.spec.outDir = m_folder->analysisPath().string();
    m_analysis.spec.calibration = m_spec.calibration;
    m_analysis.spec.layers = m_spec.layers;
    m_analysis.spec.transforms = {TransformKind::None};
    if (m_options.method->transform != TransformKind::None)
        m_analysis.spec.transforms.push_back(m_options.method->transform);
    m_analysis.spec.schemes = {formatScheme(m_spec.plan.base)};
    m_analysis.spec.seed = m_spec.seed;
    m_analysis.model = m_result.model;
    m_analysis.parameters = m_result.parameters;
    m_analysis.text = m_result.text;
    m_analysis.provenance = m_result.provenance;
    BDQ_CHECK(saveAnalysis(m_folder->analysisPath(), m_analysis));
    return writeFileAtomically(m_folder->path() / "run.json", encodeRun(m_result));
}

Result<RunResult> Run::run() {
    BDQ_CHECK(prepare());
    const double layerUnits = static_cast<double>(m_layers.back() + 1);
    m_total = layerUnits + 2 * evaluationUnits();
    if (m_training)
        m_total +=
            m_training->blockUnits() + m_training->endToEndUnits(m_weights->config().layers, m_ids.size(0));
    BDQ_CHECK(evaluateInto(m_result.full, {}));
    BDQ_CHECK(train());
    BDQ_CHECK(quantizeLayers());
    BDQ_CHECK(evaluateInto(m_result.quantized, m_folder->path().string()));
    averageBits();
    m_result.status = "finished";
    m_result.provenance = m_clock.provenance(m_device);

    BDQ_CHECK(saveResults());
    emitArtifact(m_context, m_folder->path(), "analysis/analysis.json");
    emitArtifact(m_context, m_folder->path(), "run.json");
    return std::move(m_result);
}

} // namespace

Result<RunResult> run(const RunSpec& spec, JobContext& context) {
    BDQ_CHECK(validate(spec));
    return torchGuard([&] { return Run(spec, context).run(); });
}

} // namespace bdq
