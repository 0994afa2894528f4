#include "engine/quant/aten_grid.h"

#include <cfloat>
#include <limits>

#include <ATen/ATen.h>

#include "engine/quant/quantized_weight.h"
#include "engine/quant/row_kernels.h"

namespace bdq::quant {

namespace {

/// a / b rounded once. CUDA divides by a number through its reciprocal, which is an ulp off; by a tensor it
/// divides.
at::Tensor exactQuotient(const at::Tensor& a, double b) {
    return a / at::full_like(a, b);
}

} // namespace

RangeTensors rangeTensors(const at::Tensor& x) {
    return {x.amin(-1, true).clamp_max(0), x.amax(-1, true).clamp_min(0)};
}

GridTensors makeGrids(const RangeTensors& range, const OperandScheme& scheme, float floor) {
    const int levels = 1 << scheme.bits;
    if (scheme.symmetric) {
        const double top = levels / 2 - 1;
        const at::Tensor scale = exactQuotient(at::maximum(range.high, -range.low).clamp_min(floor), top);
        return {at::where(scale < FLT_MIN, at::ones_like(scale), scale), at::zeros_like(scale), -top - 1,
                top};
    }
    const double top = levels - 1;
    const at::Tensor scale = exactQuotient(range.high - range.low, top);
    const at::Tensor empty = scale < FLT_MIN;
    const at::Tensor safe = at::where(empty, at::full_like(scale, 2.0 / top), scale);
    const at::Tensor low = at::where(empty, at::full_like(scale, -1.0), range.low);
    return {safe, (-low / safe).round(), 0, top};
}

at::Tensor gridSteps(const at::Tensor& x, const GridTensors& grids) {
    return (x / grids.scale).round_().add_(grids.zero).clamp_(grids.lowCode, grids.highCode).sub_(grids.zero);
}

RangeTensors searchRanges(const at::Tensor& x, const OperandScheme& scheme, float floor, int percent) {
    const RangeTensors full = rangeTensors(x);
    at::Tensor best = at::ones_like(full.high);
    at::Tensor bestScore = at::full_like(full.high, std::numeric_limits<float>::infinity(), at::kDouble);
    for (int i = 0; i < kRangeSteps; i += percent) {
        const float factor = static_cast<float>(100 - i) / 100.0F;
        const GridTensors grids = makeGrids({full.low * factor, full.high * factor}, scheme, floor);
        // In steps, as the CPU path: free of the weights' scale.
        const at::Tensor error = (gridSteps(x, grids) - x / grids.scale).abs_().pow_(kRangeNormExponent);
        const at::Tensor score =
            error.sum(-1, true, at::kDouble) * grids.scale.to(at::kDouble).pow(kRangeNormExponent);
        const at::Tensor better = score < bestScore;
        best = at::where(better, at::full_like(best, factor), best);
        bestScore = at::where(better, score, bestScore);
    }
    return {full.low * best, full.high * best};
}

at::Tensor toGroups(const at::Tensor& x, const OperandScheme& scheme) {
    const std::int64_t n = x.size(-1);
    const std::int64_t width = scheme.groupSize == 0 ? n : scheme.groupSize;
    const std::int64_t missing = (width - n % width) % width;
    return (missing == 0 ? x : at::constant_pad_nd(x, {0, missing})).unflatten(-1, {-1, width});
}

at::Tensor fromGroups(const at::Tensor& groups, at::IntArrayRef sizes) {
    return groups.flatten(-2).narrow(-1, 0, sizes.back()).reshape(sizes);
}

void requireScheme(const OperandScheme& scheme, bool allowFull) {
    TORCH_CHECK((scheme.bits >= 2 && scheme.bits <= 8) || (allowFull && scheme.bits == 16),
                "quantizer: bits is ", scheme.bits, "; expected 2..8", allowFull ? " or 16" : "");
    TORCH_CHECK(scheme.groupSize >= 0, "quantizer: group size is ", scheme.groupSize,
                "; expected >= 0 (0 = whole row)");
}

} // namespace bdq::quant
