#include "engine/pipeline/evaluate.h"

#include <filesystem>

#include <ATen/ATen.h>

#include "engine/api/atomic_file.h"
#include "engine/calibration/token_source.h"
#include "engine/eval/choice_scores.h"
#include "engine/model/torch_guard.h"
#include "engine/pipeline/job_support.h"
#include "engine/pipeline/jobs.h"
#include "engine/pipeline/layer_checkpoint.h"
#include "engine/pipeline/quantized_layer.h"

namespace bdq {
namespace {

using Progress = std::function<void(double, double)>;

constexpr std::size_t kMaxResultBytes = std::size_t{512} << 20;

PerplexityOptions protocolOf(const EvaluationOptions& options) {
    return {options.sequenceLength, options.maxWindows};
}

std::unique_ptr<LayerSource> layersOf(const ModelWeights& weights, const std::string& runDir,
                                      const ComputeDevice& device) {
    if (runDir.empty()) return std::make_unique<FullPrecisionLayers>(weights, device);
    return std::make_unique<RunLayers>(weights, device, runDir);
}

std::string measuredModel(const std::string& runDir) {
    return runDir.empty() ? "the full model" : "the quantized model";
}

Status measureText(const ModelWeights& weights, const MeasuredLayers& measured, const TextTokens& tokens,
                   const EvaluationOptions& options, const ComputeDevice& device, JobContext& context,
                   const Progress& progress, EvalResult& result) {
    auto found = perplexity(weights, measured, tokens.ids, protocolOf(options), device, context, progress);
    if (!found) return passOn(std::move(found).error(), options.textPath);
    result.text = std::filesystem::path(options.textPath).filename().string();
    result.perplexity = found->perplexity;
    result.nll = found->nll;
    result.nllError = found->nllError;
    result.bos = tokens.bos;
    result.form = tokens.form;
    result.windows = found->windows;
    result.sequenceLength = options.sequenceLength;
    result.tokens = static_cast<std::int64_t>(tokens.ids.size());
    const int models = found->comparison ? 2 : 1;
    result.tokensPerSecond =
        models * found->windows * static_cast<double>(options.sequenceLength) / found->seconds;
    result.comparison = found->comparison;
    return {};
}

/// One `bdq eval`: everything is read and tokenised before anything is computed.
class EvalJob {
public:
    EvalJob(const EvalSpec& spec, const ModelWeights& weights, ComputeDevice device, JobContext& context)
        : m_spec(spec), m_weights(weights), m_device(std::move(device)), m_context(context),
          m_layers(layersOf(weights, spec.runDir, m_device)), m_fullLayers(weights, m_device) {}

    Result<EvalResult> run() {
        m_result.modelPath = m_weights.path();
        m_result.runDir = m_spec.runDir;
        m_result.bosMode = m_spec.evaluation.bos;
        BDQ_CHECK(readText());
        BDQ_CHECK(readTasks());
        BDQ_CHECK(measure());
        BDQ_CHECK(score());
        m_result.warnings = m_context.warnings();
        return std::move(m_result);
    }

private:
    [[nodiscard]] bool compares() const { return !m_spec.runDir.empty(); }
    Status readText();
    Status readTasks();
    Status measure();
    Status score();
    Progress part(double units);

