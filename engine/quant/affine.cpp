#include "engine/quant/affine.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "engine/quant/aten_grid.h"
#include "engine/quant/parallel.h"
#include "engine/quant/row_kernels.h"

namespace bdq::quant {

namespace {

/// Values per unit of parallel work: about 10 us, well above the cost of handing one out.
constexpr std::int64_t kGrainValues = 1 << 15;

void requireActivations(const at::Tensor& x, const OperandScheme& scheme, RangeFactors factors) {
    requireScheme(scheme, true);
    TORCH_CHECK(factors.high > 0 && factors.high <= 1 && factors.low > 0 && factors.low <= 1,
                "fakeQuantize: range factors are ", factors.high, " and ", factors.low,
                "; expected above 0 and at most 1");
    TORCH_CHECK(x.dim() >= 1 && x.scalar_type() == at::kFloat, "fakeQuantize: x is ", x.scalar_type(),
                " with ", x.dim(), " dimensions; expected fp32 with at least 1");
}

} // namespace

std::int64_t groupCount(std::int64_t features, const OperandScheme& scheme) {
    if (scheme.groupSize == 0 || features == 0) return 1;
    return (features - 1) / scheme.groupSize + 1;
}

at::Tensor fakeQuantizeAten(const at::Tensor& x, const OperandScheme& scheme, RangeFactors factors) {
    requireActivations(x, scheme, factors);
    if (!scheme.quantizes() || x.numel() == 0) return x;
    const at::Tensor groups = toGroups(x, scheme);
    const RangeTensors full = rangeTensors(groups);
    const GridTensors grids = makeGrids({full.low * factors.low, full.high * factors.high}, scheme, 0.0F);
    return fromGroups(gridSteps(groups, grids).mul_(grids.scale), x.sizes());
}

at::Tensor fakeQuantize(const at::Tensor& x, const OperandScheme& scheme, RangeFactors factors) {
    if (!x.device().is_cpu()) return fakeQuantizeAten(x, scheme, factors);
    requireActivations(x, scheme, factors);
    if (!scheme.quantizes() || x.numel() == 0) return x;
    const at::Tensor source = x.contiguous();
    at::Tensor result = at::empty_like(source);
    const float* in = source.const_data_ptr<float>();
    float* out = result.mutable_data_ptr<float>();
    const std::int64_t n = x.size(-1);
    const std::int64_t width = scheme.groupSize == 0 ? n : std::min<std::int64_t>(scheme.groupSize, n);
    const std::int64_t grain = std::max<std::int64_t>(1, kGrainValues / n);
    parallelRanges(x.numel() / n, grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row)
            for (std::int64_t start = row * n; start < (row + 1) * n; start += width) {
                const std::int64_t count = std::min(width, (row + 1) * n - start);
                const Range full = rowRange(in + start, count);
                const Range range{full.low * factors.low, full.high * factors.high};
                quantizeRow(in + start, out + start, count,
                            makeGrid(range, scheme.bits, scheme.symmetric, 0.0F));
            }
    });
    return result;
}

} // namespace bdq::quant
