#include "engine/quant/quantized_weight.h"

#include <algorithm>
#include <string>

#include <ATen/ATen.h>

#include "engine/quant/affine.h"
#include "engine/quant/aten_grid.h"
#include "engine/quant/parallel.h"
#include "engine/quant/row_kernels.h"
#include "engine/quant/weight_checks.h"

namespace bdq::quant {

namespace {

/// Repeats [out, groups] along the columns of each group to [out, in].
at::Tensor spread(const at::Tensor& perGroup, std::int64_t features, const OperandScheme& scheme) {
    if (scheme.groupSize == 0) return perGroup.expand({perGroup.size(0), features});
    return perGroup.repeat_interleave(scheme.groupSize, 1).narrow(1, 0, features);
}

Status checkPart(const at::Tensor& part, const char* name, at::ScalarType type, at::IntArrayRef sizes) {
    if (part.defined() && part.scalar_type() == type && part.sizes() == sizes) return {};
    const std::string found = part.defined() ? describeTensor(part) : std::string("nothing");
    std::string expected = at::toString(type);
    expected += " [" + std::to_string(sizes[0]) + ", " + std::to_string(sizes[1]) + "]";
    return fail(ErrorCode::ShapeMismatch,
                std::string("quantized weight: ") + name + " is " + found + "; expected " + expected);
}

Status checkCodes(const at::Tensor& codes, const char* name, const OperandScheme& scheme) {
    if (codes.numel() == 0) return {};
    const int low = -(1 << (scheme.bits - 1));
    const int smallest = codes.min().item<int>();
    const int largest = codes.max().item<int>();
    if (smallest >= low && largest < -low) return {};
    return fail(ErrorCode::BadFormat,
                std::string("quantized weight: ") + name + " span " + std::to_string(smallest) + ".." +
                    std::to_string(largest) + "; expected within " + std::to_string(low) + ".." +
                    std::to_string(-low - 1) + " for " + std::to_string(scheme.bits) + " bits");
}

/// Rounds every group of `weight` on the CPU to gridOf(values, count, item), item = row * groups + group.
template <typename GridOf>
QuantizedWeight encodeOnCpu(const at::Tensor& weight, const OperandScheme& scheme, const GridOf& gridOf) {
    const std::int64_t out = weight.size(0);
    const std::int64_t n = weight.size(1);
    const std::int64_t groups = groupCount(n, scheme);
    const std::int64_t width = scheme.groupSize == 0 ? n : scheme.groupSize;
    QuantizedWeight result{at::empty({out, n}, at::kChar), at::empty({out, groups}, at::kFloat),
                           at::empty({out, groups}, at::kInt), scheme};
    const float* in = weight.const_data_ptr<float>();
    auto* codes = result.codes.mutable_data_ptr<std::int8_t>();
    auto* scales = result.scales.mutable_data_ptr<float>();
    auto* zeros = result.zeros.mutable_data_ptr<std::int32_t>();
    const int offset = codeOffset(scheme);
    parallelRanges(out, 4, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t item = begin * groups; item < end * groups; ++item) {
            const std::int64_t start = (item % groups) * width;
            const std::int64_t first = item / groups * n + start;
            const std::int64_t count = std::min(width, n - start);
            const Grid grid = gridOf(in + first, count, item);
            scales[item] = grid.scale;
            zeros[item] = static_cast<std::int32_t>(grid.zero) - offset;
            encodeRow(in + first, codes + first, count, grid, offset);
        }
    });
    return result;
}

/// `range` [out, groups, 1] of `groups` [out, groups, width], the weight in groups.
QuantizedWeight encodeWithAten(const at::Tensor& groups, const RangeTensors& range, at::IntArrayRef sizes,
                               const OperandScheme& scheme) {
    const GridTensors grids = makeGrids(range, scheme, kWeightAbsmaxFloor);
    const at::Tensor zeros = grids.zero - codeOffset(scheme);
    const at::Tensor codes = gridSteps(groups, grids).add_(zeros);
    return {fromGroups(codes, sizes).to(at::kChar), grids.scale.squeeze(-1), zeros.squeeze(-1).to(at::kInt),
            scheme};
}

Status checkRange(const at::Tensor& end, const char* name, const at::Tensor& weight, std::int64_t groups) {
    const std::int64_t out = weight.size(0);
    const std::string who = std::string("roundWeights: range end ") + name;
    if (!end.defined() || end.scalar_type() != at::kFloat || end.device() != weight.device() ||
        !(end.sizes() == at::IntArrayRef{out, groups} ||
          (groups == 1 && end.sizes() == at::IntArrayRef{out})))
        return fail(ErrorCode::ShapeMismatch,
                    who + " is " + (end.defined() ? describeTensor(end) : "nothing") + "; expected Float [" +
                        std::to_string(out) + ", " + std::to_string(groups) + "] on the weight's device");
    if (!at::isfinite(end).all().item<bool>())
        return fail(ErrorCode::NonFinite,
                    who + " " + describeTensor(end) + " holds NaN or infinity; expected finite numbers");
    return {};
}

} // namespace

std::string describeTensor(const at::Tensor& tensor) {
    std::string text = std::string(at::toString(tensor.scalar_type())) + " [";
    for (std::int64_t i = 0; i < tensor.dim(); ++i)
        text += (i == 0 ? "" : ", ") + std::to_string(tensor.size(i));
    return text + "]";
}

