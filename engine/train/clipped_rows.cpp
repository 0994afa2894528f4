#include "engine/train/clipped_rows.h"

#include <algorithm>
#include <cfloat>
#include <limits>
#include <vector>

#include <ATen/ATen.h>

#include "engine/quant/parallel.h"
#include "engine/quant/row_kernels.h"

namespace bdq::train {

namespace {

/// Values per unit of parallel work, as in quant::fakeQuantize.
constexpr std::int64_t kGrainValues = 1 << 15;

/// sigmoid(clip) of each row.
class RowFactors {
public:
    RowFactors(const at::Tensor& clip, std::int64_t rows) {
        if (!clip.defined()) return;
        m_factors = clip.sigmoid().contiguous();
        m_pairs = m_factors.numel() / 2;
        m_rowsPerPair = rows / m_pairs;
    }
    [[nodiscard]] bool present() const { return m_pairs > 0; }
    [[nodiscard]] std::int64_t pairs() const { return m_pairs; }
    [[nodiscard]] std::int64_t pairOf(std::int64_t row) const { return row / m_rowsPerPair; }
    [[nodiscard]] float high(std::int64_t row) const {
        return present() ? m_factors.const_data_ptr<float>()[pairOf(row)] : 1.0F;
    }
    [[nodiscard]] float low(std::int64_t row) const {
        return present() ? m_factors.const_data_ptr<float>()[m_pairs + pairOf(row)] : 1.0F;
    }

private:
    at::Tensor m_factors;
    std::int64_t m_pairs = 0;
    std::int64_t m_rowsPerPair = 1;
};

template <typename Body> void forEachRow(const at::Tensor& x, const Body& body) {
    const std::int64_t n = x.size(-1);
    quant::parallelRanges(x.numel() / n, std::max<std::int64_t>(1, kGrainValues / n),
                          [&](std::int64_t begin, std::int64_t end) {
                              for (std::int64_t row = begin; row < end; ++row)
                                  body(row);
                          });
}

/// Derivatives by the ends of the clipped range.
struct RangeGradient {
    double low = 0;
    double high = 0;
};

RangeGradient rangeGradient(const quant::GridGradient& by, const quant::Grid& grid, quant::Range range,
                            const ClippedRowOptions& options) {
    const double low = range.low;
    const double high = range.high;
    RangeGradient result{by.low, by.high};
    if (options.symmetric) {
        const double top = grid.highCode;
        const double absmax = std::max(high, -low);
        if (absmax < static_cast<double>(options.floor) || absmax < top * static_cast<double>(FLT_MIN))
            return result;
        const double share = high > -low ? 1.0 : high < -low ? 0.0 : 0.5; // equal ends share it
        result.high += share * by.scale / top;
        result.low -= (1 - share) * by.scale / top;
        return result;
    }
    const double top = grid.highCode;
    if (high - low < top * static_cast<double>(FLT_MIN)) return result;
    const double scale = grid.scale;
    const double bySpread = (by.scale + by.zero * low / (scale * scale)) / top; // z = -low / s
    result.high += bySpread;
    result.low -= bySpread + by.zero / scale;
    return result;
}

/// Gradient through an end of the range to the first element that equals it. An end of 0 that no element has
/// (0 is taken with every range) passes nothing.
void addToExtreme(const float* x, float* dx, std::int64_t n, float extreme, double gradient) {
    const float* place = std::find(x, x + n, extreme);
    if (place != x + n) dx[place - x] += static_cast<float>(gradient);
}

/// [2, pairs] sums of per-row values, in the order of the rows.
at::Tensor sumByPair(const std::vector<RangeGradient>& rows, const RowFactors& factors,
                     const at::Tensor& clip) {
    at::Tensor sums = at::zeros({2, factors.pairs()}, at::kDouble);
    double* out = sums.mutable_data_ptr<double>();
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const std::int64_t pair = factors.pairOf(static_cast<std::int64_t>(row));
        out[pair] += rows[row].high;
        out[factors.pairs() + pair] += rows[row].low;
    }
    return sums.to(clip.scalar_type()).view(clip.sizes());
}

} // namespace

at::Tensor clippedRows(const at::Tensor& x, const at::Tensor& clip, const ClippedRowOptions& options) {
    const std::int64_t n = x.size(-1);
    const RowFactors factors(clip, x.numel() / n);
    at::Tensor y = at::empty_like(x);
    const float* in = x.const_data_ptr<float>();
    float* out = y.mutable_data_ptr<float>();
    forEachRow(x, [&](std::int64_t row) {
        const quant::Range full = quant::rowRange(in + row * n, n);
        const quant::Range range{full.low * factors.low(row), full.high * factors.high(row)};
        quant::Grid grid = quant::makeGrid(range, options.bits, options.symmetric, options.floor);
        if (options.clampFirst && factors.present()) grid = quant::clampedGrid(grid, range);
        quant::quantizeRow(in + row * n, out + row * n, n, grid);
    });
    return y;
}

RowGradients clippedRowGradients(const at::Tensor& x, const at::Tensor& g, const at::Tensor& clip,
                                 const ClippedRowOptions& options) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const std::int64_t n = x.size(-1);
    const std::int64_t rows = x.numel() / n;
    const RowFactors factors(clip, rows);
    RowGradients result{at::empty_like(x), {}};
    const float* in = x.const_data_ptr<float>();
    const float* slopes = g.const_data_ptr<float>();
    float* out = result.x.mutable_data_ptr<float>();
    std::vector<RangeGradient> byClip(factors.present() ? static_cast<std::size_t>(rows) : 0);
    forEachRow(x, [&](std::int64_t row) {
        const float* values = in + row * n;
        const quant::Range full = quant::rowRange(values, n);
        const float highFactor = factors.high(row);
        const float lowFactor = factors.low(row);
        const quant::Range range{full.low * lowFactor, full.high * highFactor};
        const quant::Grid grid = quant::makeGrid(range, options.bits, options.symmetric, options.floor);
        const bool clamps = options.clampFirst && factors.present();
        const quant::GridGradient by =
            quant::quantizeRowGradient(values, slopes + row * n, out + row * n, n, grid,
                                       clamps ? range : quant::Range{-kInfinity, kInfinity});
        const RangeGradient ends = rangeGradient(by, grid, range, options);
        addToExtreme(values, out + row * n, n, full.high, ends.high * static_cast<double>(highFactor));
        addToExtreme(values, out + row * n, n, full.low, ends.low * static_cast<double>(lowFactor));
        if (!factors.present()) return;
        // d sigmoid = sigmoid (1 - sigmoid)
        byClip[static_cast<std::size_t>(row)] = {
            ends.low * static_cast<double>(full.low) * static_cast<double>(lowFactor * (1 - lowFactor)),
            ends.high * static_cast<double>(full.high) * static_cast<double>(highFactor * (1 - highFactor))};
    });
    if (factors.present()) result.clip = sumByPair(byClip, factors, clip);
    return result;
}

} // namespace bdq::train
