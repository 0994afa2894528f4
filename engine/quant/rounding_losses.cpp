#include "engine/quant/rounding_losses.h"

#include <algorithm>
#include <array>

#include <ATen/ATen.h>

#include "engine/quant/aten_grid.h"
#include "engine/quant/parallel.h"
#include "engine/quant/quantized_weight.h"
#include "engine/quant/row_kernels.h"

namespace bdq::quant {
namespace {

constexpr int kLowestBits = 2;
/// Rows whose products are added up in fp32 before the fp64 sum: error below 64 * 6e-8 of the sum of
/// magnitudes.
constexpr std::int64_t kChunkRows = 64;

// The error is flat around its minimum: a twentieth of the range off costs less than a percent of it.
constexpr int kFactorPercent = 5;
constexpr int kFactors = kRangeSteps / kFactorPercent;
constexpr float factorAt(int index) {
    return static_cast<float>(100 - kFactorPercent * index) / 100.0F;
}

/// Index of the factor for every width, 8 bits first: fewer bits want a smaller range, so each width starts
/// where the one above ended and goes on while the error falls.
std::array<int, RoundingLosses::kWidths> searchFactors(const float* x, std::int64_t n, Range range,
                                                       bool symmetric, float floor) {
    std::array<int, RoundingLosses::kWidths> best{};
    int index = 0;
    for (int width = RoundingLosses::kWidths - 1; width >= 0; --width) {
        double score = rangeErrorNorm(x, n, range, factorAt(index), kLowestBits + width, symmetric, floor);
        while (index + 1 < kFactors) {
            const double next =
                rangeErrorNorm(x, n, range, factorAt(index + 1), kLowestBits + width, symmetric, floor);
            if (!(next < score)) break;
            score = next;
            ++index;
        }
        best[static_cast<std::size_t>(width)] = index;
    }
    return best;
}

/// Grid of every row for every rule and width: [grids][rows].
std::vector<Grid> gridsOf(const at::Tensor& rows, std::span<const RangeRule> rules, float floor) {
    const std::int64_t count = rows.size(0);
    const std::int64_t n = rows.size(1);
    const float* x = rows.const_data_ptr<float>();
    std::vector<Grid> grids(rules.size() * RoundingLosses::kWidths * static_cast<std::size_t>(count));
    parallelRanges(count, 4, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const float* values = x + row * n;
            const Range range = rowRange(values, n);
            for (std::size_t rule = 0; rule < rules.size(); ++rule) {
                std::array<int, RoundingLosses::kWidths> factors{};
                if (rules[rule].searched)
                    factors = searchFactors(values, n, range, rules[rule].symmetric, floor);
                for (std::size_t width = 0; width < factors.size(); ++width) {
                    const float factor = factorAt(factors[width]);
                    grids[(rule * factors.size() + width) * static_cast<std::size_t>(count) +
                          static_cast<std::size_t>(row)] =
                        makeGrid({range.low * factor, range.high * factor},
                                 kLowestBits + static_cast<int>(width), rules[rule].symmetric, floor);
                }
            }
        }
    });
    return grids;
}

/// The sums of one grid over all rows.
struct GridSums {
    double independent = 0;
    double byRow = 0;
    std::vector<float> errors;  ///< [n] of one row
    std::vector<float> columns; ///< [samples, n] of a chunk of rows
    std::vector<float> squares; ///< [n] of a chunk
};

void flush(std::vector<float>& chunk, double* target) {
    for (std::size_t i = 0; i < chunk.size(); ++i)
        target[i] += static_cast<double>(chunk[i]);
    std::ranges::fill(chunk, 0.0F);
}

} // namespace

RoundingLosses::RoundingLosses(std::vector<RangeRule> rules, float absmaxFloor, std::int64_t samples,
                               std::int64_t n, c10::Device device)
    : m_rules(std::move(rules)), m_floor(absmaxFloor) {
    const auto fp64 = at::TensorOptions().dtype(at::kDouble);
    const auto count = static_cast<std::int64_t>(m_rules.size());
    m_independent = at::zeros({count, kWidths}, fp64);
    m_byRow = at::zeros({count, kWidths}, fp64);
    m_columns = at::zeros({grids(), samples, n}, fp64.device(device));
    m_squares = at::zeros({grids(), n}, fp64.device(device));
}

