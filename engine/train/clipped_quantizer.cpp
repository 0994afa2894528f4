#include "engine/train/clipped_quantizer.h"

#include <optional>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/ExpandUtils.h>
#include <torch/csrc/autograd/custom_function.h>

#include "engine/quant/aten_grid.h"
#include "engine/quant/quantized_weight.h"
#include "engine/train/clipped_kernels.h"
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

ClippedKernelOptions kernelOptions(const OperandScheme& scheme, bool clipped, bool clampFirst) {
    const int levels = 1 << scheme.bits;
    const double lowCode = scheme.symmetric ? -levels / 2 : 0;
    return {scheme.symmetric,      clipped,
            clipped && clampFirst, lowCode,
            lowCode + levels - 1,  static_cast<double>(absmaxFloor(scheme, clampFirst))};
}

/// The logits of the high and of the low end; without clipping anything stands for them.
std::pair<at::Tensor, at::Tensor> halves(const at::Tensor& clip, const at::Tensor& other) {
    if (!clip.defined()) return {other, other};
    return {clip.select(0, 0), clip.select(0, 1)};
}

/// Sums over the groups that share a pair of logits.
at::Tensor clipGradient(const at::Tensor& byHigh, const at::Tensor& byLow, const at::Tensor& clip) {
    const at::IntArrayRef one = clip.sizes().slice(1);
    return at::stack({at::sum_to(byHigh, one), at::sum_to(byLow, one)});
}

/// Over groups [..., width] with element kernels; clip broadcasts against [2, ..., 1].
class QuantizeGroups : public Function<QuantizeGroups> {
public:
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                              const std::optional<at::Tensor>& logits, std::int64_t bits, bool symmetric,
                              bool clampFirst) {
        const at::Tensor clip = logits.value_or(at::Tensor());
        const auto [highest, highIndex] = x.max(-1, true);
        const auto [lowest, lowIndex] = x.min(-1, true);
        const at::Tensor high = widened(highest);
        const at::Tensor low = widened(lowest);
        const auto [clipHigh, clipLow] = halves(clip, high);
        context->saved_data["bits"] = bits;
        context->saved_data["symmetric"] = symmetric;
        context->saved_data["clampFirst"] = clampFirst;
        const ClippedKernelOptions how = options(context, clip.defined());
        const auto grid = runKernel(ClippedKernel::Grid, {high, low, clipHigh, clipLow}, how);
        context->save_for_backward(
            {x, clip, highIndex, lowIndex, high, low, grid[0], grid[1], grid[2], grid[3]});
        return runKernel(ClippedKernel::Values, {x, grid[0], grid[1], grid[2], grid[3]}, how)[0].to(
            x.scalar_type());
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto saved = context->get_saved_variables();
        const at::Tensor& x = saved[0];
        const at::Tensor& clip = saved[1];
        const ClippedKernelOptions how = options(context, clip.defined());
        const at::Tensor& g = gradients[0];
        const bool byScale = how.symmetric && !how.clamps;
        auto slopes =
            byScale ? runKernel(ClippedKernel::SymmetricSlope, {g, x, saved[8]}, how)
                    : runKernel(ClippedKernel::Slope, {g, x, saved[6], saved[7], saved[8], saved[9]}, how);
        const at::Tensor byHigh = slopes[1].sum(-1, true);
        const at::Tensor byLow = byScale ? byHigh : slopes[2].sum(-1, true);
        const auto [clipHigh, clipLow] = halves(clip, saved[4]);
        const auto ends =
            runKernel(ClippedKernel::Ends, {byHigh, byLow, saved[4], saved[5], clipHigh, clipLow}, how);
        variable_list result(5);
        if (context->needs_input_grad(0)) {
            // One index a group and end: the order of additions is fixed.
            slopes[0].scatter_add_(-1, saved[2], ends[0]).scatter_add_(-1, saved[3], ends[1]);
            result[0] = slopes[0].to(x.scalar_type());
        }
        if (clip.defined() && context->needs_input_grad(1)) result[1] = clipGradient(ends[2], ends[3], clip);
        return result;
    }

private:
    static ClippedKernelOptions options(AutogradContext* context, bool clipped) {
        const OperandScheme scheme{static_cast<int>(context->saved_data["bits"].toInt()),
                                   context->saved_data["symmetric"].toBool(), 0};
        return kernelOptions(scheme, clipped, context->saved_data["clampFirst"].toBool());
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

at::Tensor clippedStep(const at::Tensor& weight, const OperandScheme& scheme, const at::Tensor& clip) {
    const ClippedRanges ranges = clippedRanges(weight, scheme, clip);
    const at::Tensor scale =
        quant::makeGrids({ranges.low, ranges.high}, scheme, quant::kWeightAbsmaxFloor).scale;
    if (scheme.groupSize <= 0) return scale;
    return scale.repeat_interleave(scheme.groupSize, 1).narrow(1, 0, weight.size(1));
}

} // namespace bdq::train
