// Inner loops of the quantizers on plain fp32 rows. Results are the same on every CPU: no fused multiply-add,
// fixed order.
#pragma once

#include <cfloat>
#include <cmath>
#include <cstdint>

#include "engine/api/quant_scheme.h"

namespace bdq::quant {

/// Ends of a group, both taken together with 0: low <= 0 <= high.
struct Range {
    float low = 0;
    float high = 0;
};

/// code = clamp(round(x / scale) + zero, lowCode, highCode), value = scale (code - zero).
struct Grid {
    float scale = 1;
    float zero = 0;
    float lowCode = 0;
    float highCode = 0;
};

/// Grid of a range (design/transforms.md 2.1). `floor` is the smallest absmax of a symmetric grid.
inline Grid makeGrid(Range range, int bits, bool symmetric, float floor) {
    if (symmetric) {
        const auto top = static_cast<float>((1 << (bits - 1)) - 1);
        const float scale = std::fmax(std::fmax(range.high, -range.low), floor) / top;
        return {scale < FLT_MIN ? 1.0F : scale, 0.0F, -top - 1, top};
    }
    const auto top = static_cast<float>((1 << bits) - 1);
    float scale = (range.high - range.low) / top;
    if (scale < FLT_MIN) {
        range.low = -1;
        scale = 2.0F / top;
    }
    return {scale, std::nearbyint(-range.low / scale), 0.0F, top};
}

/// What the stored codes are short of the grid's codes: 2^(b-1) for asymmetric schemes, else 0.
inline int codeOffset(const OperandScheme& scheme) {
    return scheme.symmetric ? 0 : 1 << (scheme.bits - 1);
}

/// Smallest and largest of x[0..n) and 0. NaN is skipped.
Range rowRange(const float* x, std::int64_t n);
/// y = Q(x); x == y allowed.
void quantizeRow(const float* x, float* y, std::int64_t n, const Grid& grid);
/// codes = code(x) - offset.
void encodeRow(const float* x, std::int8_t* codes, std::int64_t n, const Grid& grid, int offset);
/// The grid limited to the codes of numbers in `range`: quantizing with it equals clamping x to the range
/// first, because rounding is monotone.
inline Grid clampedGrid(Grid grid, Range range) {
    grid.lowCode = std::fmax(grid.lowCode, std::nearbyint(range.low / grid.scale) + grid.zero);
    grid.highCode = std::fmin(grid.highCode, std::nearbyint(range.high / grid.scale) + grid.zero);
    return grid;
}

/// Derivatives of sum_i g_i Q(clamp(x_i, range)) by the parameters of the quantizer, each with the others
/// held.
struct GridGradient {
    double scale = 0;
    double zero = 0;
    double low = 0;  ///< by range.low, through the clamp only
    double high = 0; ///< by range.high, through the clamp only
};
/// Straight-through gradient of quantizeRow after a clamp to `range` (infinite ends: no clamp): writes dx = g
/// where neither the code nor the range limits x (ends included), else 0. fp32 lanes, fp64 every 1024
/// columns.
GridGradient quantizeRowGradient(const float* x, const float* g, float* dx, std::int64_t n, const Grid& grid,
                                 Range range);
/// sums[i] += (Q(x)_i - x_i)^2.
void addSquaredErrors(const float* x, float* sums, std::int64_t n, const Grid& grid);

/// errors[i] = Q(x)_i - x_i; squares[i] += its square.
void errorRow(const float* x, float* errors, float* squares, std::int64_t n, const Grid& grid);
/// Sums over i of p_i = errors[i] gradient[i] and of its square; columns[i] += p_i. fp32 lanes, fp64 every
/// 1024 columns.
struct ProductSums {
    double sum = 0;
    double squares = 0;
};
ProductSums addProducts(const float* errors, const float* gradient, float* columns, std::int64_t n);

/// Exponent of the range search's error norm (GPTQ's released code).
inline constexpr double kRangeNormExponent = 2.4;
/// sum_i |code(x_i) - zero - x_i / scale|^2.4, the error norm in units of the step. The power is approximated
/// to kPowerTolerance; times scale^2.4 it is the sum over |Q(x) - x|^2.4.
double stepErrorNorm(const float* x, std::int64_t n, const Grid& grid);
/// The start is within 3.6 % (0.043 of an exponent step from bits(r), a fifth of that from bits(y)); Newton
/// steps d -> 3 d^2 leave 3.9e-3, 4.6e-5, 6e-9. What remains is fp32 rounding: 6 in the last step and 8 in
/// y^2 r^4, 4 of them times 4.
inline constexpr double kPowerTolerance = 3e-6;

/// sum_i |Q(x)_i - x_i|^2.4 with both ends of the range multiplied by `factor`, in units of the full range's
/// step to the power 2.4.
double rangeErrorNorm(const float* x, std::int64_t n, Range range, float factor, int bits, bool symmetric,
                      float floor);
/// The factor p = 1 - i/100, i = 0..79, that minimises the L2.4 error when both ends of the range are
/// multiplied by it; the first of equals.
float bestRangeFactor(const float* x, std::int64_t n, Range range, int bits, bool symmetric, float floor);

/// Per-lane grids of a GPTQ column block: `lanes` output rows side by side.
struct LaneGrids {
    const float* scale; ///< [lanes]
    const float* zero;  ///< [lanes]
    float lowCode;
    float highCode;
    int offset;
};

/// Rounds `columns` consecutive columns one after the other, lanes [begin, end) of them. weights, errors,
/// codes are [columns, lanes] row-major with row stride `stride`; upper is the [columns, columns] block of U
/// (row stride `upperStride`). errors = (w - Q(w)) / U_jj, from which later columns are compensated: w_k -=
/// U_jk error_j. GPTQ (arXiv 2210.17323) Algorithm 1.
void gptqColumns(const float* weights, const float* upper, std::int64_t upperStride, std::int64_t columns,
                 std::int64_t stride, const LaneGrids& grids, std::int64_t begin, std::int64_t end,
                 std::int8_t* codes, float* errors);
/// Largest `columns` of gptqColumns.
inline constexpr std::int64_t kMaxGptqColumns = 256;

} // namespace bdq::quant
