// GPTQ (arXiv 2210.17323) one column at a time in double precision, as printed: H^-1 by elimination, no
// blocks. The truth for engine/quant/gptq.h.
#pragma once

#include <cmath>
#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "engine/analysis/reference_quantizer.h"

namespace bdq::reference {

/// Rounds w [out, n] with a damped Hessian h [n, n]; `spec` gives bits, rule and group size, ranges come from
/// the extremes. Returns the dequantized weight.
inline Eigen::MatrixXd gptq(Eigen::MatrixXd w, const Eigen::MatrixXd& h,
                            const analysis::QuantizerSpec& spec) {
    const Eigen::Index n = w.cols();
    const Eigen::MatrixXd inverse = h.llt().solve(Eigen::MatrixXd::Identity(n, n));
    const Eigen::MatrixXd upper = inverse.llt().matrixU();
    const Eigen::Index width = spec.groupSize == 0 ? n : spec.groupSize;
    analysis::QuantizerSpec group = spec;
    group.groupSize = 0;
    Eigen::MatrixXd result(w.rows(), n);
    Eigen::MatrixXd scales;
    Eigen::MatrixXi zeros;
    for (Eigen::Index j = 0; j < n; ++j) {
        if (j % width == 0) {
            const auto rows = quantizeRows(w.middleCols(j, std::min(width, n - j)), group).value();
            scales = rows.scales;
            zeros = rows.zeros;
        }
        const double low =
            spec.rule == analysis::RangeRule::Symmetric ? -std::ldexp(1.0, spec.bits - 1) : 0.0;
        const double high = low + std::ldexp(1.0, spec.bits) - 1;
        for (Eigen::Index row = 0; row < w.rows(); ++row) {
            const double scale = scales(row, 0);
            const double zero = zeros(row, 0);
            const double code = std::clamp(std::nearbyint(w(row, j) / scale) + zero, low, high);
            result(row, j) = scale * (code - zero);
            const double error = (w(row, j) - result(row, j)) / upper(j, j);
            for (Eigen::Index k = j; k < n; ++k)
                w(row, k) -= error * upper(j, k);
        }
    }
    return result;
}

} // namespace bdq::reference
