// Fixed-bin histogram of magnitudes on a logarithmic axis. The edges never depend on the data, so that
// histograms of any layer, tensor or transform can be merged, subtracted and drawn on the same axis.
#pragma once

#include <array>
#include <cstdint>

namespace bdq {

/// Counts of |x|. Bin 0 holds zeros and magnitudes below 2^kMinExponent, the last bin magnitudes of at least
/// 2^kMaxExponent; bin 1 + i holds [lowerEdge(i), lowerEdge(i + 1)).
struct LogHistogram {
    static constexpr int kMinExponent = -24;
    static constexpr int kMaxExponent = 16;
    static constexpr int kBinsPerOctave = 8;
    static constexpr int kRegularBins = (kMaxExponent - kMinExponent) * kBinsPerOctave;
    static constexpr int kBins = kRegularBins + 2;

    std::array<std::int64_t, kBins> counts{};

    /// Lower edge of regular bin i in 0..kRegularBins (the last value is the upper edge of the last regular
    /// bin).
    static double lowerEdge(int i);
    /// Index into counts for magnitude |x|; NaN counts as the last bin.
    static int binOf(double x);

    void add(double x) { ++counts[static_cast<std::size_t>(binOf(x))]; }
    void merge(const LogHistogram& other);
    [[nodiscard]] std::int64_t total() const;
    /// Smallest regular-bin upper edge below which at least `share` (0..1) of all values lie; 0 when empty.
    [[nodiscard]] double quantile(double share) const;
};

} // namespace bdq
