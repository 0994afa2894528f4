#include "engine/train/clipped_quantizer.h"

#include <cfloat>
#include <optional>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/ExpandUtils.h>
#include <torch/csrc/autograd/custom_function.h>

#include "engine/quant/aten_grid.h"
#include "engine/quant/quantized_weight.h"
#include "engine/train/clipped_rows.h"

namespace bdq::train {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

float absmaxFloor(const OperandScheme& scheme, bool clampFirst) {
    return clampFirst && scheme.symmetric ? quant::kWeightAbsmaxFloor : 0.0F;
}

/// Half precision is computed in fp32.
at::Tensor widened(const at::Tensor& x) {
    return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
}

/// Numbers of a group [..., 1]; `highest`, `lowest` are the extremes before 0 and the factors are applied.
struct GroupGrid {
    at::Tensor highest;
    at::Tensor lowest;
    at::Tensor factors; ///< sigmoid(clip), or undefined
    quant::RangeTensors range;
    quant::GridTensors grid;
};

GroupGrid groupGrid(const at::Tensor& highest, const at::Tensor& lowest, const at::Tensor& clip,
                    const OperandScheme& scheme, float floor) {
    GroupGrid group{highest, lowest, {}, {lowest.clamp_max(0), highest.clamp_min(0)}, {}};
    if (clip.defined()) {
        group.factors = clip.sigmoid();
        group.range = {group.range.low * group.factors[1], group.range.high * group.factors[0]};
    }
    group.grid = quant::makeGrids(group.range, scheme, floor);
    return group;
}

/// code - zero of x; `clampFirst` limits the codes to those of the range's ends, which equals clamping x
/// because rounding is monotone.
at::Tensor steps(const at::Tensor& x, const GroupGrid& group, bool symmetric, bool clampFirst) {
    const quant::GridTensors& grid = group.grid;
    at::Tensor codes = (x / grid.scale).round_();
    if (clampFirst)
        codes.clamp_((group.range.low / grid.scale).round_(), (group.range.high / grid.scale).round_());
    if (symmetric) return codes.clamp_(grid.lowCode, grid.highCode);
    return codes.clamp_(grid.lowCode - grid.zero, grid.highCode - grid.zero);
}

/// Derivatives of the loss by the numbers of a group, [..., 1].
struct GroupGradient {
    at::Tensor scale;
    at::Tensor zero; ///< asymmetric only
    at::Tensor low;  ///< through clampFirst; may be undefined
    at::Tensor high;
};

/// Gradient by x with the grid held, and what the grid receives.
at::Tensor elementGradient(const at::Tensor& x, const at::Tensor& g, const GroupGrid& group, bool symmetric,
                           bool clampFirst, GroupGradient& sums) {
    const quant::GridTensors& grid = group.grid;
    const at::Tensor within = clampFirst ? x.clamp(group.range.low, group.range.high) : x;
    at::Tensor v = within / grid.scale;
    at::Tensor rounded = v.round();
    at::Tensor limited = symmetric ? rounded.clamp(grid.lowCode, grid.highCode)
                                   : rounded.clamp(grid.lowCode - grid.zero, grid.highCode - grid.zero);
    at::Tensor through = g * rounded.eq(limited);
    sums.scale = limited.mul_(g).addcmul_(through, v, -1).sum(-1, true);
    if (!symmetric) sums.zero = (through - g).sum(-1, true) * grid.scale;
    if (!clampFirst) return through;
    sums.high = (through * x.gt(group.range.high)).sum(-1, true);
    sums.low = (through * x.lt(group.range.low)).sum(-1, true);
    return through.mul_(x.eq(within));
}

/// From the grid back to the ends of the clipped range.
void rangeGradient(const GroupGrid& group, const OperandScheme& scheme, float floor, GroupGradient& sums) {
    const quant::GridTensors& grid = group.grid;
    const at::Tensor& low = group.range.low;
    const at::Tensor& high = group.range.high;
    at::Tensor byHigh;
    at::Tensor byLow;
    if (scheme.symmetric) {
        const at::Tensor absmax = at::maximum(high, -low);
        const at::Tensor slope =
            sums.scale * absmax.ge(floor).logical_and_(absmax.ge(grid.highCode * FLT_MIN)) / grid.highCode;
        const at::Tensor share = (high + low).sign_().add_(1).mul_(0.5); // equal ends share it
        byHigh = slope * share;
        byLow = byHigh - slope;
    } else {
        const at::Tensor live = (high - low).ge(grid.highCode * FLT_MIN);
        const at::Tensor perStep = sums.zero / grid.scale; // z = -low / s
        byHigh = (sums.scale + perStep * low / grid.scale) * live / grid.highCode;
        byLow = -byHigh - perStep * live;
    }
    sums.high = sums.high.defined() ? sums.high + byHigh : byHigh;
    sums.low = sums.low.defined() ? sums.low + byLow : byLow;
}

/// Gradient by clip from that by the clipped ends.
at::Tensor clipGradient(const GroupGrid& group, const GroupGradient& sums, const at::Tensor& clip) {
    const at::Tensor slope = group.factors * (1 - group.factors);
    const at::Tensor byHigh = sums.high * group.highest.clamp_min(0) * slope[0];
    const at::Tensor byLow = sums.low * group.lowest.clamp_max(0) * slope[1];
    const at::IntArrayRef one = clip.sizes().slice(1);
    return at::stack({at::sum_to(byHigh, one), at::sum_to(byLow, one)}).to(clip.scalar_type());
}

/// Adds the gradient of the extremes to the elements they come from; one index a group, so the order of
/// additions is fixed.
void addExtremes(at::Tensor& dx, const GroupGrid& group, const GroupGradient& sums,
                 const at::Tensor& highIndex, const at::Tensor& lowIndex) {
    at::Tensor byHigh = sums.high * group.highest.ge(0);
    at::Tensor byLow = sums.low * group.lowest.le(0);
    if (group.factors.defined()) {
        byHigh = byHigh * group.factors[0];
        byLow = byLow * group.factors[1];
    }
    dx.scatter_add_(-1, highIndex, byHigh).scatter_add_(-1, lowIndex, byLow);
}

/// Over groups [..., width] with ATen operations; clip broadcasts against [2, ..., 1].
class QuantizeGroups : public Function<QuantizeGroups> {
public:
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                              const std::optional<at::Tensor>& clip, std::int64_t bits, bool symmetric,
                              bool clampFirst) {
        const OperandScheme scheme{static_cast<int>(bits), symmetric, 0};
        const auto [highest, highIndex] = x.max(-1, true);
        const auto [lowest, lowIndex] = x.min(-1, true);
        const GroupGrid group = groupGrid(widened(highest), widened(lowest), clip.value_or(at::Tensor()),
                                          scheme, absmaxFloor(scheme, clampFirst));
        at::Tensor y = at::empty_like(x);
        at::mul_out(y, steps(x, group, symmetric, clampFirst && clip), group.grid.scale);
        context->save_for_backward({x, clip.value_or(at::Tensor()), highIndex, lowIndex});
        context->saved_data["bits"] = bits;
        context->saved_data["symmetric"] = symmetric;
        context->saved_data["clampFirst"] = clampFirst;
        return y;
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto saved = context->get_saved_variables();
        const at::Tensor& x = saved[0];
        const at::Tensor& clip = saved[1];
        const bool clampFirst = context->saved_data["clampFirst"].toBool();
        const OperandScheme scheme{static_cast<int>(context->saved_data["bits"].toInt()),
                                   context->saved_data["symmetric"].toBool(), 0};
        const float floor = absmaxFloor(scheme, clampFirst);
        const GroupGrid group =
            groupGrid(widened(x.gather(-1, saved[2])), widened(x.gather(-1, saved[3])), clip, scheme, floor);
        GroupGradient sums;
        at::Tensor dx = elementGradient(widened(x), widened(gradients[0]), group, scheme.symmetric,
                                        clampFirst && clip.defined(), sums);
        rangeGradient(group, scheme, floor, sums);
        variable_list result(5);
        if (context->needs_input_grad(0)) {
            addExtremes(dx, group, sums, saved[2], saved[3]);
            result[0] = dx.to(x.scalar_type());
        }
        if (clip.defined() && context->needs_input_grad(1)) result[1] = clipGradient(group, sums, clip);
        return result;
    }
};

