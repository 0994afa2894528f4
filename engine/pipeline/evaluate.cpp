#include "engine/pipeline/evaluate.h"

#include <filesystem>

#include <ATen/ATen.h>

#include "engine/calibration/token_source.h"
#include "engine/model/torch_guard.h"
#include "engine/pipeline/job_support.h"
#include "engine/pipeline/jobs.h"
#include "engine/pipeline/quantized_layer.h"

namespace bdq {

Result<EvalResult> evaluateModel(const ModelWeights& weights, const std::string& runDir,
                                 const EvaluationOptions& options, const ComputeDevice& device,
                                 JobContext& context, const std::function<void(double, double)>& progress) {
    context.stage(runDir.empty() ? "evaluating the full model" : "evaluating the quantized model");
    BDQ_TRY(const std::vector<std::int32_t> tokens, tokenizeFile(weights, options.textPath));
    std::unique_ptr<LayerSource> layers;
    if (runDir.empty())
        layers = std::make_unique<FullPrecisionLayers>(weights, device);
    else
        layers = std::make_unique<RunLayers>(weights, device, runDir);
    auto measured = perplexity(weights, *layers, tokens, {options.sequenceLength, options.maxWindows}, device,
                               context, progress);
    if (!measured) return passOn(std::move(measured).error(), options.textPath);
    EvalResult result;
    result.modelPath = weights.path();
    result.runDir = runDir;
    result.text = std::filesystem::path(options.textPath).filename().string();
    result.perplexity = measured->perplexity;
    result.nll = measured->nll;
    result.windows = measured->windows;
    result.sequenceLength = options.sequenceLength;
    result.tokens = static_cast<std::int64_t>(tokens.size());
    result.tokensPerSecond =
        measured->windows * static_cast<double>(options.sequenceLength) / measured->seconds;
    return result;
}

namespace {

Result<EvalResult> evaluateGuarded(const EvalSpec& spec, JobContext& context) {
    const JobClock clock(spec);
    BDQ_TRY(const ComputeDevice device, openDevice(spec.device));
    BDQ_TRY(const ModelWeights weights, ModelWeights::open(spec.modelPath));
    if (!spec.runDir.empty() && !std::filesystem::exists(std::filesystem::path(spec.runDir) / "run.json"))
        return fail(ErrorCode::NotFound,
                    spec.runDir + ": run.json is missing, expected the folder of a finished run");
    context.emit(AcceptedEvent{"eval", device.id, {}, weights.config().layers});
    BDQ_TRY(EvalResult result, evaluateModel(weights, spec.runDir, spec.evaluation, device, context,
                                             [&](double done, double total) {
                                                 context.progress(done, total, "layer windows");
                                             }));
    result.provenance = clock.provenance(device);
    return result;
}

} // namespace

Result<EvalResult> evaluate(const EvalSpec& spec, JobContext& context) {
    BDQ_CHECK(validate(spec));
    return torchGuard([&] { return evaluateGuarded(spec, context); });
}

} // namespace bdq
