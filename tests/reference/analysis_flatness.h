// Slow, literal formulas of design/bdq.md 3 and design/transforms.md 3.9 beside engine/analysis/flatness*.
#pragma once

#include <cmath>

#include <Eigen/Core>

namespace bdq::reference {

inline double entropyOf(const Eigen::VectorXd& mass) {
    double entropy = 0;
    for (const double m : mass)
        if (m > 0) entropy -= m / mass.sum() * std::log(m / mass.sum());
    return entropy;
}

/// p of BDQ Eq. 12-13 with alpha = e^-a, beta = e^-b.
inline Eigen::MatrixXd energyShares(const Eigen::MatrixXd& w, const Eigen::VectorXd& a,
                                    const Eigen::VectorXd& b) {
    Eigen::MatrixXd p(w.rows(), w.cols());
    for (Eigen::Index i = 0; i < w.rows(); ++i)
        for (Eigen::Index j = 0; j < w.cols(); ++j)
            p(i, j) = w(i, j) * w(i, j) / (std::exp(-a[i]) * std::exp(-b[j]));
    return p / p.sum();
}

inline double flatness(const Eigen::MatrixXd& p) {
    return -entropyOf(p.reshaped());
}

/// -ln sum_i exp(H_i), H_i = entropy of the normalised row i of p; equals F at a stationary point.
inline double flatnessFromRowEntropies(const Eigen::MatrixXd& p) {
    double sum = 0;
    for (Eigen::Index i = 0; i < p.rows(); ++i)
        if (p.row(i).sum() > 0) sum += std::exp(entropyOf(p.row(i).transpose()));
    return -std::log(sum);
}

/// transforms.md 3.9, closed form: sqrt(2 ||d|| (||d|| - sqrt(N) mean(d))).
inline double channelFlatnessClosedForm(const Eigen::VectorXd& d) {
    return std::sqrt(2 * d.norm() * (d.norm() - std::sqrt(static_cast<double>(d.size())) * d.mean()));
}

} // namespace bdq::reference
