#include "engine/pipeline/residual_start.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "engine/pipeline/cache_rotation.h"
#include "engine/pipeline/job_support.h"
#include "engine/pipeline/site_analyzer.h"
#include "engine/train/leaves.h"
#include "engine/transform/principal_rotation.h"

namespace bdq {
namespace {

const at::Tensor& gainBefore(const BlockWeights& weights, Site site) {
    return site == Site::Qkv ? weights.attentionNorm : weights.mlpNorm;
}

/// 1 / g; a channel that the norm has switched off stays off with any factor.
at::Tensor inverseGain(const at::Tensor& gain) {
    const at::Tensor values = gain.to(at::kDouble);
    const at::Tensor one = at::ones_like(values);
    return at::where(values == 0, one, values).reciprocal();
}

/// Builds the learned parts of one block.
class ResidualStart {
public:
    ResidualStart(const ModelConfig& config, const LayerQuantizerOptions& options, int layer,
                  const BlockWeights& weights, const at::Tensor& residual)
        : m_config(config), m_options(options), m_layer(layer), m_weights(weights), m_residual(residual),
          m_scaled(options.method->learned == LearnedForm::ScaledResidualRotation) {}

    Status sites(train::BlockStart& start) const;
    Status heads(const CacheRotation& cache, train::BlockStart& start) const;

private:
    Result<train::LearnedSite> behindNorm(Site site) const;
    Result<train::LearnedSite> beforeDown() const;
    Result<at::Tensor> valueStart(bool folded) const;

