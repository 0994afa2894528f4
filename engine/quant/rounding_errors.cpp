#include "engine/quant/rounding_errors.h"

#include <algorithm>
#include <vector>

#include <ATen/ATen.h>

#include "engine/quant/aten_grid.h"
#include "engine/quant/parallel.h"
#include "engine/quant/row_kernels.h"

namespace bdq::quant {

namespace {

constexpr int kWidths = 7; ///< bits 2..8
constexpr int kLowestBits = 2;
constexpr std::int64_t kChunkRows = 64; ///< rows added up in fp32 before the fp64 sum: error below 64 * 6e-8

/// Errors of rows [begin, end) in fp32, [2 * kWidths, n]: symmetric 2..8, then asymmetric 2..8.
std::vector<float> chunkErrors(const float* x, std::int64_t n, std::int64_t begin, std::int64_t end) {
    std::vector<float> sums(static_cast<std::size_t>(2 * kWidths * n), 0.0F);
    for (std::int64_t row = begin; row < end; ++row) {
        const float* values = x + row * n;
        const Range range = rowRange(values, n);
        for (int i = 0; i < 2 * kWidths; ++i)
            addSquaredErrors(values, sums.data() + i * n, n,
                             makeGrid(range, kLowestBits + i % kWidths, i < kWidths, 0.0F));
    }
    return sums;
}

at::Tensor cpuErrors(const at::Tensor& rows) {
    const std::int64_t n = rows.size(1);
    const std::int64_t chunks = (rows.size(0) - 1) / kChunkRows + 1;
    const float* x = rows.const_data_ptr<float>();
    // A fixed number of partial sums, each over every kPartials-th chunk in order: the same result with any
    // thread count.
    constexpr std::int64_t kPartials = 16;
    const std::int64_t partials = std::min(kPartials, chunks);
    at::Tensor sums = at::zeros({partials, 2 * kWidths, n}, rows.options().dtype(at::kDouble));
    double* out = sums.mutable_data_ptr<double>();
    parallelRanges(partials, 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t part = first; part < last; ++part)
            for (std::int64_t chunk = part; chunk < chunks; chunk += partials) {
                const std::int64_t begin = chunk * kChunkRows;
                const auto errors = chunkErrors(x, n, begin, std::min(rows.size(0), begin + kChunkRows));
                double* target = out + part * 2 * kWidths * n;
                for (std::size_t i = 0; i < errors.size(); ++i)
                    target[i] += static_cast<double>(errors[i]);
            }
    });
    return sums.sum(0);
}

at::Tensor atenErrors(const at::Tensor& rows) {
    std::vector<at::Tensor> sums;
    const RangeTensors range = rangeTensors(rows);
    for (int i = 0; i < 2 * kWidths; ++i) {
        const GridTensors grids = makeGrids(range, {kLowestBits + i % kWidths, i < kWidths, 0}, 0.0F);
        const at::Tensor error = gridSteps(rows, grids).mul_(grids.scale).sub_(rows);
        sums.push_back(error.square_().sum(0, false, at::kDouble));
    }
    return at::stack(sums);
}

} // namespace

RoundingErrors roundingErrors(const at::Tensor& x, bool mean) {
    TORCH_CHECK(x.dim() >= 1 && x.numel() > 0 && x.scalar_type() == at::kFloat, "roundingErrors: x is ",
                x.scalar_type(), " of ", x.sizes(), "; expected fp32 with at least one row");
    const at::Tensor rows = x.reshape({-1, x.size(-1)}).contiguous();
    at::Tensor sums = rows.device().is_cpu() ? cpuErrors(rows) : atenErrors(rows);
    if (mean) sums = sums / static_cast<double>(rows.size(0));
    return {sums.narrow(0, 0, kWidths).contiguous(), sums.narrow(0, kWidths, kWidths).contiguous()};
}

} // namespace bdq::quant
