#include "engine/api/results.h"

#include <cmath>
#include <limits>

namespace bdq {
namespace {

constexpr int kLeastBits = 2;

/// Noise of one operand; groups are finer than the per-row grid behind the stored noise, which is then an
/// upper estimate.
double noiseOf(const OperandScheme& operand, const NoiseByBits& symmetric, const NoiseByBits& asymmetric) {
    if (!operand.quantizes()) return 0.0;
    const int index = operand.bits - kLeastBits;
    if (index < 0 || index >= static_cast<int>(symmetric.size()))
        return std::numeric_limits<double>::quiet_NaN();
    return (operand.symmetric ? symmetric : asymmetric)[static_cast<std::size_t>(index)];
}

} // namespace

const SiteAnalysis* AnalysisResult::find(SiteKey key) const {
    for (const SiteAnalysis& site : sites)
        if (site.key == key) return &site;
    return nullptr;
}

double predictedSqnrDb(const SiteAnalysis& site, TransformKind transform, const Scheme& scheme) {
    const auto found = site.transforms.find(transform);
    if (found == site.transforms.end()) return std::numeric_limits<double>::quiet_NaN();
    const TransformAnalysis& stats = found->second;
    const double noise =
        noiseOf(scheme.activation, stats.activationNoiseSymmetric, stats.activationNoiseAsymmetric) +
        noiseOf(scheme.weight, stats.weightNoiseSymmetric, stats.weightNoiseAsymmetric);
    if (noise == 0.0) return std::numeric_limits<double>::infinity();
    return 10.0 * std::log10(site.signalPower / noise);
}

} // namespace bdq