    const ModelConfig& m_config;
    const LayerQuantizerOptions& m_options;
    int m_layer;
    const BlockWeights& m_weights;
    const at::Tensor& m_residual;
    bool m_scaled;
};

Result<train::LearnedSite> ResidualStart::behindNorm(Site site) const {
    const std::int64_t hidden = m_config.hiddenSize;
    transform::TransformParts parts;
    parts.diagonal = inverseGain(gainBefore(m_weights, site));
    BDQ_TRY(const transform::SiteTransform fixed, transform::SiteTransform::create(hidden, parts));
    train::SiteParameterisation form;
    form.learnDiagonal = false;
    form.rotation = train::Rotation::Shared;
    form.shared = m_residual;
    form.learnOuterDiagonal = m_scaled;
    return train::LearnedSite::create(hidden, fixed, form, m_residual.device());
}

// R4, and the scale of the up rows before it.
Result<train::LearnedSite> ResidualStart::beforeDown() const {
    transform::TransformParts parts;
    parts.hadamard = true;
    parts.hadamardSeed = siteSeed(m_options.seed, {m_layer, Site::Down});
    const std::int64_t width = m_config.intermediateSize;
    BDQ_TRY(const transform::SiteTransform fixed, transform::SiteTransform::create(width, parts));
    train::SiteParameterisation form;
    form.learnDiagonal = m_scaled;
    form.rotation = train::Rotation::Fixed;
    return train::LearnedSite::create(width, fixed, form, m_residual.device());
}

Status ResidualStart::sites(train::BlockStart& start) const {
    for (std::size_t i = 0; i < kLinearSites.size(); ++i) {
        const Site site = kLinearSites[i];
        const Scheme& scheme = m_options.plan.at({m_layer, site});
        start.schemes[i] = scheme;
        if (m_options.rounding == WeightRounding::Gptq) start.schemes[i].weight = OperandScheme{};
        // o has the value heads' rotation alone; what is not quantized keeps its plain form.
        if (site == Site::O || !(scheme.activation.quantizes() || scheme.weight.quantizes())) continue;
        auto made = site == Site::Down ? beforeDown() : behindNorm(site);
        if (!made) return passOn(std::move(made).error(), siteLabel({m_layer, site}));
        start.sites[i] = std::move(*made);
    }
    return {};
}

// Start of R2 or R_ov. With quantized caches rotateCache() has folded a Hadamard already.
Result<at::Tensor> ResidualStart::valueStart(bool folded) const {
    const std::uint64_t seed = siteSeed(m_options.seed, {m_layer, Site::VCache});
    const std::int64_t width = m_config.headDim;
    if (!m_scaled) {
        if (folded) return at::eye(width, at::kDouble);
        return transform::hadamardMatrix(width, seed);
    }
    std::vector<at::Tensor> rotations;
    const std::int64_t columns = m_config.heads / m_config.kvHeads * width;
    for (std::int64_t head = 0; head < m_config.kvHeads; ++head) {
        transform::RowCovariance rows;
        rows.add(m_weights.at(Site::O).narrow(1, head * columns, columns).reshape({-1, width}));
        BDQ_TRY(const at::Tensor rotation, transform::principalRotation(rows.covariance(), seed));
        rotations.push_back(rotation);
    }
    return at::stack(rotations);
}

Status ResidualStart::heads(const CacheRotation& cache, train::BlockStart& start) const {
    const Scheme& output = m_options.plan.at({m_layer, Site::O});
    const bool values =
        start.valueScheme.quantizes() || output.activation.quantizes() || output.weight.quantizes();
    const at::Device device = m_residual.device();
    train::HeadParameterisation form;
    if (cache.keys && start.keyScheme.quantizes()) {
        form.form = m_scaled ? train::HeadForm::PairScale : train::HeadForm::Fixed;
        BDQ_TRY(start.keys, train::LearnedHead::create(m_config.headDim, cache.keys, form, device));
    }
    if (!values) return {};
    form.form = m_scaled ? train::HeadForm::RotationAndScale : train::HeadForm::Rotation;
    BDQ_TRY(form.rotation, valueStart(cache.keys.has_value()));
    BDQ_TRY(start.values, train::LearnedHead::create(m_config.headDim, std::nullopt, form, device));
    return {};
}

} // namespace

Result<at::Tensor> startResidualRotation(const ModelWeights& weights, LearnedForm form, std::uint64_t seed,
                                         at::Device device, JobContext& context) {
    const c10::NoGradGuard guard;
    const ModelConfig& config = weights.config();
    // A place behind the last layer, so that the signs are no site's.
    const std::uint64_t own = siteSeed(seed, {config.layers, Site::Qkv});
    if (form == LearnedForm::ResidualRotation) {
        BDQ_TRY(const at::Tensor start, transform::hadamardMatrix(config.hiddenSize, own));
        return train::leaf(start, device, at::kDouble);
    }
    context.stage("principal axes of the weights");
    transform::RowCovariance rows;
    for (int layer = 0; layer < config.layers; ++layer) {
        BDQ_CHECK(context.checkCancelled());
        BDQ_TRY(const BlockWeights block, weights.block(layer, device));
        for (const Site site : {Site::Qkv, Site::GateUp})
            rows.add(block.at(site) * gainBefore(block, site));
    }
    BDQ_TRY(const at::Tensor start, transform::principalRotation(rows.covariance(), own));
    return train::leaf(start, device, at::kDouble);
}

Result<train::TrainableBlock> startResidualBlock(const ModelConfig& config,
                                                 const LayerQuantizerOptions& options,
                                                 const TrainingRecipe& recipe, int layer,
                                                 BlockWeights weights, const at::Tensor& residual) {
    if (recipe.learnRounding)
        return fail(ErrorCode::InvalidSpec, "learn_rounding: found true, expected false: method " +
                                                std::string(options.method->id) + " learns rotations only");
    train::BlockStart start;
    start.learnClipping = recipe.learnClipping;
    start.autocast = recipe.autocast;
    start.residual = residual;
    start.keyScheme = options.plan.at({layer, Site::KCache}).kv;
    start.valueScheme = options.plan.at({layer, Site::VCache}).kv;
    {
        const c10::NoGradGuard guard;
        ComputeDevice device;
        device.device = residual.device();
        BDQ_TRY(const CacheRotation cache,
                rotateCache(config, *options.method, options.plan, options.seed, layer, device, weights));
        const ResidualStart parts(config, options, layer, weights, residual);
        BDQ_CHECK(parts.sites(start));
        BDQ_CHECK(parts.heads(cache, start));
    }
    return train::TrainableBlock(config, std::move(weights), std::move(start));
}

} // namespace bdq
