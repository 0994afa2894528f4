// CAT's symmetric form by matrix square roots, and alignment by its definition (design/cat_wush.md 1 and 3),
// beside engine/analysis/closed_forms.
#pragma once

#include <cmath>

#include <Eigen/Dense>

namespace bdq::reference {

inline Eigen::MatrixXd symmetricPower(const Eigen::MatrixXd& a, double exponent) {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver((a + a.transpose()) / 2);
    return solver.eigenvectors() * solver.eigenvalues().array().pow(exponent).matrix().asDiagonal() *
           solver.eigenvectors().transpose();
}

/// A # B = A^1/2 (A^-1/2 B A^-1/2)^1/2 A^1/2.
inline Eigen::MatrixXd geometricMean(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
    const Eigen::MatrixXd root = symmetricPower(a, 0.5);
    const Eigen::MatrixXd inverseRoot = symmetricPower(a, -0.5);
    return root * symmetricPower(inverseRoot * b * inverseRoot, 0.5) * root;
}

/// M = (Sw # Sx^-1)^1/2, CAT Eq. 7; symmetric, so it acts on rows and columns alike.
inline Eigen::MatrixXd catSymmetricBlock(const Eigen::MatrixXd& sx, const Eigen::MatrixXd& sw) {
    return symmetricPower(geometricMean(sw, sx.inverse()), 0.5);
}

/// A after x -> x P, W -> W P^-T, from the definition.
inline double alignmentAfter(const Eigen::MatrixXd& sx, const Eigen::MatrixXd& sw, const Eigen::MatrixXd& p) {
    const Eigen::MatrixXd q = p.inverse().transpose();
    return (sx * sw).trace() / ((p.transpose() * sx * p).trace() * (q.transpose() * sw * q).trace());
}

inline double decibel(double ratio) {
    return 10 * std::log10(ratio);
}

} // namespace bdq::reference
