#include "engine/calibration/matrix_sums.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <numeric>
#include <vector>

#include <ATen/ATen.h>

#include "engine/calibration/sum_kernels.h"
#include "engine/calibration/sums.h"
#include "engine/quant/parallel.h"

namespace bdq {
namespace {

// A fixed number of partial sums, each over every kPartials-th chunk of rows in order: the same result with
// any thread count.
constexpr std::int64_t kPartials = 16;
constexpr std::int64_t kChunkRows = kFp32Terms;

/// Calls visit(part, firstRow, lastRow) for the chunks of every part, in order within a part.
template <class Visit> void forChunks(std::int64_t rows, Visit visit) {
    const std::int64_t chunks = (rows - 1) / kChunkRows + 1;
    quant::parallelRanges(std::min(kPartials, chunks), 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t part = first; part < last; ++part)
            for (std::int64_t chunk = part; chunk < chunks; chunk += kPartials)
                visit(static_cast<std::size_t>(part), chunk * kChunkRows,
                      std::min(rows, (chunk + 1) * kChunkRows));
    });
}

/// Sums of one part of the rows; columns lie one kind after the other.
struct PartialSums {
    enum Kind : std::int64_t { Magnitude, Square, Weighted, WeightedLog, kKinds };

    std::vector<double> columns; ///< [kKinds, n], empty until a chunk arrives
    std::vector<float> chunk;    ///< the same in fp32
    std::vector<float> max;      ///< [n]
    RowEnergies energies;
    double rowMaxSquare = 0;

    void addChunk(const float* x, std::int64_t rows, std::int64_t n);
    void merge(const PartialSums& other);
};

RowWeight weightOf(double magnitude, std::int64_t n) {
    const double mean = magnitude / static_cast<double>(n);
    if (mean < static_cast<double>(FLT_MIN)) return {};
    return {static_cast<float>(1 / mean), static_cast<float>(std::log(mean))};
}

void PartialSums::addChunk(const float* x, std::int64_t rows, std::int64_t n) {
    const auto size = static_cast<std::size_t>(n);
    columns.resize(kKinds * size);
    max.resize(size);
    chunk.assign(kKinds * size, 0.0F);
    float* const sums = chunk.data();
    const EnergyColumns target{sums + Magnitude * n, max.data(), sums + Square * n, sums + Weighted * n,
                               sums + WeightedLog * n};
    for (std::int64_t row = 0; row < rows; ++row) {
        const float* values = x + row * n;
        const RowMagnitude magnitude = rowMagnitude(values, n);
        const RowEnergies found = addEnergies(values, n, weightOf(magnitude.sum, n), target);
        energies.fourth += found.fourth;
        energies.squareLog += found.squareLog;
        rowMaxSquare += static_cast<double>(magnitude.max) * static_cast<double>(magnitude.max);
    }
    addToDoubles(columns.data(), sums, kKinds * n);
}

void PartialSums::merge(const PartialSums& other) {
    for (std::size_t i = 0; i < columns.size(); ++i)
        columns[i] += other.columns[i];
    for (std::size_t i = 0; i < max.size(); ++i)
        max[i] = std::max(max[i], other.max[i]);
    energies.fourth += other.energies.fourth;
    energies.squareLog += other.energies.squareLog;
    rowMaxSquare += other.rowMaxSquare;
}

/// With q = q_i / beta_j and q_i = x^2 / alpha_i: sum q ln q = sum_j (sum_i q_i ln q_i - ln beta_j sum_i q_i)
/// / beta_j.
double figure2Of(const PartialSums& sums, std::int64_t rows, std::int64_t n) {
    const auto column = [&](PartialSums::Kind kind, std::int64_t j) {
        return sums.columns[static_cast<std::size_t>(kind * n + j)];
    };
    double total = 0;
    for (std::int64_t j = 0; j < n; ++j) {
        const double mean = column(PartialSums::Magnitude, j) / static_cast<double>(rows);
        if (mean < static_cast<double>(FLT_MIN)) continue;
        total +=
            (column(PartialSums::WeightedLog, j) - std::log(mean) * column(PartialSums::Weighted, j)) / mean;
    }
    return total;
}

MatrixSums resultOf(const PartialSums& sums, std::int64_t rows, std::int64_t n) {
    MatrixSums result;
    result.rows = rows;
    result.columns = n;
    const double* squares = sums.columns.data() + PartialSums::Square * n;
    result.columnSquare = at::empty({n}, at::kDouble);
    std::copy_n(squares, n, result.columnSquare.mutable_data_ptr<double>());
    result.columnAbsmax = at::empty({n}, at::kFloat);
    std::copy_n(sums.max.data(), n, result.columnAbsmax.mutable_data_ptr<float>());
    result.square = std::accumulate(squares, squares + n, 0.0);
    result.fourth = sums.energies.fourth;
    result.squareLog = sums.energies.squareLog;
    result.rowMaxSquare = sums.rowMaxSquare;
    result.absmax = static_cast<double>(*std::max_element(sums.max.begin(), sums.max.end()));
    result.figure2 = figure2Of(sums, rows, n);
    return result;
}

void requireMatrix(const at::Tensor& x, const char* name) {
    TORCH_CHECK(x.dim() == 2 && x.numel() > 0 && x.scalar_type() == at::kFloat, name, ": x is ",
                x.scalar_type(), " of ", x.sizes(), "; expected fp32 [rows >= 1, n >= 1]");
}

