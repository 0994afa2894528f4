#include "engine/quant/output_mse.h"

#include <algorithm>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "engine/quant/affine.h"
#include "engine/quant/aten_grid.h"
#include "engine/quant/weight_checks.h"

namespace bdq::quant {

namespace {

// Rows whose errors are held at once: 32 MiB for 4096 inputs.
constexpr std::int64_t kRows = 2048;

Status requireMoment(const at::Tensor& moment, const at::Tensor& weight) {
    const std::int64_t n = weight.size(1);
    if (!moment.defined() || moment.scalar_type() != at::kDouble || moment.sizes() != at::IntArrayRef{n, n})
        return fail(ErrorCode::ShapeMismatch,
                    "roundToOutput: second moments are " +
                        (moment.defined() ? describeTensor(moment) : std::string("nothing")) +
                        "; expected Double [" + std::to_string(n) + ", " + std::to_string(n) + "]");
    if (at::isfinite(moment).all().item<bool>()) return {};
    return fail(ErrorCode::NonFinite,
                "roundToOutput: second moments hold NaN or infinity; expected finite numbers");
}

/// Diagonal blocks [groups, width, width] of the second moments, the last one padded with zeros.
at::Tensor momentBlocks(const at::Tensor& moment, const OperandScheme& scheme) {
    const std::int64_t n = moment.size(0);
    if (scheme.groupSize == 0) return moment.unsqueeze(0);
    std::vector<at::Tensor> blocks;
    for (std::int64_t first = 0; first < n; first += scheme.groupSize) {
        const std::int64_t width = std::min(scheme.groupSize * std::int64_t{1}, n - first);
        const std::int64_t padding = scheme.groupSize - width;
        blocks.push_back(at::constant_pad_nd(moment.narrow(0, first, width).narrow(1, first, width),
                                             {0, padding, 0, padding}));
    }
    return at::stack(blocks);
}

/// [rows, groups]: e^T S_gg e of every group.
at::Tensor groupErrors(const at::Tensor& error, const at::Tensor& blocks, const OperandScheme& scheme) {
    const at::Tensor groups = toGroups(error, scheme).transpose(0, 1); // [groups, rows, width]
    return at::bmm(groups, blocks).mul_(groups).sum(2).t();
}

/// The best range of every group of `weight` (a chunk of rows).
Result<RangeTensors> searchOutputRanges(const at::Tensor& weight, const at::Tensor& blocks,
                                        const OperandScheme& scheme) {
    const RangeTensors full = rangeTensors(toGroups(weight, scheme));
    const at::Tensor low = full.low.squeeze(-1);
    const at::Tensor high = full.high.squeeze(-1);
    const at::Tensor absmax = at::maximum(high, -low);
    RangeTensors best{low, high};
    at::Tensor smallest;
    for (int step = 0; step < kOutputRangeSteps; ++step) {
        const at::Tensor end = absmax * (1 - step / 20.0);
        const RangeTensors tried{at::maximum(low, -end), at::minimum(high, end)};
        BDQ_TRY(const QuantizedWeight rounded, roundWeights(weight, scheme, tried.low, tried.high));
        const at::Tensor errors = groupErrors(rounded.dequantize().sub_(weight), blocks, scheme);
        if (step == 0) {
            smallest = errors;
            continue;
        }
        const at::Tensor better = errors < smallest;
        best = {at::where(better, tried.low, best.low), at::where(better, tried.high, best.high)};
        smallest = at::minimum(smallest, errors);
    }
    return best;
}

} // namespace

Result<QuantizedWeight> roundToOutput(const at::Tensor& weight, const at::Tensor& secondMoment,
                                      const OperandScheme& scheme) {
    BDQ_CHECK(requireWeight(weight, scheme, "roundToOutput"));
    BDQ_CHECK(requireMoment(secondMoment, weight));
    const at::Tensor blocks = momentBlocks(secondMoment.to(weight.device(), at::kFloat), scheme);
    std::vector<at::Tensor> lows;
    std::vector<at::Tensor> highs;
    for (std::int64_t first = 0; first < weight.size(0); first += kRows) {
        const at::Tensor rows = weight.narrow(0, first, std::min(kRows, weight.size(0) - first));
        BDQ_TRY(const RangeTensors best, searchOutputRanges(rows, blocks, scheme));
        lows.push_back(best.low);
        highs.push_back(best.high);
    }
    return roundWeights(weight, scheme, at::cat(lows), at::cat(highs));
}

} // namespace bdq::quant