void RoundingLosses::add(const at::Tensor& rows, const at::Tensor& gradients) {
    TORCH_CHECK(
        rows.dim() == 2 && gradients.dim() == 3 && rows.scalar_type() == at::kFloat &&
            gradients.scalar_type() == at::kFloat && rows.is_contiguous() && gradients.is_contiguous() &&
            gradients.size(0) == m_columns.size(1) && gradients.size(1) == rows.size(0) &&
            gradients.size(2) == rows.size(1) && rows.size(1) == m_squares.size(1),
        "RoundingLosses: rows ", rows.sizes(), " and gradients ", gradients.sizes(), "; expected fp32 [r, ",
        m_squares.size(1), "] and [", m_columns.size(1), ", r, ", m_squares.size(1), "], contiguous");
    rows.is_cpu() ? addOnCpu(rows, gradients) : addWithAten(rows, gradients);
}

void RoundingLosses::addOnCpu(const at::Tensor& rows, const at::Tensor& gradients) {
    const std::int64_t count = rows.size(0);
    const std::int64_t n = rows.size(1);
    const std::int64_t samples = gradients.size(0);
    const float* x = rows.const_data_ptr<float>();
    const float* g = gradients.const_data_ptr<float>();
    const std::vector<Grid> grid = gridsOf(rows, m_rules, m_floor);
    double* columns = m_columns.mutable_data_ptr<double>();
    double* squares = m_squares.mutable_data_ptr<double>();
    double* independent = m_independent.mutable_data_ptr<double>();
    double* byRow = m_byRow.mutable_data_ptr<double>();
    // One grid a task: its sums are added in the order of the rows whatever thread does it.
    parallelRanges(grids(), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t k = begin; k < end; ++k) {
            GridSums sums{0, 0, std::vector<float>(static_cast<std::size_t>(n)),
                          std::vector<float>(static_cast<std::size_t>(samples * n)),
                          std::vector<float>(static_cast<std::size_t>(n))};
            for (std::int64_t row = 0; row < count; ++row) {
                errorRow(x + row * n, sums.errors.data(), sums.squares.data(), n,
                         grid[static_cast<std::size_t>(k * count + row)]);
                for (std::int64_t s = 0; s < samples; ++s) {
                    const ProductSums products = addProducts(sums.errors.data(), g + (s * count + row) * n,
                                                             sums.columns.data() + s * n, n);
                    sums.byRow += products.sum * products.sum;
                    sums.independent += products.squares;
                }
                if ((row + 1) % kChunkRows == 0 || row + 1 == count) {
                    flush(sums.columns, columns + k * samples * n);
                    flush(sums.squares, squares + k * n);
                }
            }
            independent[k] += sums.independent;
            byRow[k] += sums.byRow;
        }
    });
}

void RoundingLosses::addWithAten(const at::Tensor& rows, const at::Tensor& gradients) {
    const RangeTensors range = rangeTensors(rows);
    std::vector<at::Tensor> independent;
    std::vector<at::Tensor> byRow;
    for (std::int64_t k = 0; k < grids(); ++k) {
        const RangeRule& rule = m_rules[static_cast<std::size_t>(k / kWidths)];
        const OperandScheme scheme{kLowestBits + static_cast<int>(k % kWidths), rule.symmetric, 0};
        const RangeTensors chosen =
            rule.searched ? searchRanges(rows, scheme, m_floor, kFactorPercent) : range;
        const GridTensors grid = makeGrids(chosen, scheme, m_floor);
        const at::Tensor errors = gridSteps(rows, grid).mul_(grid.scale).sub_(rows);
        const at::Tensor products = gradients * errors;
        m_columns[k].add_(products.sum(1, false, at::kDouble));
        m_squares[k].add_(errors.square().sum(0, false, at::kDouble));
        byRow.push_back(products.sum(-1, false, at::kDouble).square_().sum());
        independent.push_back(products.square().sum(at::kDouble));
    }
    m_byRow.add_(at::stack(byRow).cpu().view_as(m_byRow));
    m_independent.add_(at::stack(independent).cpu().view_as(m_independent));
}

at::Tensor RoundingLosses::byColumn() const {
    return m_columns.square().sum({1, 2}).cpu().view_as(m_byRow);
}

at::Tensor RoundingLosses::squaredErrors() const {
    return m_squares.cpu().view({m_byRow.size(0), kWidths, m_squares.size(1)});
}

} // namespace bdq::quant
