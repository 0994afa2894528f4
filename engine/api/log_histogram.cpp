#include "engine/api/log_histogram.h"

#include <cmath>

namespace bdq {
namespace {

using Edges = std::array<double, LogHistogram::kRegularBins + 1>;

const Edges& edges() {
    static const Edges kEdges = [] {
        Edges values{};
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] =
                std::exp2(LogHistogram::kMinExponent + static_cast<double>(i) / LogHistogram::kBinsPerOctave);
        return values;
    }();
    return kEdges;
}

} // namespace

double LogHistogram::lowerEdge(int i) {
    return edges()[static_cast<std::size_t>(i)];
}

int LogHistogram::binOf(double x) {
    const Edges& edge = edges();
    const double magnitude = std::abs(x);
    if (magnitude < edge.front()) return 0;
    if (!(magnitude < edge.back())) return kBins - 1;
    auto bin = static_cast<std::size_t>((std::log2(magnitude) - kMinExponent) * kBinsPerOctave);
    // log2 rounds: the guess can be one off at an edge, and merged histograms must agree to the last count.
    if (bin > kRegularBins - 1) bin = kRegularBins - 1;
    if (magnitude < edge[bin])
        --bin;
    else if (magnitude >= edge[bin + 1])
        ++bin;
    return 1 + static_cast<int>(bin);
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
        if (seen >= wanted && seen > 0) return lowerEdge(bin >= kRegularBins ? kRegularBins : bin);
    }
    return 0;
}

} // namespace bdq
