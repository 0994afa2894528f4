#include "engine/calibration/sum_kernels.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/api/log_histogram.h"
#include "engine/quant/lanes.h"

namespace bdq {
namespace {

constexpr std::int64_t kChunk = kFp32Terms * kLanes;

BDQ_KERNEL void addTo(float* sums, Lanes values, std::int64_t count) {
    store(sums, load(sums, count) + values, count);
}

/// Sums of y^2 and (y - y^)^2 where approximate(i, count) are 16 lanes of y^.
template <class Approximate>
BDQ_KERNEL ErrorSums errorOf(const float* exact, std::int64_t n, Approximate approximate) {
    ErrorSums total;
    for (std::int64_t start = 0; start < n; start += kChunk) {
        Lanes signal{};
        Lanes noise{};
        for (std::int64_t i = start; i < std::min(n, start + kChunk); i += kLanes) {
            const std::int64_t count = std::min(kLanes, n - i);
            const Lanes y = load(exact + i, count);
            const Lanes error = y - approximate(i, count);
            signal += y * y;
            noise += error * error;
        }
        total.signal += sumOfLanes(signal);
        total.noise += sumOfLanes(noise);
    }
    return total;
}

constexpr int kMantissaBits = 23;
using MantissaEdges = std::array<std::int32_t, LogHistogram::kBinsPerOctave - 1>;

// Mantissa fields of 2^(j/8), j = 1..7: the sub-bin of a magnitude is the number of edges it reaches.
MantissaEdges mantissaEdges() {
    MantissaEdges edges{};
    for (std::size_t j = 0; j < edges.size(); ++j) {
        const double edge = std::exp2(static_cast<double>(j + 1) / LogHistogram::kBinsPerOctave);
        edges[j] = static_cast<std::int32_t>(std::ceil((edge - 1) * (1 << kMantissaBits)));
    }
    return edges;
}

BDQ_KERNEL IntLanes binsOf(Lanes x, const MantissaEdges& edges) {
    constexpr int kExponentBias = 127;
    constexpr int kFirst = 1 - (kExponentBias + LogHistogram::kMinExponent) * LogHistogram::kBinsPerOctave;
    const IntLanes bits = bitsAs<IntLanes>(absOf(x));
    const IntLanes mantissa = bits & ((1 << kMantissaBits) - 1);
    IntLanes bin = (bits >> kMantissaBits) * LogHistogram::kBinsPerOctave + kFirst;
    for (std::int32_t edge : edges)
        bin -= mantissa >= edge; // a true lane is -1
    const IntLanes above = IntLanes{} + (LogHistogram::kBins - 1);
    return bin < 1 ? IntLanes{} : bin > LogHistogram::kRegularBins ? above : bin;
}

} // namespace

BDQ_CPU_CLONES void magnitudeBins(const float* x, std::int32_t* bins, std::int64_t n) {
    static const MantissaEdges kEdges = mantissaEdges();
    const MantissaEdges edges = kEdges;
    for (std::int64_t i = 0; i < n; i += kLanes) {
        const std::int64_t count = std::min(kLanes, n - i);
        store(bins + i, binsOf(load(x + i, count), edges), count);
    }
}

BDQ_CPU_CLONES void logRow(const float* v, float* y, std::int64_t n) {
    for (std::int64_t i = 0; i < n; i += kLanes) {
        const std::int64_t count = std::min(kLanes, n - i);
        store(y + i, naturalLog(load(v + i, count)), count);
    }
}

BDQ_CPU_CLONES RowMagnitude rowMagnitude(const float* x, std::int64_t n) {
    RowMagnitude row;
    Lanes max{};
    for (std::int64_t start = 0; start < n; start += kChunk) {
        Lanes sum{};
        for (std::int64_t i = start; i < std::min(n, start + kChunk); i += kLanes) {
            const Lanes magnitude = absOf(load(x + i, std::min(kLanes, n - i)));
            sum += magnitude;
            max = maxOf(magnitude, max);
        }
        row.sum += sumOfLanes(sum);
    }
    for (int lane = 0; lane < kLanes; ++lane)
        row.max = std::max(row.max, max[lane]);
    return row;
}

BDQ_CPU_CLONES RowEnergies addEnergies(const float* x, std::int64_t n, RowWeight weight,
                                       const EnergyColumns& columns) {
    RowEnergies total;
    for (std::int64_t start = 0; start < n; start += kChunk) {
        Lanes fourth{};
        Lanes squareLog{};
        for (std::int64_t i = start; i < std::min(n, start + kChunk); i += kLanes) {
            const std::int64_t count = std::min(kLanes, n - i);
            const Lanes v = load(x + i, count);
            const Lanes magnitude = absOf(v);
            const Lanes square = v * v;
            const Lanes log = naturalLog(square);
            const Lanes weighted = square * weight.inverse;
            fourth += square * square;
            squareLog += square * log;
            addTo(columns.magnitude + i, magnitude, count);
            store(columns.max + i, maxOf(magnitude, load(columns.max + i, count)), count);
            addTo(columns.square + i, square, count);
            addTo(columns.weighted + i, weighted, count);
            addTo(columns.weightedLog + i, weighted * (log - weight.log), count);
        }
        total.fourth += sumOfLanes(fourth);
        total.squareLog += sumOfLanes(squareLog);
    }
    return total;
}

BDQ_CPU_CLONES void addToDoubles(double* target, const float* source, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i)
        target[i] += static_cast<double>(source[i]);
}

BDQ_CPU_CLONES void addMoments(const float* x, std::int64_t n, double* __restrict square,
                               double* __restrict fourth, float* __restrict absmax) {
    for (std::int64_t i = 0; i < n; ++i) {
        const auto wide = static_cast<double>(x[i]);
        const double energy = wide * wide;
        const float magnitude = std::fabs(x[i]);
        square[i] += energy;
        fourth[i] += energy * energy;
        absmax[i] = absmax[i] > magnitude ? absmax[i] : magnitude;
    }
}

BDQ_CPU_CLONES std::int64_t countAbove(const float* x, std::int64_t n, float threshold) {
    // Lanes hold -1 for every hit; a row has fewer than 2^31 entries.
    IntLanes hits{};
    for (std::int64_t i = 0; i < n; i += kLanes)
        hits += absOf(load(x + i, std::min(kLanes, n - i))) > threshold;
    std::int64_t total = 0;
    for (int lane = 0; lane < kLanes; ++lane)
        total -= hits[lane];
    return total;
}

BDQ_CPU_CLONES ErrorSums rowError(const float* exact, const float* approximate, std::int64_t n) {
    return errorOf(
        exact, n, [&](std::int64_t i, std::int64_t count) __attribute__((always_inline)) {
            return load(approximate + i, count);
        });
}

BDQ_CPU_CLONES ErrorSums scaledRowError(const float* exact, const std::int32_t* product, float rowScale,
                                        const float* columnScales, std::int64_t n) {
    return errorOf(
        exact, n, [&](std::int64_t i, std::int64_t count) __attribute__((always_inline)) {
            const Lanes whole = __builtin_convertvector(load<IntLanes>(product + i, count), Lanes);
            return whole * rowScale * load(columnScales + i, count);
        });
}

} // namespace bdq
