#include "engine/train/trainable_block.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "engine/train/autocast.h"
#include "engine/train/cayley.h"
#include "engine/train/clipped_quantizer.h"
#include "engine/train/leaves.h"

namespace bdq::train {
namespace {

// sigmoid(4) = 0.982: FlatQuant's start of learned clipping (design/transforms.md 3.5).
constexpr double kClipStart = 4.0;

void append(std::vector<at::Tensor>& all, const std::vector<at::Tensor>& more) {
    all.insert(all.end(), more.begin(), more.end());
}

void putPrefixed(State& state, const std::string& prefix, const State& part) {
    for (const auto& [name, tensor] : part)
        state[prefix + name] = tensor;
}

State partOf(const State& state, const std::string& prefix) {
    State part;
    for (const auto& [name, tensor] : state)
        if (name.starts_with(prefix)) part[name.substr(prefix.size())] = tensor;
    return part;
}

} // namespace

at::Tensor roundingOffset(const at::Tensor& rounding, const at::Tensor& transformed,
                          const OperandScheme& scheme, const at::Tensor& clip) {
    at::Tensor step;
    {
        const c10::NoGradGuard guard;
        step = clippedStep(transformed, scheme, clip);
    }
    return rounding * step;
}

/// Transforms and quantizes what flows through the block.
class TrainableBlock::Hooks final : public BlockHooks {
public:
    explicit Hooks(const TrainableBlock& block) : m_block(block) {}
    at::Tensor siteInput(Site site, at::Tensor x) override {
        const auto& learned = m_block.site(site);
        return clippedQuantize(learned ? learned->applyToActivations(x) : x,
                               m_block.m_start.schemes[static_cast<std::size_t>(site)].activation,
                               m_block.activationClip(site), false);
    }
    void attentionInputs(at::Tensor& q, at::Tensor& k, at::Tensor& v) override {
        const BlockStart& start = m_block.m_start;
        if (start.keys) {
            q = start.keys->applyToQueries(q);
            k = start.keys->applyToKeys(k);
        }
        k = clippedQuantize(k, start.keyScheme, m_block.activationClip(Site::KCache), false);
        v = clippedQuantize(v, start.valueScheme, m_block.activationClip(Site::VCache), false);
    }

private:
    const TrainableBlock& m_block;
};

TrainableBlock::TrainableBlock(const ModelConfig& config, BlockWeights weights, BlockStart start)
    : m_config(config), m_weights(std::move(weights)), m_start(std::move(start)) {
    const at::TensorOptions options = m_weights.attentionNorm.options();
    for (std::size_t i = 0; i < kLinearSites.size() && m_start.learnRounding; ++i)
        if (m_start.schemes[i].weight.quantizes())
            m_roundings[i] = m_roundingNames[std::string(siteName(kLinearSites[i])) + ".weight"] =
                at::zeros(m_weights.linear[i].sizes(), options).requires_grad_(true);
    if (!m_start.learnClipping) return;
    const auto clip = [&](const OperandScheme& scheme, const std::string& name, at::IntArrayRef shape) {
        if (!scheme.quantizes()) return at::Tensor();
        return m_clips[name] = at::full(shape, kClipStart, options).requires_grad_(true);
    };
    for (std::size_t i = 0; i < kLinearSites.size(); ++i) {
        const std::string name(siteName(kLinearSites[i]));
        m_activationClips[i] = clip(m_start.schemes[i].activation, name + ".activation", {2});
        m_weightClips[i] =
            clip(m_start.schemes[i].weight, name + ".weight", {2, m_weights.linear[i].size(0), 1});
    }
    m_activationClips[static_cast<std::size_t>(Site::KCache)] = clip(m_start.keyScheme, "k_cache", {2});
    m_activationClips[static_cast<std::size_t>(Site::VCache)] = clip(m_start.valueScheme, "v_cache", {2});
}

const at::Tensor& TrainableBlock::activationClip(Site site) const {
    return m_activationClips[static_cast<std::size_t>(site)];
}

std::vector<at::Tensor> TrainableBlock::transformParameters() const {
    std::vector<at::Tensor> parameters;
    for (const auto& site : m_start.sites)
        if (site) append(parameters, site->parameters());
    if (m_start.keys) append(parameters, m_start.keys->parameters());
    if (m_start.values) append(parameters, m_start.values->parameters());
    return parameters;
}

std::vector<at::Tensor> TrainableBlock::rotationParameters() const {
    std::vector<at::Tensor> rotations;
    if (m_start.keys) append(rotations, m_start.keys->rotations());
    if (m_start.values) append(rotations, m_start.values->rotations());
    return rotations;
}

std::vector<at::Tensor> TrainableBlock::clippingParameters() const {
    std::vector<at::Tensor> parameters;
    for (const at::Tensor& clip : m_activationClips)
        if (clip.defined()) parameters.push_back(clip);
    for (const at::Tensor& clip : m_weightClips)
        if (clip.defined()) parameters.push_back(clip);
    return parameters;
}

std::vector<at::Tensor> TrainableBlock::roundingParameters() const {
    return tensorsOf(m_roundingNames);
}

void TrainableBlock::limitRounding() {
    const c10::NoGradGuard guard;
    for (const auto& [name, offsets] : m_roundingNames)
        offsets.clamp_(-kRoundingReach, kRoundingReach);
}

// The weight of a site with the learned value head folded in: v's rows, o's columns.
at::Tensor TrainableBlock::foldedWeight(Site site) const {
    const at::Tensor& weight = m_weights.at(site);
    if (!m_start.values) return weight;
    if (site == Site::O) return m_start.values->foldOutput(weight);
    if (site != Site::Qkv) return weight;
    const std::int64_t valueRows = m_config.kvHeads * m_config.headDim;
    const std::int64_t others = weight.size(0) - valueRows;
    return at::cat(
        {weight.narrow(0, 0, others), m_start.values->foldValue(weight.narrow(0, others, valueRows))});
}

// As foldedWeight: a bias is one more column of its weight. Undefined where there is none.
at::Tensor TrainableBlock::foldedBias(Site site) const {
    const at::Tensor& bias = m_weights.biasAt(site);
    if (!bias.defined() || !m_start.values || site != Site::Qkv) return bias;
    const std::int64_t valueRows = m_config.kvHeads * m_config.headDim;
    const std::int64_t others = bias.size(0) - valueRows;
    return at::cat({bias.narrow(0, 0, others),
                    m_start.values->foldValue(bias.narrow(0, others, valueRows).unsqueeze(1)).squeeze(1)});
}

BlockWeights TrainableBlock::foldedWeights() const {
    const c10::NoGradGuard guard;
    // Parameters may have changed since prepare(), or never met it: after load(), and after the last update.
    TrainableBlock current = *this;
    if (current.m_start.values) current.m_start.values->prepare();
    BlockWeights folded = m_weights;
    for (Site site : kLinearSites) {
        folded.at(site) = current.foldedWeight(site);
        folded.biasAt(site) = current.foldedBias(site);
    }
    return folded;
}

// Cayley rotations of all sites by one solve for each block size: a GPU takes as long for one as for all.
std::array<at::Tensor, kLinearSites.size()> TrainableBlock::rotations() const {
    std::map<std::int64_t, std::vector<at::Tensor>> skews;
    std::map<std::int64_t, std::vector<std::size_t>> owners;
    for (std::size_t i = 0; i < kLinearSites.size(); ++i) {
        const at::Tensor skew = m_start.sites[i] ? m_start.sites[i]->skew() : at::Tensor();
        if (!skew.defined()) continue;
        skews[skew.size(1)].push_back(skew);
        owners[skew.size(1)].push_back(i);
    }
    std::array<at::Tensor, kLinearSites.size()> rotations;
    for (const auto& [size, parts] : skews) {
        const at::Tensor all = cayley(at::cat(parts));
        std::int64_t first = 0;
        for (std::size_t part = 0; part < parts.size(); first += parts[part].size(0), ++part)
            rotations[owners[size][part]] = all.narrow(0, first, parts[part].size(0));
    }
    return rotations;
}

void TrainableBlock::prepare() {
    const auto rotations = this->rotations();
    m_prepared = m_weights;
    if (m_start.keys) m_start.keys->prepare();
    if (m_start.values) m_start.values->prepare();
    for (Site site : kLinearSites) {
        auto& learned = m_start.sites[static_cast<std::size_t>(site)];
        at::Tensor weight = foldedWeight(site);
        m_prepared.biasAt(site) = foldedBias(site);
        if (learned) {
            learned->prepare(rotations[static_cast<std::size_t>(site)]);
            weight = learned->applyToWeight(weight);
        }
        m_prepared.at(site) = quantizedWeight(site, std::move(weight));
    }
}

at::Tensor TrainableBlock::quantizedWeight(Site site, at::Tensor weight) const {
    const OperandScheme& scheme = m_start.schemes[static_cast<std::size_t>(site)].weight;
    // Without rounding the rotation of the rows cancels.
    const bool rotated =
        m_start.residual.defined() && scheme.quantizes() && (site == Site::O || site == Site::Down);
    at::Tensor rotation;
    if (rotated) {
        rotation = m_start.residual.to(weight.scalar_type());
        weight = at::matmul(rotation.t(), weight);
    }
    if (rounding(site).defined())
        weight = weight + roundingOffset(rounding(site), weight, scheme, weightClip(site));
    const at::Tensor quantized =
        clippedQuantize(weight, scheme, weightClip(site), weightClip(site).defined());
    return rotated ? at::matmul(rotation, quantized) : quantized;
}

at::Tensor TrainableBlock::forward(const at::Tensor& x, const Rope& rope) const {
    Hooks hooks(*this);
    const Autocast autocast(x.device(), m_start.autocast);
    return forwardBlock(m_config, m_prepared, rope, x, hooks);
}

State TrainableBlock::state() const {
    State state;
    for (Site site : kLinearSites)
        if (const auto& learned = this->site(site))
            putPrefixed(state, std::string(siteName(site)) + ".", learned->state());
    if (m_start.keys) putPrefixed(state, "keys.", m_start.keys->state());
    if (m_start.values) putPrefixed(state, "values.", m_start.values->state());
    putPrefixed(state, "clips.", copyOf(m_clips));
    putPrefixed(state, "rounding.", copyOf(m_roundingNames));
    for (auto& [name, tensor] : state)
        tensor = tensor.to(at::kCPU);
    return state;
}

Status TrainableBlock::load(const State& state) {
    const c10::NoGradGuard guard;
    for (Site site : kLinearSites)
        if (auto& learned = m_start.sites[static_cast<std::size_t>(site)])
            BDQ_CHECK(learned->load(partOf(state, std::string(siteName(site)) + ".")));
    if (m_start.keys) BDQ_CHECK(m_start.keys->load(partOf(state, "keys.")));
    if (m_start.values) BDQ_CHECK(m_start.values->load(partOf(state, "values.")));
    BDQ_CHECK(assign(m_roundingNames, partOf(state, "rounding."), "learned rounding"));
    return assign(m_clips, partOf(state, "clips."), "learned clipping");
}

} // namespace bdq::train
