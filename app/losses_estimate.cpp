#include "app/losses_estimate.h"

#include <algorithm>

namespace bdq {

namespace {

/// A token in a pass against a token in a layer of an analysis with seven transforms: 183 s for 3.8 million
/// against 54 s for 123 thousand (README, "Bits under a budget" and "Speed", machine A).
constexpr double kAgainstAnalysis = 0.11;

double tokensOf(const SensitivitySpec& spec) {
    return static_cast<double>(spec.text.sequences) * spec.text.sequenceLength;
}

/// What a comparison of logits costs, in passes: about three products with the head against the matrices of a
/// layer, two operations a weight each.
double comparePasses(const AnalysisResult& analysis, int layer) {
    double weights = 0;
    for (const SiteAnalysis& site : analysis.sites)
        if (site.key.layer == layer)
            weights += static_cast<double>(site.inFeatures) * static_cast<double>(site.outFeatures);
    const auto head =
        static_cast<double>(analysis.model.hiddenSize) * static_cast<double>(analysis.model.vocabSize);
    return weights > 0 ? 1.5 * head / weights : 0;
}

} // namespace

double lossPasses(const SensitivitySpec& spec, const AnalysisResult& analysis) {
    const auto variants =
        static_cast<double>(std::max<std::size_t>(spec.transforms.size(), 1) * spec.weights.size());
    double passes = 0;
    for (const SiteAnalysis& site : analysis.sites) {
        const int layer = site.key.layer;
        const bool wanted = spec.layers.empty() || std::ranges::find(spec.layers, layer) != spec.layers.end();
        if (wanted) passes += variants * (analysis.model.layers - layer + comparePasses(analysis, layer));
    }
    return passes;
}

double lossSeconds(const SensitivitySpec& spec, const AnalysisResult& analysis, double secondsPerToken) {
    double rate = secondsPerToken;
    const double analysed = static_cast<double>(analysis.text.tokens) * analysis.model.layers;
    if (rate <= 0 && analysed > 0) rate = kAgainstAnalysis * analysis.provenance.seconds / analysed;
    return rate > 0 ? rate * lossPasses(spec, analysis) * tokensOf(spec) : -1;
}

double secondsPerLossToken(const SensitivitySpec& spec, double passes, double seconds) {
    const double tokens = tokensOf(spec);
    return passes > 0 && tokens > 0 ? seconds / (passes * tokens) : 0;
}

} // namespace bdq