Status requireWeight(const at::Tensor& weight, const OperandScheme& scheme, const char* who) {
    const std::string name(who);
    if (scheme.bits < 2 || scheme.bits > 8)
        return fail(ErrorCode::InvalidSpec,
                    name + ": weight bits is " + std::to_string(scheme.bits) + "; expected 2..8");
    if (scheme.groupSize < 0)
        return fail(ErrorCode::InvalidSpec, name + ": group size is " + std::to_string(scheme.groupSize) +
                                                "; expected >= 0 (0 = whole row)");
    if (!weight.defined() || weight.dim() != 2 || weight.scalar_type() != at::kFloat || weight.numel() == 0)
        return fail(ErrorCode::ShapeMismatch, name + ": weight is " +
                                                  (weight.defined() ? describeTensor(weight) : "nothing") +
                                                  "; expected Float [out, in], not empty");
    if (!at::isfinite(weight).all().item<bool>())
        return fail(ErrorCode::NonFinite, name + ": weight " + describeTensor(weight) +
                                              " holds NaN or infinity; expected finite numbers");
    return {};
}

Grid groupGrid(const float* x, std::int64_t n, const OperandScheme& scheme, bool search) {
    Range range = rowRange(x, n);
    if (search) {
        const float factor = bestRangeFactor(x, n, range, scheme.bits, scheme.symmetric, kWeightAbsmaxFloor);
        range = {range.low * factor, range.high * factor};
    }
    return makeGrid(range, scheme.bits, scheme.symmetric, kWeightAbsmaxFloor);
}

at::Tensor QuantizedWeight::dequantize() const {
    const std::int64_t n = codes.size(1);
    return (codes.to(at::kFloat) - spread(zeros, n, scheme)).mul_(spread(scales, n, scheme));
}

Status QuantizedWeight::validate() const {
    if (scheme.bits < 2 || scheme.bits > 8 || scheme.groupSize < 0)
        return fail(ErrorCode::InvalidSpec, "quantized weight: bits " + std::to_string(scheme.bits) +
                                                ", group size " + std::to_string(scheme.groupSize) +
                                                "; expected bits 2..8 and group size >= 0");
    if (!codes.defined() || codes.dim() != 2 || codes.scalar_type() != at::kChar)
        return fail(ErrorCode::ShapeMismatch, "quantized weight: codes is " +
                                                  (codes.defined() ? describeTensor(codes) : "nothing") +
                                                  "; expected Char [out, in]");
    const std::int64_t groups = groupCount(codes.size(1), scheme);
    BDQ_CHECK(checkPart(scales, "scales", at::kFloat, {codes.size(0), groups}));
    BDQ_CHECK(checkPart(zeros, "zeros", at::kInt, {codes.size(0), groups}));
    if (!at::isfinite(scales).logical_and(scales > 0).all().item<bool>())
        return fail(ErrorCode::NonFinite, "quantized weight: scales " + describeTensor(scales) +
                                              " hold zero, a negative number, NaN or infinity; expected > 0");
    if (scheme.symmetric && zeros.ne(0).any().item<bool>())
        return fail(ErrorCode::BadFormat,
                    "quantized weight: a symmetric scheme has a zero point that is not 0; expected 0");
    BDQ_CHECK(checkCodes(zeros, "zeros", scheme));
    return checkCodes(codes, "codes", scheme);
}

Result<QuantizedWeight> roundWeights(const at::Tensor& weight, const OperandScheme& scheme,
                                     WeightRounding rounding) {
    BDQ_CHECK(requireWeight(weight, scheme, "roundWeights"));
    if (rounding != WeightRounding::Rtn && rounding != WeightRounding::Mse)
        return fail(ErrorCode::InvalidSpec, "roundWeights: rounding is " +
                                                std::string(roundingName(rounding)) +
                                                ", which needs second moments; expected rtn or mse");
    const bool search = rounding == WeightRounding::Mse;
    const at::Tensor source = weight.contiguous();
    if (source.device().is_cpu())
        return encodeOnCpu(source, scheme, [&](const float* x, std::int64_t n, std::int64_t /*item*/) {
            return groupGrid(x, n, scheme, search);
        });
    const at::Tensor groups = toGroups(source, scheme);
    return encodeWithAten(groups,
                          search ? searchRanges(groups, scheme, kWeightAbsmaxFloor) : rangeTensors(groups),
                          source.sizes(), scheme);
}

Result<QuantizedWeight> roundWeights(const at::Tensor& weight, const OperandScheme& scheme,
                                     const at::Tensor& low, const at::Tensor& high) {
    BDQ_CHECK(requireWeight(weight, scheme, "roundWeights"));
    const std::int64_t groups = groupCount(weight.size(1), scheme);
    BDQ_CHECK(checkRange(low, "low", weight, groups));
    BDQ_CHECK(checkRange(high, "high", weight, groups));
    if (low.gt(0).any().item<bool>() || high.lt(0).any().item<bool>())
        return fail(ErrorCode::BadFormat,
                    "roundWeights: a range does not hold 0; expected low <= 0 <= high in every group");
    const at::Tensor source = weight.contiguous();
    const at::Tensor lows = low.contiguous();
    const at::Tensor highs = high.contiguous();
    if (!source.device().is_cpu()) {
        const RangeTensors range{lows.view({-1, groups, 1}), highs.view({-1, groups, 1})};
        const at::Tensor parts = toGroups(source, scheme);
        return encodeWithAten(parts.clamp(range.low, range.high), range, source.sizes(), scheme);
    }
    const float* lowEnds = lows.const_data_ptr<float>();
    const float* highEnds = highs.const_data_ptr<float>();
    return encodeOnCpu(source, scheme, [&](const float* /*x*/, std::int64_t /*n*/, std::int64_t item) {
        const Range range{lowEnds[item], highEnds[item]};
        return clampedGrid(makeGrid(range, scheme.bits, scheme.symmetric, kWeightAbsmaxFloor), range);
    });
}

} // namespace bdq::quant