/// Rows of fp32 on the CPU: fused loops.
class QuantizeRows : public Function<QuantizeRows> {
public:
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                              const std::optional<at::Tensor>& clip, std::int64_t bits, bool symmetric,
                              bool clampFirst) {
        const at::Tensor rows = x.contiguous();
        context->save_for_backward({rows, clip.value_or(at::Tensor())});
        context->saved_data["bits"] = bits;
        context->saved_data["symmetric"] = symmetric;
        context->saved_data["clampFirst"] = clampFirst;
        return clippedRows(rows, clip.value_or(at::Tensor()), options(context));
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto saved = context->get_saved_variables();
        RowGradients rows =
            clippedRowGradients(saved[0], gradients[0].contiguous(), saved[1], options(context));
        variable_list result(5);
        if (context->needs_input_grad(0)) result[0] = std::move(rows.x);
        if (saved[1].defined() && context->needs_input_grad(1)) result[1] = std::move(rows.clip);
        return result;
    }

private:
    static ClippedRowOptions options(AutogradContext* context) {
        const OperandScheme scheme{static_cast<int>(context->saved_data["bits"].toInt()),
                                   context->saved_data["symmetric"].toBool(), 0};
        const bool clampFirst = context->saved_data["clampFirst"].toBool();
        return {scheme.bits, scheme.symmetric, clampFirst, absmaxFloor(scheme, clampFirst)};
    }
};

