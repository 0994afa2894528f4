#include "engine/quant/gptq.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <ATen/ATen.h>

#include "engine/quant/affine.h"
#include "engine/quant/aten_grid.h"
#include "engine/quant/parallel.h"
#include "engine/quant/row_kernels.h"
#include "engine/quant/weight_checks.h"

namespace bdq::quant {

namespace {

constexpr double kMaxDamp = 1e2;

Status requireArguments(const at::Tensor& weight, const at::Tensor& hessian, const OperandScheme& scheme,
                        const GptqOptions& options) {
    BDQ_CHECK(requireWeight(weight, scheme, "gptq"));
    const std::int64_t n = weight.size(1);
    if (!hessian.defined() || hessian.scalar_type() != at::kDouble ||
        hessian.sizes() != at::IntArrayRef{n, n})
        return fail(ErrorCode::ShapeMismatch, "gptq: hessian is " +
                                                  (hessian.defined() ? describeTensor(hessian) : "nothing") +
                                                  "; expected Double [" + std::to_string(n) + ", " +
                                                  std::to_string(n) + "], the inputs of the weight");
    if (!at::isfinite(hessian).all().item<bool>())
        return fail(ErrorCode::NonFinite, "gptq: hessian " + describeTensor(hessian) +
                                              " holds NaN or infinity; expected finite numbers");
    if (!(options.damp > 0 && options.damp <= kMaxDamp))
        return fail(ErrorCode::InvalidSpec, "gptq: damp is " + std::to_string(options.damp) +
                                                "; expected 0 < damp <= " + std::to_string(kMaxDamp));
    if (options.blockColumns < 1 || options.blockColumns > kMaxGptqColumns)
        return fail(ErrorCode::InvalidSpec, "gptq: blockColumns is " + std::to_string(options.blockColumns) +
                                                "; expected 1.." + std::to_string(kMaxGptqColumns));
    return {};
}

/// Upper Cholesky factor U of (H + damp mean(diag H) I)^-1 with the damping that it took.
struct InverseFactor {
    at::Tensor upper;  ///< fp64 [n, n]
    double lambda = 0; ///< what was added to the diagonal
    double damp = 0;
};

Result<InverseFactor> inverseFactor(const at::Tensor& hessian, double damp, std::vector<std::string>& notes) {
    const double mean = hessian.diagonal().mean().item<double>();
    const at::Tensor identity = at::eye(hessian.size(0), hessian.options());
    for (double tried = damp; tried <= kMaxDamp * 1.001; tried *= 10) {
        // With J the reversal of the order, J H J = L L^T gives H^-1 = (J L^-1 J)^T (J L^-1 J), and J L^-1 J
        // is upper: one factorisation and one triangular inverse, and H^-1 itself is never formed.
        const at::Tensor damped = hessian + identity * (tried * mean);
        const auto [lower, info] = at::linalg_cholesky_ex(damped.flip({0, 1}));
        if (info.item<int>() != 0) continue;
        at::Tensor upper = at::linalg_solve_triangular(lower, identity, false).flip({0, 1}).contiguous();
        if (!at::isfinite(upper).all().item<bool>()) continue;
        if (tried > damp)
            notes.push_back("GPTQ: damping raised from " + std::to_string(damp) + " to " +
                            std::to_string(tried) + " of the mean diagonal to make the Hessian definite");
        return InverseFactor{std::move(upper), tried * mean, tried};
    }
    return fail(ErrorCode::NonFinite, "gptq: hessian " + describeTensor(hessian) +
                                          " is not positive definite even with damping " +
                                          std::to_string(kMaxDamp) + "; expected a second moment");
}

/// The state of one run; everything is transposed, [n, out], so that a column of W is contiguous.
struct Columns {
    at::Tensor weight; ///< fp32 [n, out], compensated as the run proceeds
    at::Tensor codes;  ///< int8 [n, out]
    at::Tensor errors; ///< fp32 [columns of the block, out]
    at::Tensor scale;  ///< fp32 [out], of the current group
    at::Tensor zero;   ///< fp32 [out]
    double squaredErrors = 0;
};

/// Grid per output row for the columns [first, last) as they stand.
void groupGrids(Columns& state, std::int64_t first, std::int64_t last, const OperandScheme& scheme,
                bool search) {
    const at::Tensor rows = state.weight.narrow(0, first, last - first).t().contiguous();
    if (!rows.device().is_cpu()) {
        const RangeTensors range =
            search ? searchRanges(rows, scheme, kWeightAbsmaxFloor) : rangeTensors(rows);
        const GridTensors grids = makeGrids(range, scheme, kWeightAbsmaxFloor);
        state.scale = grids.scale.squeeze(-1);
        state.zero = grids.zero.squeeze(-1);
        return;
    }
    state.scale = at::empty({rows.size(0)}, rows.options());
    state.zero = at::empty({rows.size(0)}, rows.options());
    const float* x = rows.const_data_ptr<float>();
    auto* scale = state.scale.mutable_data_ptr<float>();
    auto* zero = state.zero.mutable_data_ptr<float>();
    const std::int64_t n = last - first;
    parallelRanges(rows.size(0), 4, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const Grid grid = groupGrid(x + row * n, n, scheme, search);
            scale[row] = grid.scale;
            zero[row] = grid.zero;
        }
    });
}

