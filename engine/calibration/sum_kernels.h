// Inner loops of the sums over matrices on plain fp32 rows. Results are the same on every CPU: no fused
// multiply-add, fixed order.
#pragma once

#include <cstdint>

namespace bdq {

/// Largest number of values that any sum here adds up in fp32 before it goes on in fp64, and so of rows that
/// a caller may add into one EnergyColumns.
inline constexpr std::int64_t kFp32Terms = 64;
/// Relative error of a sum of positive terms: 64 additions and 4 roundings of the term, 2^-24 each.
inline constexpr double kFp32SumTolerance = 68 * 0x1p-24;

/// y = ln v for v >= FLT_MIN (finite), 0 for smaller v.
void logRow(const float* v, float* y, std::int64_t n);
/// Relative error of logRow against ln v. Rounding 2^-24 each: m + 1, quotient, sum of the series (1.03
/// together with the terms of 3 %), the sum with e ln2's low part, the last sum; the series stops 2.1e-9
/// early. |ln m| <= |ln v|, so that none of them weighs more than once; the constants' own errors are below
/// 2^-24 together.
inline constexpr double kLogTolerance = 7 * 0x1p-24;

struct RowMagnitude {
    double sum = 0; ///< sum |x|
    float max = 0;  ///< max |x|; NaN is skipped
};
RowMagnitude rowMagnitude(const float* x, std::int64_t n);

/// What a row is divided by in the columns' weighted sums.
struct RowWeight {
    float inverse = 0; ///< 1 / mean magnitude of the row; 0 leaves the row out
    float log = 0;     ///< ln of that mean
};

/// Sums over rows i for every column, each [n].
struct EnergyColumns {
    float* magnitude;   ///< |x|
    float* max;         ///< max |x|
    float* square;      ///< x^2
    float* weighted;    ///< q_i = x^2 / alpha_i with alpha_i the row's mean magnitude
    float* weightedLog; ///< q_i ln q_i
};

struct RowEnergies {
    double fourth = 0;    ///< sum x^4
    double squareLog = 0; ///< sum x^2 ln x^2, squares below FLT_MIN count 0
};

/// Adds a row to the columns.
RowEnergies addEnergies(const float* x, std::int64_t n, RowWeight weight, const EnergyColumns& columns);

/// target += source, [n].
void addToDoubles(double* target, const float* source, std::int64_t n);

/// Adds a row, in fp64: square += x^2, fourth += x^4, absmax = max(absmax, |x|); each [n].
void addMoments(const float* x, std::int64_t n, double* square, double* fourth, float* absmax);

/// How many |x| are above the threshold.
std::int64_t countAbove(const float* x, std::int64_t n, float threshold);

/// bins[i] = LogHistogram::binOf(x_i), except for magnitudes within one fp32 rounding of an edge.
void magnitudeBins(const float* x, std::int32_t* bins, std::int64_t n);

struct ErrorSums {
    double signal = 0; ///< sum y^2
    double noise = 0;  ///< sum (y - y^)^2
};
/// y^ as it is.
ErrorSums rowError(const float* exact, const float* approximate, std::int64_t n);
/// y^_j = (product_j rowScale) columnScales_j, in this order.
ErrorSums scaledRowError(const float* exact, const std::int32_t* product, float rowScale,
                         const float* columnScales, std::int64_t n);

} // namespace bdq
