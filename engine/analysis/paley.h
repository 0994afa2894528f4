// Paley's Hadamard matrices over finite fields of prime-power order. R. Paley, On orthogonal matrices, 1933.
#pragma once

#include <cstdint>

#include <Eigen/Core>

namespace bdq::analysis {

enum class PaleyKind {
    None, ///< neither construction gives this order
    One,  ///< order q + 1, q a prime power = 3 mod 4
    Two   ///< order 2 (q + 1), q a prime power = 1 mod 4
};

/// Which construction gives a Hadamard matrix of this order. 344 = 7^3 + 1 serves
/// n = 11008.
PaleyKind paleyKind(std::int64_t order);

/// The +-1 matrix H with H H^T = order * I. Precondition: paleyKind(order) != None. In general not symmetric.
Eigen::MatrixXd paleyMatrix(std::int64_t order);

} // namespace bdq::analysis
