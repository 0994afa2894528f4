// Everything that shape numbers of a matrix need, from one pass over it.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "engine/analysis/flatness.h"

namespace bdq {

/// Sums over a matrix x [rows, n]; tensors on x's device. Entries whose square is below FLT_MIN count 0 in
/// the sums with a logarithm.
struct MatrixSums {
    at::Tensor columnSquare; ///< fp64 [n], sum over rows of x^2
    at::Tensor columnAbsmax; ///< fp32 [n]
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    double square = 0;       ///< sum x^2
    double fourth = 0;       ///< sum x^4
    double squareLog = 0;    ///< sum x^2 ln x^2
    double rowMaxSquare = 0; ///< sum over rows of (max |x|)^2
    double absmax = 0;
    /// Sum of q ln q with q = x_ij^2 / (alpha_i beta_j), the mean magnitudes of row i and column j; rows and
    /// columns without any count 0. design/bdq.md 3.5, "best reconstruction".
    double figure2 = 0;

    [[nodiscard]] double count() const { return static_cast<double>(rows) * static_cast<double>(columns); }
    [[nodiscard]] analysis::FlatnessSums flatnessSums() const { return {square, squareLog, rows * columns}; }
};

/// x fp32 [rows, n], rows >= 1, CPU or CUDA. Sums of up to 64 values in fp32, over those in fp64, in an order
/// that does not depend on the number of threads.
MatrixSums matrixSums(const at::Tensor& x);
/// The same by whole-tensor operations: what runs on CUDA.
MatrixSums matrixSumsOfTensors(const at::Tensor& x);

/// Share of entries with |x| > threshold.
double shareAbove(const at::Tensor& x, double threshold);

/// Moments of the columns of x fp32 [rows, n], in fp64 throughout; on x's device.
struct ColumnMoments {
    at::Tensor square; ///< fp64 [n], sum x^2
    at::Tensor fourth; ///< fp64 [n], sum x^4
    at::Tensor absmax; ///< fp32 [n]

    /// Takes over `other` when empty.
    void merge(const ColumnMoments& other);
    /// fp64 [n], rows sum x^4 / (sum x^2)^2; 0 for a dead column.
    [[nodiscard]] at::Tensor kurtosis(std::int64_t rows) const;
};
ColumnMoments columnMoments(const at::Tensor& x);

} // namespace bdq
