#include "engine/api/log_histogram.h"

#include <cmath>

namespace bdq {

double LogHistogram::lowerEdge(int i) { return std::exp2(kMinExponent + static_cast<double>(i) / kBinsPerOctave); }

int LogHistogram::binOf(double x) {
    const double magnitude = std::abs(x);
    if (magnitude < lowerEdge(0))
        return 0;
    if (!(magnitude < lowerEdge(kRegularBins)))
        return kBins - 1;
    const int guess = static_cast<int>(std::floor((std::log2(magnitude) - kMinExponent) * kBinsPerOctave));
    return 1 + (guess < 0 ? 0 : guess >= kRegularBins ? kRegularBins - 1 : guess);
}

void LogHistogram::merge(const LogHistogram& other) {
    for (std::size_t i = 0; i < counts.size(); ++i)
        counts[i] += other.counts[i];
}

std::int64_t LogHistogram::total() const {
    std::int64_t sum = 0;
    for (std::int64_t count : counts)
        sum += count;
    return sum;
}

double LogHistogram::quantile(double share) const {
    const double wanted = share * static_cast<double>(total());
    double seen = 0;
    for (int bin = 0; bin < kBins; ++bin) {
        seen += static_cast<double>(counts[static_cast<std::size_t>(bin)]);
        if (seen >= wanted && seen > 0)
            return lowerEdge(bin >= kRegularBins ? kRegularBins : bin);
    }
    return 0;
}

} // namespace bdq
