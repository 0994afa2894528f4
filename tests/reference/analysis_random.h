// Reproducible random matrices for the tests of bdq::analysis (std::normal_distribution differs between
// libraries).
#pragma once

#include <cmath>
#include <cstdint>
#include <random>

#include <Eigen/Core>
#include <Eigen/QR>

namespace bdq::reference {

class Random {
public:
    explicit Random(std::uint64_t seed) : m_engine(seed) {}

    double uniform() { return (static_cast<double>(m_engine() >> 11) + 0.5) / 9007199254740992.0; }
    double gaussian() {
        const double radius = std::sqrt(-2 * std::log(uniform()));
        return radius * std::cos(6.283185307179586 * uniform());
    }
    Eigen::MatrixXd gaussian(Eigen::Index rows, Eigen::Index columns) {
        return Eigen::MatrixXd::NullaryExpr(rows, columns, [this] { return gaussian(); });
    }
    Eigen::VectorXd logNormal(Eigen::Index size, double sigma) {
        return Eigen::VectorXd::NullaryExpr(size, [&] { return std::exp(sigma * gaussian()); });
    }
    /// Gaussian entries times row, column and entry factors exp(sigma g): outlier rows, columns and single
    /// outliers.
    Eigen::MatrixXd heavyTailed(Eigen::Index rows, Eigen::Index columns, double sigma) {
        Eigen::MatrixXd matrix = gaussian(rows, columns);
        matrix = matrix.unaryExpr([&](double x) { return x * std::exp(sigma * gaussian()); });
        return logNormal(rows, sigma).asDiagonal() * matrix * logNormal(columns, sigma).asDiagonal();
    }
    Eigen::MatrixXd orthogonal(Eigen::Index n) {
        return Eigen::HouseholderQR<Eigen::MatrixXd>(gaussian(n, n)).householderQ();
    }

private:
    std::mt19937_64 m_engine;
};

} // namespace bdq::reference
