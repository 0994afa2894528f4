// Plain double loops for methods that learn rotations: one step of Cayley SGD (SpinQuant, arXiv 2405.16406,
// Eq. 5) and of Riemannian Adam (arXiv 1810.00760), and the principal axes of rows (OSTQuant's WOMI, arXiv
// 2501.13987). Matrices are row-major [n][n].
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace bdq::reference {

using Matrix = std::vector<std::vector<double>>;

inline Matrix zeros(std::size_t rows, std::size_t columns) {
    return Matrix(rows, std::vector<double>(columns, 0.0));
}

inline Matrix transposed(const Matrix& a) {
    Matrix t = zeros(a[0].size(), a.size());
    for (std::size_t i = 0; i < a.size(); ++i)
        for (std::size_t j = 0; j < a[0].size(); ++j)
            t[j][i] = a[i][j];
    return t;
}

inline Matrix product(const Matrix& a, const Matrix& b) {
    Matrix c = zeros(a.size(), b[0].size());
    for (std::size_t i = 0; i < a.size(); ++i)
        for (std::size_t j = 0; j < b[0].size(); ++j)
            for (std::size_t k = 0; k < b.size(); ++k)
                c[i][j] += a[i][k] * b[k][j];
    return c;
}

/// a + factor b
inline Matrix sum(const Matrix& a, const Matrix& b, double factor) {
    Matrix c = a;
    for (std::size_t i = 0; i < a.size(); ++i)
        for (std::size_t j = 0; j < a[0].size(); ++j)
            c[i][j] += factor * b[i][j];
    return c;
}

inline Matrix identity(std::size_t n) {
    Matrix one = zeros(n, n);
    for (std::size_t i = 0; i < n; ++i)
        one[i][i] = 1;
    return one;
}

/// X with a X = b, by elimination with pivots.
inline Matrix solve(Matrix a, Matrix b) {
    const std::size_t n = a.size();
    for (std::size_t k = 0; k < n; ++k) {
        std::size_t best = k;
        for (std::size_t i = k; i < n; ++i)
            if (std::abs(a[i][k]) > std::abs(a[best][k])) best = i;
        std::swap(a[k], a[best]);
        std::swap(b[k], b[best]);
        for (std::size_t i = 0; i < n; ++i) {
            if (i == k) continue;
            const double factor = a[i][k] / a[k][k];
            for (std::size_t j = 0; j < n; ++j)
                a[i][j] -= factor * a[k][j];
            for (std::size_t j = 0; j < b[0].size(); ++j)
                b[i][j] -= factor * b[k][j];
        }
    }
    for (std::size_t i = 0; i < n; ++i)
        for (double& value : b[i])
            value /= a[i][i];
    return b;
}

/// design/transforms.md 4.2 with momentum 0 and the exact form of the last line.
inline Matrix cayleySgdStep(const Matrix& x, const Matrix& gradient, double rate) {
    const std::size_t n = x.size();
    const Matrix v = sum(zeros(n, n), transposed(gradient), -1);
    const Matrix m = product(v, x);
    const Matrix hat = sum(m, product(transposed(x), product(x, m)), -0.5);
    const Matrix a = sum(hat, transposed(hat), -1);
    double norm = 0; // the 1-norm: largest sum of a column
    for (std::size_t j = 0; j < n; ++j) {
        double column = 0;
        for (std::size_t i = 0; i < n; ++i)
            column += std::abs(a[i][j]);
        norm = std::max(norm, column);
    }
    const double alpha = std::min(rate, 1 / (norm + 1e-8));
    const Matrix one = identity(n);
    return transposed(solve(sum(one, a, -alpha / 2), product(sum(one, a, alpha / 2), transposed(x))));
}

/// First and later steps of Riemannian Adam; the moments live here.
struct RiemannianAdamReference {
    Matrix mean;
    double square = 0;
    int steps = 0;

    Matrix step(const Matrix& x, const Matrix& gradient, double rate) {
        const std::size_t n = x.size();
        const Matrix moved = product(gradient, transposed(x));
        const Matrix skew = sum(moved, transposed(moved), -1);
        if (mean.empty()) mean = zeros(n, n);
        double length = 0;
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j) {
                mean[i][j] = 0.9 * mean[i][j] + 0.1 * skew[i][j];
                length += skew[i][j] * skew[i][j] / 2;
            }
        square = 0.999 * square + 0.001 * length;
        ++steps;
        const double bias = 1 - std::pow(0.9, steps);
        const double root = std::sqrt(square / (1 - std::pow(0.999, steps))) + 1e-8;
        const double half = rate / bias / root / 2;
        const Matrix one = identity(n);
        return solve(sum(one, mean, half), product(sum(one, mean, -half), x));
    }
};

/// Eigenvectors in columns of a symmetric matrix by ascending eigenvalue, each with its largest entry
/// positive: Jacobi rotations until nothing is left beside the diagonal.
inline Matrix principalAxes(Matrix a) {
    const std::size_t n = a.size();
    Matrix axes = identity(n);
    for (int sweep = 0; sweep < 60; ++sweep)
        for (std::size_t p = 0; p < n; ++p)
            for (std::size_t q = p + 1; q < n; ++q) {
                if (a[p][q] == 0) continue;
                const double angle = std::atan2(2 * a[p][q], a[q][q] - a[p][p]) / 2;
                Matrix turn = identity(n);
                turn[p][p] = turn[q][q] = std::cos(angle);
                turn[p][q] = std::sin(angle);
                turn[q][p] = -std::sin(angle);
                a = product(transposed(turn), product(a, turn));
                axes = product(axes, turn);
            }
    std::vector<std::size_t> order(n);
    for (std::size_t i = 0; i < n; ++i)
        order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return a[i][i] < a[j][j]; });
    Matrix sorted = zeros(n, n);
    for (std::size_t j = 0; j < n; ++j) {
        double largest = 0;
        for (std::size_t i = 0; i < n; ++i)
            if (std::abs(axes[i][order[j]]) > std::abs(largest)) largest = axes[i][order[j]];
        for (std::size_t i = 0; i < n; ++i)
            sorted[i][j] = largest < 0 ? -axes[i][order[j]] : axes[i][order[j]];
    }
    return sorted;
}

/// Covariance [n][n] of rows around their mean.
inline Matrix covariance(const Matrix& rows) {
    const std::size_t n = rows[0].size();
    const auto count = static_cast<double>(rows.size());
    std::vector<double> mean(n, 0.0);
    for (const auto& row : rows)
        for (std::size_t j = 0; j < n; ++j)
            mean[j] += row[j] / count;
    Matrix c = zeros(n, n);
    for (const auto& row : rows)
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j)
                c[i][j] += (row[i] - mean[i]) * (row[j] - mean[j]) / count;
    return c;
}

} // namespace bdq::reference