    const EvalSpec& m_spec;
    const ModelWeights& m_weights;
    ComputeDevice m_device;
    JobContext& m_context;
    std::unique_ptr<LayerSource> m_layers;
    FullPrecisionLayers m_fullLayers;
    TextTokens m_tokens;
    std::vector<ChoiceTask> m_tasks;
    std::vector<int> m_truncated; ///< by task
    ChoiceRequests m_requests;
    EvalResult m_result;
    double m_textUnits = 0; ///< tokens through a model
    double m_taskUnits = 0;
    double m_begun = 0; ///< units before the part in progress
};

Status EvalJob::readText() {
    if (m_spec.evaluation.textPath.empty()) return {};
    m_context.stage("tokenizing the text");
    warnBeyondContext(m_weights.config(), m_spec.evaluation.sequenceLength, "windows", m_context);
    BDQ_TRY(m_tokens, tokenizeFile(m_weights, m_spec.evaluation.textPath, m_spec.evaluation.bos, m_context));
    m_textUnits = static_cast<double>(windowCount(m_tokens.ids.size(), protocolOf(m_spec.evaluation))) *
                  m_spec.evaluation.sequenceLength * (compares() ? 2 : 1);
    return {};
}

Status EvalJob::readTasks() {
    if (m_spec.tasks.empty()) return {};
    BDQ_TRY(const io::Tokenizer tokenizer, io::Tokenizer::create(m_weights.reader()));
    const BosMode bos = m_spec.evaluation.bos;
    if (m_spec.evaluation.textPath.empty())
        m_result.bos = bos == BosMode::On || (bos == BosMode::Auto && tokenizer.addsBos());
    for (const std::string& path : m_spec.tasks) {
        m_context.stage("reading " + std::filesystem::path(path).filename().string());
        BDQ_TRY(ChoiceTask task, readChoiceTask(path, m_spec.taskLimit));
        BDQ_TRY(const int truncated,
                addRequests(task, tokenizer, m_weights.config().contextLength, m_context, m_requests, bos));
        if (truncated > 0)
            m_context.warning(
                path + ": " + std::to_string(truncated) + " items are longer than the model's context of " +
                std::to_string(m_weights.config().contextLength) + " tokens and lose their beginning");
        m_truncated.push_back(truncated);
        m_tasks.push_back(std::move(task));
    }
    for (const auto& input : m_requests.inputs)
        m_taskUnits += static_cast<double>(input.size());
    return {};
}

// Shares of the whole job in tokens through a model.
Progress EvalJob::part(double units) {
    return [this, units, before = m_begun](double done, double total) {
        m_begun = before + units;
        m_context.progress(before + units * done / total, m_textUnits + m_taskUnits, "tokens");
    };
}

Status EvalJob::measure() {
    if (m_spec.evaluation.textPath.empty()) return {};
    m_context.stage(compares() ? "comparing the quantized model with the full one"
                               : "evaluating the full model");
    return measureText(m_weights, {*m_layers, compares() ? &m_fullLayers : nullptr}, m_tokens,
                       m_spec.evaluation, m_device, m_context, part(m_textUnits), m_result);
}

Status EvalJob::score() {
    if (m_tasks.empty()) return {};
    m_context.stage("multiple choice by " + measuredModel(m_spec.runDir));
    BDQ_TRY(const std::vector<double> scores,
            scoreChoices(m_weights, *m_layers, m_requests, m_device, m_context, part(m_taskUnits)));
    std::size_t first = 0;
    for (std::size_t i = 0; i < m_tasks.size(); ++i) {
        std::size_t count = 0;
        for (const ChoiceItem& item : m_tasks[i].items)
            count += item.choices.size();
        BDQ_TRY(TaskResult task, rateChoices(m_tasks[i], std::span(scores).subspan(first, count)));
        first += count;
        task.truncated = m_truncated[i];
        m_result.tasks.push_back(std::move(task));
    }
    return {};
}

/// Errors: NotFound without a finished run, InvalidSpec for one of other weights.
Status checkRun(const std::string& runDir, const ModelWeights& weights, JobContext& context) {
    const std::filesystem::path file = std::filesystem::path(runDir) / "run.json";
    if (!std::filesystem::exists(file))
        return fail(ErrorCode::NotFound,
                    runDir + ": run.json is missing, expected the folder of a finished run");
    BDQ_TRY(const std::string json, readTextFile(file, kMaxResultBytes));
    BDQ_TRY(const RunResult run, decodeRun(json, file.string()));
    BDQ_CHECK(checkSameModel(weights, run.modelFingerprint, "the run in " + runDir, context));
    BDQ_TRY(const std::vector<int> layers, chooseLayers(run.spec.layers, run.model.layers));
    for (const int layer : layers)
        if (const auto path = std::filesystem::path(runDir) / layerFileName(layer);
            !std::filesystem::exists(path))
            return fail(ErrorCode::NotFound, path.string() + ": a layer of the run is missing");
    return {};
}

Result<EvalResult> evaluateGuarded(const EvalSpec& spec, JobContext& context) {
    const JobClock clock(spec);
    BDQ_TRY(const ComputeDevice device, openDevice(spec.device));
    BDQ_TRY(const ModelWeights weights, ModelWeights::open(spec.modelPath));
    if (!spec.runDir.empty()) BDQ_CHECK(checkRun(spec.runDir, weights, context));
    context.emit(AcceptedEvent{"eval", device.id, {}, weights.config().layers});
    BDQ_TRY(EvalResult result, EvalJob(spec, weights, device, context).run());
    result.provenance = clock.provenance(device);
    return result;
}

} // namespace

Result<EvalResult> evaluateModel(const ModelWeights& weights, const std::string& runDir,
                                 const EvaluationOptions& options, const ComputeDevice& device,
                                 JobContext& context, const Progress& progress) {
    context.stage("evaluating " + measuredModel(runDir));
    BDQ_TRY(const TextTokens tokens, tokenizeFile(weights, options.textPath, options.bos, context));
    const std::unique_ptr<LayerSource> layers = layersOf(weights, runDir, device);
    EvalResult result;
    result.modelPath = weights.path();
    result.runDir = runDir;
    result.bosMode = options.bos;
    BDQ_CHECK(measureText(weights, *layers, tokens, options, device, context, progress, result));
    return result;
}

Result<EvalResult> evaluate(const EvalSpec& spec, JobContext& context) {
    BDQ_CHECK(validate(spec));
    return torchGuard([&] { return evaluateGuarded(spec, context); });
}

} // namespace bdq
