#include "engine/quant/row_kernels.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "engine/quant/lanes.h"

namespace bdq::quant {

namespace {

BDQ_KERNEL Lanes splat(float value) {
    return value - Lanes{};
}

BDQ_KERNEL Lanes minOf(Lanes a, Lanes b) {
    return a < b ? a : b;
}

/// Half to even for |v| < 2^22: adding 1.5 * 2^23 leaves no bits for a fraction. Codes are at most 2^8 /
/// 0.21.
BDQ_KERNEL Lanes roundLanes(Lanes v) {
    constexpr float kShift = 12582912.0F;
    return (v + kShift) - kShift;
}

/// A grid in every lane; built outside the loops.
struct GridLanes {
    Lanes zero;
    Lanes low;
    Lanes high;
};

BDQ_KERNEL GridLanes gridLanes(const Grid& grid) {
    return {splat(grid.zero), splat(grid.lowCode), splat(grid.highCode)};
}

/// code - zero, the value in steps, for v = x / scale.
BDQ_KERNEL Lanes gridSteps(Lanes v, const GridLanes& grid) {
    const Lanes code = roundLanes(v) + grid.zero;
    // The order keeps NaN: a comparison with it is false.
    const Lanes capped = grid.high < code ? grid.high : code;
    return (grid.low > capped ? grid.low : capped) - grid.zero;
}

/// (y^0.5)^2.4 = y^1.2 = y^2 (y^-1/5)^4 by Newton's iteration for r = y^-1/5, started from the exponent bits.
BDQ_KERNEL Lanes power12(Lanes y) {
    // bits(r) = 6/5 bits(1) - bits(y) / 5, lowered by 0.0450 of an exponent step so that the error is
    // balanced.
    constexpr float kStart = 1.2F * 8388608.0F * (127.0F - 0.0450F);
    IntLanes bits;
    std::memcpy(&bits, &y, sizeof bits);
    const Lanes guess = kStart - 0.2F * __builtin_convertvector(bits, Lanes);
    const IntLanes start = __builtin_convertvector(guess, IntLanes);
    Lanes r;
    std::memcpy(&r, &start, sizeof r);
    for (int i = 0; i < 3; ++i) {
        const Lanes r2 = r * r;
        r = r * (1.2F - 0.2F * (y * r) * (r2 * r2));
    }
    const Lanes r2 = r * r;
    return (y * r2) * (y * r2);
}

} // namespace

BDQ_CPU_CLONES Range rowRange(const float* x, std::int64_t n) {
    Lanes low{};
    Lanes high{};
    for (std::int64_t i = 0; i < n; i += kLanes) {
        const Lanes v = load(x + i, std::min(kLanes, n - i));
        low = minOf(v, low);
        high = maxOf(v, high);
    }
    Range range;
    for (int lane = 0; lane < kLanes; ++lane) {
        range.low = std::min(range.low, low[lane]);
        range.high = std::max(range.high, high[lane]);
    }
    return range;
}

BDQ_CPU_CLONES void quantizeRow(const float* x, float* y, std::int64_t n, const Grid& grid) {
    const Lanes scale = splat(grid.scale);
    const GridLanes lanes = gridLanes(grid);
    for (std::int64_t i = 0; i < n; i += kLanes) {
        const std::int64_t count = std::min(kLanes, n - i);
        const Lanes v = load(x + i, count);
        store(y + i, scale * gridSteps(v / scale, lanes), count);
    }
}

BDQ_CPU_CLONES void encodeRow(const float* x, std::int8_t* codes, std::int64_t n, const Grid& grid,
                              int offset) {
    const Lanes scale = splat(grid.scale);
    const GridLanes lanes = gridLanes(grid);
    const Lanes shift = splat(grid.zero - static_cast<float>(offset));
    for (std::int64_t i = 0; i < n; i += kLanes) {
        const std::int64_t count = std::min(kLanes, n - i);
        const Lanes steps = gridSteps(load(x + i, count) / scale, lanes);
        const IntLanes whole = __builtin_convertvector(steps + shift, IntLanes);
        for (std::int64_t lane = 0; lane < count; ++lane)
            codes[i + lane] = static_cast<std::int8_t>(whole[lane]);
    }
}

BDQ_CPU_CLONES void addSquaredErrors(const float* x, float* sums, std::int64_t n, const Grid& grid) {
    const Lanes scale = splat(grid.scale);
    const GridLanes lanes = gridLanes(grid);
    for (std::int64_t i = 0; i < n; i += kLanes) {
        const std::int64_t count = std::min(kLanes, n - i);
        const Lanes v = load(x + i, count);
        const Lanes error = scale * gridSteps(v / scale, lanes) - v;
        store(sums + i, load(sums + i, count) + error * error, count);
    }
}

BDQ_CPU_CLONES GridGradient quantizeRowGradient(const float* x, const float* g, float* dx, std::int64_t n,
                                                const Grid& grid, Range range) {
    constexpr std::int64_t kChunk = 64 * kLanes;
    const Lanes scale = splat(grid.scale);
    const GridLanes codes = gridLanes(grid);
    const Lanes low = splat(range.low);
    const Lanes high = splat(range.high);
    const Lanes none{};
    GridGradient total;
    for (std::int64_t start = 0; start < n; start += kChunk) {
        Lanes byScale{};
        Lanes clipped{};
        Lanes below{};
        Lanes above{};
        for (std::int64_t i = start; i < std::min(n, start + kChunk); i += kLanes) {
            const std::int64_t count = std::min(kLanes, n - i);
            const Lanes value = load(x + i, count);
            const Lanes slope = load(g + i, count);
            const Lanes v = maxOf(minOf(value, high), low) / scale;
            const Lanes code = roundLanes(v) + codes.zero;
            const Lanes limited = maxOf(minOf(code, codes.high), codes.low);
            const Lanes through = code == limited ? slope : none;
            byScale += slope * (limited - codes.zero) - through * v;
            clipped += through - slope;
            below += value < low ? through : none;
            above += value > high ? through : none;
            store(dx + i, value < low || value > high ? none : through, count);
        }
        for (int lane = 0; lane < kLanes; ++lane) {
            total.scale += static_cast<double>(byScale[lane]);
            total.zero += static_cast<double>(clipped[lane]);
            total.low += static_cast<double>(below[lane]);
            total.high += static_cast<double>(above[lane]);
        }
    }
    total.zero *= static_cast<double>(grid.scale);
    return total;
}

BDQ_CPU_CLONES double stepErrorNorm(const float* x, std::int64_t n, const Grid& grid) {
    // fp32 lanes are added up in fp64 every kChunk columns: 64 additions of positive terms each, error below
    // 64 * 6e-8.
    constexpr std::int64_t kChunk = 64 * kLanes;
    const float perStep = 1.0F / grid.scale;
    const GridLanes lanes = gridLanes(grid);
    double total = 0;
    for (std::int64_t start = 0; start < n; start += kChunk) {
        Lanes sum{};
        for (std::int64_t i = start; i < std::min(n, start + kChunk); i += kLanes) {
            const Lanes v = load(x + i, std::min(kLanes, n - i)) * perStep;
            const Lanes error = gridSteps(v, lanes) - v;
            sum += power12(error * error);
        }
        for (int lane = 0; lane < kLanes; ++lane)
            total += static_cast<double>(sum[lane]);
    }
    return total;
}

BDQ_CPU_CLONES void errorRow(const float* x, float* errors, float* squares, std::int64_t n,
                             const Grid& grid) {
    const Lanes scale = splat(grid.scale);
    const GridLanes lanes = gridLanes(grid);
    for (std::int64_t i = 0; i < n; i += kLanes) {
        const std::int64_t count = std::min(kLanes, n - i);
        const Lanes v = load(x + i, count);
        const Lanes error = scale * gridSteps(v / scale, lanes) - v;
        store(errors + i, error, count);
        store(squares + i, load(squares + i, count) + error * error, count);
    }
}

BDQ_CPU_CLONES ProductSums addProducts(const float* errors, const float* gradient, float* columns,
                                       std::int64_t n) {
    constexpr std::int64_t kChunk = 64 * kLanes;
    ProductSums total;
    for (std::int64_t start = 0; start < n; start += kChunk) {
        Lanes sum{};
        Lanes squares{};
        for (std::int64_t i = start; i < std::min(n, start + kChunk); i += kLanes) {
            const std::int64_t count = std::min(kLanes, n - i);
            const Lanes product = load(errors + i, count) * load(gradient + i, count);
            sum += product;
            squares += product * product;
            store(columns + i, load(columns + i, count) + product, count);
        }
        total.sum += sumOfLanes(sum);
        total.squares += sumOfLanes(squares);
    }
    return total;
}

double rangeErrorNorm(const float* x, std::int64_t n, Range range, float factor, int bits, bool symmetric,
                      float floor) {
    const float fullScale = makeGrid(range, bits, symmetric, floor).scale;
    const Grid grid = makeGrid({range.low * factor, range.high * factor}, bits, symmetric, floor);
    // In units of the full range's step: free of overflow, and the fp32 power (1 ulp) is five times faster.
    const auto unit =
        static_cast<double>(std::pow(grid.scale / fullScale, static_cast<float>(kRangeNormExponent)));
    return unit * stepErrorNorm(x, n, grid);
}

float bestRangeFactor(const float* x, std::int64_t n, Range range, int bits, bool symmetric, float floor) {
    constexpr int kSteps = 80;
    float best = 1;
    double bestScore = std::numeric_limits<double>::infinity();
    for (int i = 0; i < kSteps; ++i) {
        const float factor = static_cast<float>(100 - i) / 100.0F;
        const double score = rangeErrorNorm(x, n, range, factor, bits, symmetric, floor);
        if (score < bestScore) {
            bestScore = score;
            best = factor;
        }
    }
    return best;
}

namespace {

constexpr std::int64_t kTileLanes = 4 * kLanes;

/// One tile of kTileLanes lanes, copied so that large power-of-two strides do not collide in the cache.
struct GptqTile {
    std::array<float, kMaxGptqColumns * kTileLanes> weights;
    std::array<float, kTileLanes> scale;
    std::array<float, kTileLanes> zero;
};

BDQ_KERNEL void loadTile(GptqTile& tile, const float* weights, std::int64_t columns, std::int64_t stride,
                         const LaneGrids& grids, std::int64_t start, std::int64_t lanes) {
    const auto bytes = static_cast<std::size_t>(lanes) * sizeof(float);
    tile.scale.fill(1.0F); // lanes past the end divide by it
    tile.zero.fill(0.0F);
    std::memcpy(tile.scale.data(), grids.scale + start, bytes);
    std::memcpy(tile.zero.data(), grids.zero + start, bytes);
    for (std::int64_t j = 0; j < columns; ++j) {
        float* row = tile.weights.data() + j * kTileLanes;
        std::fill(row + lanes, row + kTileLanes, 0.0F);
        std::memcpy(row, weights + j * stride + start, bytes);
    }
}

BDQ_KERNEL void compensate(GptqTile& tile, const float* upperRow, std::int64_t j, std::int64_t columns,
                           const Lanes* error) {
    for (std::int64_t k = j + 1; k < columns; ++k) {
        float* row = tile.weights.data() + k * kTileLanes;
        for (std::int64_t v = 0; v < kTileLanes / kLanes; ++v)
            store(row + v * kLanes, load(row + v * kLanes, kLanes) - upperRow[k] * error[v], kLanes);
    }
}

} // namespace

BDQ_CPU_CLONES void gptqColumns(const float* weights, const float* upper, std::int64_t upperStride,
                                std::int64_t columns, std::int64_t stride, const LaneGrids& grids,
                                std::int64_t begin, std::int64_t end, std::int8_t* codes, float* errors) {
    GptqTile tile;
    const Lanes low = splat(grids.lowCode);
    const Lanes high = splat(grids.highCode);
    for (std::int64_t start = begin; start < end; start += kTileLanes) {
        const std::int64_t lanes = std::min(kTileLanes, end - start);
        loadTile(tile, weights, columns, stride, grids, start, lanes);
        for (std::int64_t j = 0; j < columns; ++j) {
            const float* upperRow = upper + j * upperStride;
            Lanes error[kTileLanes / kLanes];
            for (std::int64_t v = 0; v < kTileLanes / kLanes; ++v) {
                const std::int64_t first = v * kLanes;
                const Lanes w = load(tile.weights.data() + j * kTileLanes + first, kLanes);
                const Lanes scale = load(tile.scale.data() + first, kLanes);
                const Lanes zero = load(tile.zero.data() + first, kLanes);
                const Lanes steps = gridSteps(w / scale, {zero, low, high});
                error[v] = (w - scale * steps) / upperRow[j];
                const std::int64_t count = std::clamp<std::int64_t>(lanes - first, 0, kLanes);
                store(errors + j * stride + start + first, error[v], count);
                const IntLanes whole =
                    __builtin_convertvector(steps + zero - static_cast<float>(grids.offset), IntLanes);
                for (std::int64_t lane = 0; lane < count; ++lane)
                    codes[j * stride + start + first + lane] = static_cast<std::int8_t>(whole[lane]);
            }
            compensate(tile, upperRow, j, columns, error);
        }
    }
}

} // namespace bdq::quant
