#include <cfloat>
#include <tuple>

#include <ATen/ATen.h>

#include "engine/quant/aten_grid.h"
#include "engine/quant/quantized_weight.h"
#include "engine/train/clipped_quantizer.h"

namespace bdq::train {

namespace {

/// round with the gradient of the identity.
at::Tensor roundThrough(const at::Tensor& x) {
    return (x.round() - x).detach() + x;
}

} // namespace

at::Tensor clippedQuantizeReference(const at::Tensor& x, const OperandScheme& scheme, const at::Tensor& clip,
                                    bool clampFirst) {
    if (!scheme.quantizes()) return x;
    at::Tensor groups = quant::toGroups(x, scheme);
    at::Tensor high = std::get<0>(groups.max(-1, true)).clamp_min(0);
    at::Tensor low = std::get<0>(groups.min(-1, true)).clamp_max(0);
    if (clip.defined()) {
        const at::Tensor factors = (clip.dim() == 1 ? clip : clip.unsqueeze(-1)).sigmoid();
        high = high * factors[0];
        low = low * factors[1];
        if (clampFirst) groups = groups.clamp(low, high);
    }
    const int levels = 1 << scheme.bits;
    if (scheme.symmetric) {
        const int top = levels / 2 - 1;
        const double floor = clampFirst ? static_cast<double>(quant::kWeightAbsmaxFloor) : 0.0;
        const at::Tensor scale = at::maximum(high, -low).clamp_min(floor) / top;
        const at::Tensor safe = at::where(scale < FLT_MIN, at::ones_like(scale), scale);
        return quant::fromGroups(roundThrough(groups / safe).clamp(-top - 1, top) * safe, x.sizes());
    }
    const int top = levels - 1;
    const at::Tensor scale = (high - low) / top;
    const at::Tensor empty = scale < FLT_MIN;
    const at::Tensor safe = at::where(empty, at::full_like(scale, 2.0 / top), scale);
    const at::Tensor zero = roundThrough(at::where(empty, at::ones_like(low), -low) / safe);
    const at::Tensor codes = (roundThrough(groups / safe) + zero).clamp(0, top);
    return quant::fromGroups((codes - zero) * safe, x.sizes());
}

} // namespace bdq::train