void roundBlockOnCpu(Columns& state, const at::Tensor& upper, std::int64_t first, std::int64_t last,
                     const OperandScheme& scheme) {
    const std::int64_t out = state.weight.size(1);
    const std::int64_t n = upper.size(1);
    const Grid shape = makeGrid({}, scheme.bits, scheme.symmetric, 1.0F);
    const LaneGrids grids{state.scale.const_data_ptr<float>(), state.zero.const_data_ptr<float>(),
                          shape.lowCode, shape.highCode, codeOffset(scheme)};
    const float* weights = state.weight.const_data_ptr<float>() + first * out;
    const float* block = upper.const_data_ptr<float>() + first * n + first;
    auto* codes = state.codes.mutable_data_ptr<std::int8_t>() + first * out;
    auto* errors = state.errors.mutable_data_ptr<float>();
    constexpr std::int64_t kTile = 64;
    parallelRanges(out, kTile, [&](std::int64_t begin, std::int64_t end) {
        gptqColumns(weights, block, n, last - first, out, grids, begin, end, codes, errors);
    });
}

void roundBlockWithAten(Columns& state, const at::Tensor& upper, std::int64_t first, std::int64_t last,
                        const OperandScheme& scheme) {
    GridTensors grids = makeGrids({at::zeros_like(state.scale), at::zeros_like(state.scale)}, scheme, 1.0F);
    grids.scale = state.scale;
    grids.zero = state.zero;
    at::Tensor block = state.weight.narrow(0, first, last - first).clone();
    for (std::int64_t j = 0; j < last - first; ++j) {
        const at::Tensor w = block[j];
        const at::Tensor steps = gridSteps(w, grids);
        const at::Tensor upperRow = upper[first + j].narrow(0, first, last - first);
        const at::Tensor error = (w - steps * grids.scale) / upperRow[j];
        state.codes[first + j].copy_(steps + (grids.zero - codeOffset(scheme)));
        state.errors[j].copy_(error);
        if (const std::int64_t rest = last - first - j - 1; rest > 0)
            block.narrow(0, j + 1, rest).addr_(upperRow.narrow(0, j + 1, rest), error, 1, -1);
    }
}

/// Rounds all columns block by block. A block never crosses the start of a group, so that a group's range is
/// taken from weights to which every earlier error has been applied.
QuantizedWeight roundColumns(Columns& state, const at::Tensor& upper, const OperandScheme& scheme,
                             const GptqOptions& options) {
    const std::int64_t n = state.weight.size(0);
    const std::int64_t out = state.weight.size(1);
    const std::int64_t width = scheme.groupSize == 0 ? n : scheme.groupSize;
    std::vector<at::Tensor> scales;
    std::vector<at::Tensor> zeros;
    const at::Tensor errorRows = at::empty({std::min(options.blockColumns, n), out}, state.weight.options());
    for (std::int64_t first = 0; first < n;) {
        const std::int64_t groupEnd = std::min(n, (first / width + 1) * width);
        const std::int64_t last = std::min(groupEnd, first + options.blockColumns);
        if (first % width == 0) {
            groupGrids(state, first, groupEnd, scheme, options.mseRanges);
            scales.push_back(state.scale);
            zeros.push_back((state.zero - codeOffset(scheme)).to(at::kInt));
        }
        state.errors = errorRows.narrow(0, 0, last - first);
        if (state.weight.device().is_cpu())
            roundBlockOnCpu(state, upper, first, last, scheme);
        else
            roundBlockWithAten(state, upper, first, last, scheme);
        state.squaredErrors += state.errors.to(at::kDouble).square().sum().item<double>();
        if (last < n)
            state.weight.narrow(0, last, n - last)
                .addmm_(upper.narrow(0, first, last - first).narrow(1, last, n - last).t(), state.errors, 1,
                        -1);
        first = last;
    }
    return {state.codes.t().contiguous(), at::stack(scales, 1), at::stack(zeros, 1), scheme};
}

GptqResult run(const at::Tensor& weight, const InverseFactor& factor, const at::Tensor& dead,
               const OperandScheme& scheme, const GptqOptions& options) {
    Columns state;
    const at::Tensor living = weight.masked_fill(dead.unsqueeze(0), 0.0);
    state.weight = living.t().contiguous();
    state.codes = at::empty(state.weight.sizes(), state.weight.options().dtype(at::kChar));
    GptqResult result;
    result.weight = roundColumns(state, factor.upper.to(at::kFloat), scheme, options);
    result.usedDamp = factor.damp;
    // sum of errors^2 = tr(E (H + lambda I) E^T): GPTQ's steps are the Cholesky form of that quadratic.
    const double distance =
        (living - result.weight.dequantize()).to(at::kDouble).square_().sum().item<double>();
    result.loss = std::max(0.0, state.squaredErrors - factor.lambda * distance);
    return result;
}

} // namespace

Result<GptqResult> gptq(const at::Tensor& weight, const at::Tensor& hessian, const OperandScheme& scheme,
                        const GptqOptions& options) {
    BDQ_CHECK(requireArguments(weight, hessian, scheme, options));
    at::Tensor definite = hessian.to(weight.device(), /*non_blocking=*/false, /*copy=*/true);
    const at::Tensor dead = definite.diagonal().eq(0);
    definite.diagonal().masked_fill_(dead, 1.0);
    std::vector<std::string> notes;
    if (const auto count = dead.sum().item<std::int64_t>(); count > 0)
        notes.push_back("GPTQ: " + std::to_string(count) + " of " + std::to_string(weight.size(1)) +
                        " input channels never occur in the calibration text; their weights became 0");
    BDQ_TRY(const InverseFactor factor, inverseFactor(definite, options.damp, notes));
    GptqResult result = run(weight, factor, dead, scheme, options);
    result.notes = std::move(notes);
    return result;
}

double outputError(const at::Tensor& weight, const at::Tensor& rounded, const at::Tensor& hessian) {
    const at::Tensor error = (weight.to(at::kDouble) - rounded.to(at::kDouble));
    return error.matmul(hessian).mul_(error).sum().item<double>();
}

} // namespace bdq::quant
