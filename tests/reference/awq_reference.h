// AWQ (arXiv 2306.00978) as plain loops in double precision over tokens and weights: the truth for
// engine/transform/awq.h and engine/quant/output_mse.h. Errors are summed over the tokens themselves.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/api/quant_scheme.h"

namespace bdq::reference {

using Matrix = std::vector<std::vector<double>>; ///< rows of equal length

/// w[begin, end) to the nearest code of the grid from the range [low, high] that holds 0, clamped to it
/// first.
inline void roundGroup(std::vector<double>& w, std::size_t begin, std::size_t end, double low, double high,
                       const OperandScheme& scheme) {
    const double top =
        scheme.symmetric ? std::ldexp(1.0, scheme.bits - 1) - 1 : std::ldexp(1.0, scheme.bits) - 1;
    const double scale = scheme.symmetric ? std::max(std::max(high, -low), 1e-5) / top : (high - low) / top;
    const double zero = scheme.symmetric ? 0 : std::nearbyint(-low / scale);
    const double lowest = scheme.symmetric ? -top - 1 : 0;
    for (std::size_t i = begin; i < end; ++i) {
        const double clamped = std::clamp(w[i], low, high);
        w[i] = scale * (std::clamp(std::nearbyint(clamped / scale) + zero, lowest, top) - zero);
    }
}

/// Q(w) with every group's range shrunk to +-p max|w|.
inline Matrix rounded(Matrix w, const OperandScheme& scheme, double p) {
    for (std::vector<double>& row : w) {
        const std::size_t width =
            scheme.groupSize == 0 ? row.size() : static_cast<std::size_t>(scheme.groupSize);
        for (std::size_t begin = 0; begin < row.size(); begin += width) {
            const std::size_t end = std::min(row.size(), begin + width);
            double low = 0;
            double high = 0;
            for (std::size_t i = begin; i < end; ++i) {
                low = std::min(low, row[i]);
                high = std::max(high, row[i]);
            }
            const double limit = p * std::max(high, -low);
            roundGroup(row, begin, end, std::max(low, -limit), std::min(high, limit), scheme);
        }
    }
    return w;
}

/// Mean over tokens of || x (W^ - W)^T ||^2, columns [begin, end) of the row `row` only.
inline double rowError(const Matrix& x, const std::vector<double>& w, const std::vector<double>& other,
                       std::size_t begin, std::size_t end) {
    double sum = 0;
    for (const std::vector<double>& token : x) {
        double y = 0;
        for (std::size_t i = begin; i < end; ++i)
            y += token[i] * (other[i] - w[i]);
        sum += y * y;
    }
    return sum / static_cast<double>(x.size());
}

struct AwqSearch {
    std::vector<double> scale; ///< s of the best exponent
    double exponent = 0;
    double error = 0;
};

/// Twenty exponents, scale normalised by sqrt(max min), error of the linear layer's own output.
inline AwqSearch awqSearch(const Matrix& x, const Matrix& w, const OperandScheme& scheme) {
    const std::size_t n = w[0].size();
    std::vector<double> mean(n, 0.0);
    for (const std::vector<double>& token : x)
        for (std::size_t i = 0; i < n; ++i)
            mean[i] += std::abs(token[i]) / static_cast<double>(x.size());
    AwqSearch best;
    for (int step = 0; step < 20; ++step) {
        std::vector<double> scale(n);
        for (std::size_t i = 0; i < n; ++i)
            scale[i] = std::max(std::pow(mean[i], step / 20.0), 1e-4);
        const auto [low, high] = std::minmax_element(scale.begin(), scale.end());
        const double centre = std::sqrt(*low * *high);
        for (double& s : scale)
            s /= centre;
        Matrix scaled = w;
        for (std::vector<double>& row : scaled)
            for (std::size_t i = 0; i < n; ++i)
                row[i] *= scale[i];
        Matrix back = rounded(scaled, scheme, 1);
        double error = 0;
        for (std::size_t r = 0; r < w.size(); ++r) {
            for (std::size_t i = 0; i < n; ++i)
                back[r][i] /= scale[i];
            error += rowError(x, w[r], back[r], 0, n);
        }
        if (step == 0 || error < best.error) best = {scale, step / 20.0, error};
    }
    return best;
}

/// The clipping search: per group the p of 1, 0.95 .. 0.55 with the smallest error of the group's part of the
/// output.
inline Matrix clippedToOutput(const Matrix& x, const Matrix& w, const OperandScheme& scheme) {
    Matrix best = rounded(w, scheme, 1);
    const std::size_t n = w[0].size();
    const std::size_t width = scheme.groupSize == 0 ? n : static_cast<std::size_t>(scheme.groupSize);
    for (int step = 1; step < 10; ++step) {
        const Matrix tried = rounded(w, scheme, 1 - step / 20.0);
        for (std::size_t r = 0; r < w.size(); ++r)
            for (std::size_t begin = 0; begin < n; begin += width) {
                const std::size_t end = std::min(n, begin + width);
                if (rowError(x, w[r], tried[r], begin, end) < rowError(x, w[r], best[r], begin, end))
                    std::copy(tried[r].begin() + static_cast<std::ptrdiff_t>(begin),
                              tried[r].begin() + static_cast<std::ptrdiff_t>(end),
                              best[r].begin() + static_cast<std::ptrdiff_t>(begin));
            }
    }
    return best;
}

} // namespace bdq::reference
