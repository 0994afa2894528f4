#include "engine/pipeline/site_analyzer.h"

#include <cmath>

#include <ATen/ATen.h>

#include "engine/analysis/sqnr_model.h"
#include "engine/calibration/histogram.h"
#include "engine/calibration/sums.h"
#include "engine/model/weights.h"
#include "engine/pipeline/site_measurement.h"
#include "engine/transform/build_transform.h"

namespace bdq {
namespace {

std::vector<float> channelRms(const at::Tensor& sumSquare, std::int64_t rows) {
    return toHostFloats((sumSquare / static_cast<double>(rows)).sqrt());
}

analysis::RangeRule rangeRule(const OperandScheme& scheme) {
    return scheme.symmetric ? analysis::RangeRule::Symmetric : analysis::RangeRule::Asymmetric;
}

/// Share of sum |x|^2 that the largest 0.5 % of the tokens hold, at least one of them; NaN without energy.
double topEnergyShare(const at::Tensor& sample) {
    constexpr std::int64_t kTokensPerTop = 200;
    const at::Tensor energies = sample.square().sum(1, false, at::kDouble);
    const std::int64_t count = std::max<std::int64_t>(1, energies.numel() / kTokensPerTop);
    const double total = energies.sum().item<double>();
    if (!(total > 0)) return std::numeric_limits<double>::quiet_NaN();
    return std::get<0>(energies.topk(count)).sum().item<double>() / total;
}

Result<double> theoremDb(const TransformAnalysis& result, const Scheme& scheme) {
    analysis::TheoremTerms terms;
    terms.inputConcentration = analysis::fromDb(result.concentrationActivationDb);
    terms.weightConcentration = analysis::fromDb(result.concentrationWeightDb);
    terms.alignment = analysis::fromDb(result.alignmentDb);
    terms.inputBits = scheme.activation.bits;
    terms.weightBits = scheme.weight.bits;
    terms.inputRule = rangeRule(scheme.activation);
    terms.weightRule = rangeRule(scheme.weight);
    BDQ_TRY(const double sqnr, analysis::theoremSqnr(terms));
    return analysis::toDb(sqnr);
}

} // namespace

transform::MomentNeeds momentNeeds(const SiteAnalyzerOptions& options) {
    transform::MomentNeeds needs;
    for (TransformKind kind : options.transforms)
        if (options.given.count(kind) == 0) needs = needs | transform::momentNeeds(kind);
    return needs;
}

std::uint64_t siteSeed(std::uint64_t jobSeed, SiteKey key) {
    // splitmix64's finaliser, so that neighbouring layers and sites get unrelated signs.
    std::uint64_t z = jobSeed + 0x9E3779B97F4A7C15ULL * (static_cast<std::uint64_t>(key.layer) * 8 +
                                                         static_cast<std::uint64_t>(key.site) + 1);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

SiteAnalyzer::SiteAnalyzer(SiteKey key, const InputStatistics& statistics, const at::Tensor& weight,
                           const SiteAnalyzerOptions& options)
    : m_key(key), m_options(options), m_weight(weight), m_tokens(statistics.tokens()) {
    m_detail.key = key;
    m_detail.inFeatures = weight.size(1);
    m_detail.hadamardSeed = siteSeed(options.seed, key);
    m_detail.kurtosisActivation = toHostFloats(statistics.kurtosis());
    m_detail.kurtosisWeight = toHostFloats(columnMoments(weight).kurtosis(weight.size(0)));
    m_detail.tokenMin = toHostFloats(statistics.tokenMin());
    m_detail.tokenMax = toHostFloats(statistics.tokenMax());
}

Result<SiteAnalyzer> SiteAnalyzer::create(SiteKey key, const InputStatistics& statistics,
                                          const at::Tensor& weight, const SiteAnalyzerOptions& options) {
    SiteAnalyzer analyzer(key, statistics, weight, options);
    const transform::SiteMoments moments = statistics.moments();
    for (TransformKind kind : options.transforms) {
        if (const auto given = options.given.find(kind); given != options.given.end()) {
            analyzer.m_transforms.emplace(kind, given->second.to(weight.device()));
            continue;
        }
        auto built = transform::buildTransform(kind, moments, weight, analyzer.m_detail.hadamardSeed,
                                               analyzer.m_notes, options.weights);
        if (!built) return passOn(std::move(built).error(), transformInfo(kind).id);
        analyzer.m_transforms.emplace(kind, built->to(weight.device()));
    }
    analyzer.storeParameters();
    return analyzer;
}

void SiteAnalyzer::storeParameters() {
    for (const auto& [kind, siteTransform] : m_transforms)
        siteTransform.toDetail(m_detail.transforms[kind]);
}

void SiteAnalyzer::addSample(const at::Tensor& inputs) {
    // Every (tokens / sample)-th token, counted over all calls.
    const std::int64_t stride = std::max<std::int64_t>(1, m_tokens / m_options.sampleTokens);
    const std::int64_t offset = (stride - m_seen % stride) % stride;
    m_seen += inputs.size(0);
    if (offset < inputs.size(0)) m_sample.push_back(inputs.slice(0, offset, std::nullopt, stride).clone());
}

void SiteAnalyzer::add(const at::Tensor& inputs) {
    addSample(inputs);
    for (const auto& [kind, siteTransform] : m_transforms) {
        const at::Tensor x = siteTransform.applyToActivations(inputs);
        addToHistogram(m_detail.transforms[kind].histogramActivation, x);
        m_streamed[kind].merge(columnMoments(x));
    }
}

at::Tensor SiteAnalyzer::sample() const {
    return at::cat(m_sample);
}

Status SiteAnalyzer::measureSchemes(TransformAnalysis& result, const at::Tensor& inputs,
                                    const at::Tensor& weight, const at::Tensor& outputs) const {
    for (const Scheme& scheme : m_options.schemes) {
        OutputError error;
        if (scheme.weight.quantizes()) {
            BDQ_TRY(const quant::QuantizedWeight rounded,
                    quant::roundWeights(weight, scheme.weight, WeightRounding::Rtn));
            error = quantizedOutputError(outputs, inputs, rounded, scheme.activation);
        } else {
            error = outputErrorWithFullWeight(outputs, inputs, weight, scheme.activation);
        }
        const std::string text = formatScheme(scheme);
        result.sqnrDbMeasured[text] = error.sqnrDb();
        result.sqnrDbTokenMedian[text] = error.tokenQuantile(0.5);
        result.sqnrDbTokenLow[text] = error.tokenQuantile(0.05);
        BDQ_TRY(result.sqnrDbTheorem[text], theoremDb(result, scheme));
    }
    return {};
}

Result<TransformAnalysis> SiteAnalyzer::analyzeTransform(TransformKind kind, const at::Tensor& sample,
                                                         const at::Tensor& outputs, double signalPower) {
    const transform::SiteTransform& siteTransform = m_transforms.at(kind);
    const at::Tensor inputs = siteTransform.applyToActivations(sample);
    const at::Tensor weight = siteTransform.applyToWeight(m_weight);
    TransformDetail& detail = m_detail.transforms[kind];
    BDQ_TRY(TransformAnalysis result, describeTransformed(inputs, weight, signalPower, detail));
    BDQ_CHECK(measureSchemes(result, inputs, weight, outputs));

    addToHistogram(detail.histogramWeight, weight);
    detail.channelRmsActivation = channelRms(m_streamed.at(kind).square, m_tokens);
    detail.channelAbsmaxActivation = toHostFloats(m_streamed.at(kind).absmax);
    return result;
}

// A few tokens carry most of the energy of some sites: a plain sample of 128 either misses or overrates them
// (7-10 dB at the demo model's layers 2 and 28). They are kept first, the others are sampled evenly and
// weighted.
void SiteAnalyzer::keepTokens(const at::Tensor& sample) {
    const std::int64_t total = sample.size(0);
    const std::int64_t kept = std::min(m_options.keptTokens, total);
    const std::int64_t largest = kept < total ? kept / 4 : kept;
    const at::Tensor order = sample.square().sum(1).argsort(0, true);
    const at::Tensor rest = std::get<0>(order.narrow(0, largest, total - largest).sort());
    const std::int64_t others = kept - largest;
    std::vector<at::Tensor> rows{order.narrow(0, 0, largest)};
    m_detail.keptWeights.assign(static_cast<std::size_t>(largest), 1.0F);
    if (others > 0) {
        rows.push_back(rest.slice(0, 0, std::nullopt, rest.size(0) / others).narrow(0, 0, others));
        m_detail.keptWeights.resize(static_cast<std::size_t>(kept),
                                    static_cast<float>(rest.size(0)) / static_cast<float>(others));
    }
    m_detail.keptTokens = kept;
    m_detail.keptInputs = toHostFloats(sample.index_select(0, at::cat(rows)));
}

Result<SiteAnalysis> SiteAnalyzer::finish() {
    const at::Tensor sample = this->sample();
    const at::Tensor outputs = at::linear(sample, m_weight);
    SiteAnalysis result;
    result.key = m_key;
    result.inFeatures = m_weight.size(1);
    result.outFeatures = m_weight.size(0);
    result.tokens = m_tokens;
    result.sampleTokens = sample.size(0);
    result.signalPower = sumOf(outputs.square()) / static_cast<double>(sample.size(0));
    result.topTokenEnergyShare = topEnergyShare(sample);
    result.tensors = ModelWeights::linearNames(m_key);
    for (const auto& entry : m_transforms) {
        auto analyzed = analyzeTransform(entry.first, sample, outputs, result.signalPower);
        if (!analyzed) return passOn(std::move(analyzed).error(), transformInfo(entry.first).id);
        result.transforms.emplace(entry.first, std::move(*analyzed));
    }
    for (auto& [kind, analyzed] : result.transforms)
        for (const Scheme& scheme : m_options.schemes)
            analyzed.sqnrDbPredicted[formatScheme(scheme)] = predictedSqnrDb(result, kind, scheme);
    result.notes = m_notes;

    keepTokens(sample);
    return result;
}

} // namespace bdq
