#include <chrono>
#include <map>
#include <optional>

#include <ATen/ATen.h>

#include "engine/io/tensor_file.h"
#include "engine/model/device.h"
#include "engine/model/torch_guard.h"
#include "engine/model/weights.h"
#include "engine/pipeline/analysis_folder.h"
#include "engine/pipeline/job_support.h"
#include "engine/pipeline/jobs.h"
#include "engine/pipeline/site_measurement.h"
#include "engine/quant/output_mse.h"
#include "engine/quant/quantized_weight.h"
#include "engine/transform/site_transform.h"

namespace bdq {
namespace {

/// What stays loaded of the site asked for last: people change bits many times before they change the site.
struct LoadedSite {
    SiteKey key;
    SiteDetail detail;
    at::Tensor weight;  ///< [out, n]
    at::Tensor inputs;  ///< [kept, n]
    at::Tensor outputs; ///< [kept, out]
};

/// `inputs` [kept, n] are what the weight is multiplied with.
Result<quant::QuantizedWeight> round(const at::Tensor& weight, const at::Tensor& inputs,
                                     const OperandScheme& scheme, WeightRounding rounding) {
    if (rounding != WeightRounding::OutputMse) return quant::roundWeights(weight, scheme, rounding);
    const at::Tensor rows = inputs.to(at::kDouble);
    return quant::roundToOutput(weight, rows.t().matmul(rows), scheme);
}

} // namespace

struct SiteInspector::Impl {
    InspectSpec spec;
    ModelWeights weights;
    ComputeDevice device;
    AnalysisResult analysis;
    std::optional<LoadedSite> loaded;

    Status load(SiteKey key);
    Result<OutputError> measure(const SiteRequest& request);
};

Status SiteInspector::Impl::load(SiteKey key) {
    if (loaded && loaded->key == key) return {};
    const SiteAnalysis* site = analysis.find(key);
    if (site == nullptr)
        return fail(ErrorCode::InvalidSpec,
                    spec.analysisDir + ": " + siteLabel(key) + " is not in the analysis");
    LoadedSite next;
    next.key = key;
    BDQ_TRY(next.detail, io::readSiteDetail(std::filesystem::path(spec.analysisDir) / site->detailFile));
    BDQ_TRY(const BlockWeights block, weights.block(key.layer, device.device));
    next.weight = block.at(key.site);
    next.inputs = at::from_blob(next.detail.keptInputs.data(),
                                {next.detail.keptTokens, next.detail.inFeatures}, at::kFloat)
                      .clone()
                      .to(device.device);
    // Per-token quantization commutes with a factor per token, so a weight in the sums is its root on the
    // inputs.
    const std::vector<float>& weightOf = next.detail.keptWeights;
    if (!weightOf.empty())
        next.inputs *= at::tensor(at::ArrayRef<float>(weightOf)).sqrt().unsqueeze(1).to(device.device);
    next.outputs = at::linear(next.inputs, next.weight);
    loaded = std::move(next);
    return {};
}

Result<OutputError> SiteInspector::Impl::measure(const SiteRequest& request) {
    BDQ_CHECK(load(request.key));
    const auto detail = loaded->detail.transforms.find(request.transform);
    if (detail == loaded->detail.transforms.end())
        return fail(ErrorCode::InvalidSpec, spec.analysisDir + ": the analysis has no transform '" +
                                                std::string(transformInfo(request.transform).id) +
                                                "' for this site");
    if (request.transform == TransformKind::SpinQuant || request.transform == TransformKind::OstQuant)
        return fail(ErrorCode::Unsupported,
                    spec.analysisDir + ": transform '" + std::string(transformInfo(request.transform).id) +
                        "' cannot be measured again: its rotation is one of the whole "
                        "run, found in the run's folder, not in its analysis");
    BDQ_TRY(const transform::SiteTransform built,
            transform::SiteTransform::fromDetail(detail->second, loaded->detail.inFeatures,
                                                 loaded->detail.hadamardSeed));
    const transform::SiteTransform siteTransform = built.to(device.device);
    const at::Tensor inputs = siteTransform.applyToActivations(loaded->inputs);
    const at::Tensor weight = siteTransform.applyToWeight(loaded->weight);
    const Scheme& scheme = request.scheme;
    if (!scheme.weight.quantizes())
        return outputErrorWithFullWeight(loaded->outputs, inputs, weight, scheme.activation);
    // GPTQ fitted to the few kept tokens would be measured on its own training data; nearest rounding with
    // the range search is the honest neighbour.
    const WeightRounding rounding =
        request.rounding == WeightRounding::Gptq ? WeightRounding::Mse : request.rounding;
    BDQ_TRY(const quant::QuantizedWeight rounded, round(weight, inputs, scheme.weight, rounding));
    return quantizedOutputError(loaded->outputs, inputs, rounded, scheme.activation);
}

SiteInspector::SiteInspector(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
SiteInspector::SiteInspector(SiteInspector&&) noexcept = default;
SiteInspector& SiteInspector::operator=(SiteInspector&&) noexcept = default;
SiteInspector::~SiteInspector() = default;

Result<SiteInspector> SiteInspector::open(const InspectSpec& spec, JobContext& context) {
    return torchGuard([&]() -> Result<SiteInspector> {
        BDQ_TRY(const ComputeDevice device, openDevice(spec.device));
        BDQ_TRY(ModelWeights weights, ModelWeights::open(spec.modelPath));
        BDQ_TRY(AnalysisResult analysis, loadAnalysis(spec.analysisDir));
        BDQ_CHECK(checkSameModel(weights, analysis.modelFingerprint, "the analysis in " + spec.analysisDir,
                                 context));
        context.emit(AcceptedEvent{"inspect", device.id, spec.analysisDir, weights.config().layers});
        return SiteInspector(std::make_unique<Impl>(
            Impl{spec, std::move(weights), device, std::move(analysis), std::nullopt}));
    });
}

Result<SiteAnswer> SiteInspector::measure(const SiteRequest& request) {
    return torchGuard([&]() -> Result<SiteAnswer> {
        const c10::InferenceMode guard;
        const auto start = std::chrono::steady_clock::now();
        BDQ_TRY(const OutputError error, m_impl->measure(request));
        SiteAnswer answer;
        answer.id = request.id;
        answer.key = request.key;
        answer.transform = request.transform;
        answer.scheme = formatScheme(request.scheme);
        answer.sqnrDb = error.sqnrDb();
        answer.tokens = m_impl->loaded->detail.keptTokens;
        answer.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        return answer;
    });
}

} // namespace bdq