template <class Visit> void forTensorRows(const at::Tensor& x, Visit visit) {
    constexpr std::int64_t kTensorRows = 1024; // bounds the temporaries
    for (std::int64_t first = 0; first < x.size(0); first += kTensorRows)
        visit(x.narrow(0, first, std::min(kTensorRows, x.size(0) - first)));
}

ColumnMoments momentsOfTensors(const at::Tensor& x) {
    const at::Tensor square = x.to(at::kDouble).square();
    return {square.sum(0), square.square().sum(0), x.abs().amax(0)};
}

} // namespace

MatrixSums matrixSums(const at::Tensor& x) {
    requireMatrix(x, "matrixSums");
    if (!x.is_cpu()) return matrixSumsOfTensors(x);
    const at::Tensor rows = x.contiguous();
    const std::int64_t n = rows.size(1);
    const float* values = rows.const_data_ptr<float>();
    std::vector<PartialSums> parts(kPartials);
    forChunks(rows.size(0), [&](std::size_t part, std::int64_t begin, std::int64_t end) {
        parts[part].addChunk(values + begin * n, end - begin, n);
    });
    for (std::size_t part = 1; part < parts.size() && !parts[part].columns.empty(); ++part)
        parts.front().merge(parts[part]);
    return resultOf(parts.front(), rows.size(0), n);
}

MatrixSums matrixSumsOfTensors(const at::Tensor& x) {
    MatrixSums result;
    result.rows = x.size(0);
    result.columns = x.size(1);
    result.columnSquare = at::zeros({x.size(1)}, x.options().dtype(at::kDouble));
    result.columnAbsmax = at::zeros({x.size(1)}, x.options());
    at::Tensor columnMagnitude = at::zeros_like(result.columnSquare);
    forTensorRows(x, [&](const at::Tensor& part) {
        const at::Tensor magnitude = part.abs();
        const at::Tensor square = part.square();
        columnMagnitude += columnSums(magnitude);
        result.columnSquare += columnSums(square);
        result.columnAbsmax = at::maximum(result.columnAbsmax, magnitude.amax(0));
        result.square += sumOf(square);
        result.fourth += sumOf(square.square());
        result.squareLog += sumOf(at::xlogy(square, square));
        result.rowMaxSquare += sumOf(magnitude.amax(1).square());
    });
    result.absmax = result.columnAbsmax.max().item<double>();
    const at::Tensor columnMean = (columnMagnitude / static_cast<double>(x.size(0))).to(at::kFloat);
    forTensorRows(x, [&](const at::Tensor& part) {
        const at::Tensor q = part.square().div_(part.abs().mean(1, true) * columnMean).nan_to_num_(0, 0, 0);
        result.figure2 += sumOf(at::xlogy(q, q));
    });
    return result;
}

double shareAbove(const at::Tensor& x, double threshold) {
    requireMatrix(x, "shareAbove");
    const auto count = static_cast<double>(x.numel());
    if (!x.is_cpu()) return static_cast<double>((x.abs() > threshold).sum().item<std::int64_t>()) / count;
    const at::Tensor rows = x.contiguous();
    const std::int64_t n = rows.size(1);
    const float* values = rows.const_data_ptr<float>();
    std::vector<std::int64_t> hits(kPartials);
    forChunks(rows.size(0), [&](std::size_t part, std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row)
            hits[part] += countAbove(values + row * n, n, static_cast<float>(threshold));
    });
    return static_cast<double>(std::accumulate(hits.begin(), hits.end(), std::int64_t{0})) / count;
}

void ColumnMoments::merge(const ColumnMoments& other) {
    if (!square.defined()) {
        *this = other;
        return;
    }
    square = square + other.square;
    fourth = fourth + other.fourth;
    absmax = at::maximum(absmax, other.absmax);
}

at::Tensor ColumnMoments::kurtosis(std::int64_t rows) const {
    const at::Tensor variance = square * square;
    const at::Tensor ratio = fourth * static_cast<double>(rows) / variance;
    return at::where(variance > 0, ratio, at::zeros_like(ratio));
}

ColumnMoments columnMoments(const at::Tensor& x) {
    requireMatrix(x, "columnMoments");
    if (!x.is_cpu()) return momentsOfTensors(x);
    const at::Tensor rows = x.contiguous();
    const std::int64_t n = rows.size(1);
    const std::int64_t parts = std::min(kPartials, (rows.size(0) - 1) / kChunkRows + 1);
    const float* values = rows.const_data_ptr<float>();
    const at::Tensor sums = at::zeros({2, parts, n}, at::kDouble);
    const at::Tensor absmax = at::zeros({parts, n}, at::kFloat);
    auto* const square = sums.mutable_data_ptr<double>();
    auto* const fourth = square + parts * n;
    auto* const max = absmax.mutable_data_ptr<float>();
    forChunks(rows.size(0), [&](std::size_t part, std::int64_t begin, std::int64_t end) {
        const auto first = static_cast<std::int64_t>(part) * n;
        for (std::int64_t row = begin; row < end; ++row)
            addMoments(values + row * n, n, square + first, fourth + first, max + first);
    });
    return {sums[0].sum(0), sums[1].sum(0), absmax.amax(0)};
}

} // namespace bdq
