#include "engine/api/results.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

namespace bdq {
namespace {

constexpr int kLeastBits = 2;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Noise of one operand; groups are finer than the per-row grid behind the stored noise, which is then an
/// upper estimate.
double noiseOf(const OperandScheme& operand, const NoiseByBits& symmetric, const NoiseByBits& asymmetric) {
    if (!operand.quantizes()) return 0.0;
    const int index = operand.bits - kLeastBits;
    if (index < 0 || index >= static_cast<int>(symmetric.size())) return kNaN;
    return (operand.symmetric ? symmetric : asymmetric)[static_cast<std::size_t>(index)];
}

} // namespace

const SiteAnalysis* AnalysisResult::find(SiteKey key) const {
    for (const SiteAnalysis& site : sites)
        if (site.key == key) return &site;
    return nullptr;
}

std::string bosText(const TextInfo& text) {
    if (!text.bos) return "no BOS";
    return text.source == "self" ? "BOS in front of every sequence" : "BOS in front";
}

std::string bosText(const EvalResult& result) {
    return result.bos ? "BOS in front" : "no BOS";
}

std::string averageBitsText(const RunResult& result) {
    std::array<char, 128> text{};
    const int quantized = result.quantizedLayers();
    if (quantized >= result.model.layers || std::isnan(result.quantizedLayerBits))
        std::snprintf(text.data(), text.size(), "%.2f bit", result.averageWeightBits);
    else
        std::snprintf(text.data(), text.size(), "%.2f bit (%.2f in the %d quantized layer%s of %d)",
                      result.averageWeightBits, result.quantizedLayerBits, quantized,
                      quantized == 1 ? "" : "s", result.model.layers);
    return text.data();
}

double predictedSqnrDb(const SiteAnalysis& site, TransformKind transform, const Scheme& scheme,
                       WeightRounding rounding) {
    const auto found = site.transforms.find(transform);
    if (found == site.transforms.end()) return kNaN;
    const TransformAnalysis& stats = found->second;
    const bool searched = rounding != WeightRounding::Rtn && stats.weightNoiseSymmetricSearched &&
                          stats.weightNoiseAsymmetricSearched;
    const double noise =
        noiseOf(scheme.activation, stats.activationNoiseSymmetric, stats.activationNoiseAsymmetric) +
        noiseOf(scheme.weight, searched ? *stats.weightNoiseSymmetricSearched : stats.weightNoiseSymmetric,
                searched ? *stats.weightNoiseAsymmetricSearched : stats.weightNoiseAsymmetric);
    // An output of zeros has no ratio of signal to noise.
    if (site.signalPower == 0.0) return kNaN;
    if (noise == 0.0) return std::numeric_limits<double>::infinity();
    return 10.0 * std::log10(site.signalPower / noise);
}

double estimatedLoss(const SiteAnalysis& site, TransformKind transform, const Scheme& scheme,
                     WeightRounding rounding) {
    const auto found = site.transforms.find(transform);
    if (found == site.transforms.end() || !found->second.loss) return kNaN;
    const LossEstimate& loss = *found->second.loss;
    const bool searched = rounding != WeightRounding::Rtn;
    return noiseOf(scheme.activation, loss.activationSymmetric, loss.activationAsymmetric) +
           noiseOf(scheme.weight, searched ? loss.weightSymmetricSearched : loss.weightSymmetric,
                   searched ? loss.weightAsymmetricSearched : loss.weightAsymmetric);
}

} // namespace bdq