void requireArguments(const at::Tensor& x, const OperandScheme& scheme, const at::Tensor& clip) {
    quant::requireScheme(scheme, true);
    TORCH_CHECK(x.dim() >= 1 && x.numel() > 0 && at::isFloatingType(x.scalar_type()),
                "clippedQuantize: x is ", x.scalar_type(), " of ", x.sizes(),
                "; expected floating point with at least one row");
    if (!clip.defined()) return;
    const bool shared = clip.dim() == 1 && clip.size(0) == 2;
    const bool perRow = clip.dim() == 3 && x.dim() == 2 && clip.size(0) == 2 && clip.size(1) == x.size(0) &&
                        clip.size(2) == 1;
    TORCH_CHECK(shared || perRow, "clippedQuantize: clip is of ", clip.sizes(), " for x of ", x.sizes(),
                "; expected [2], or [2, rows, 1] for x [rows, n]");
    TORCH_CHECK(clip.scalar_type() == (x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat) &&
                    clip.device() == x.device(),
                "clippedQuantize: clip is ", clip.scalar_type(), " on ", clip.device(), " for x ",
                x.scalar_type(), " on ", x.device(), "; expected fp32 (fp64 with fp64 x) on x's device");
}

} // namespace

at::Tensor clippedQuantize(const at::Tensor& x, const OperandScheme& scheme, const at::Tensor& clip,
                           bool clampFirst) {
    requireArguments(x, scheme, clip);
    if (!scheme.quantizes()) return x;
    const bool grouped = scheme.groupSize > 0;
    const at::Tensor groups = grouped ? quant::toGroups(x, scheme) : x;
    std::optional<at::Tensor> logits;
    if (clip.defined()) logits = grouped && clip.dim() > 1 ? clip.unsqueeze(-1) : clip;
    const std::int64_t bits = scheme.bits;
    const bool fused = x.device().is_cpu() && x.scalar_type() == at::kFloat;
    const at::Tensor y = fused ? QuantizeRows::apply(groups, logits, bits, scheme.symmetric, clampFirst)
                               : QuantizeGroups::apply(groups, logits, bits, scheme.symmetric, clampFirst);
    return grouped ? quant::fromGroups(y, x.sizes()) : y;
}

ClippedRanges clippedRanges(const at::Tensor& weight, const OperandScheme& scheme, const at::Tensor& clip) {
    requireArguments(weight, scheme, clip);
    const quant::RangeTensors full = quant::rangeTensors(quant::toGroups(weight.detach(), scheme));
    ClippedRanges ranges{full.low.squeeze(-1), full.high.squeeze(-1)};
    if (!clip.defined()) return ranges;
    const at::Tensor factors = clip.detach().sigmoid();
    return {ranges.low * factors[1], ranges.high * factors[0]};
}

} // namespace bdq::train
