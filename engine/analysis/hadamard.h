// Hadamard rotations of any size: Sylvester, Paley over GF(q), Kronecker products of them, block-diagonal as
// last resort (design/transforms.md 4.1). Orientation: x [tokens, n] -> x P, W [out, n] -> W P^-T; here P =
// diag(signs) H is orthogonal, so both get the same P. H is NOT symmetric in general: undo with its
// transpose.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <Eigen/Core>

#include "engine/api/result.h"

namespace bdq::analysis {

/// Largest size that any function of this header plans for.
inline constexpr std::int64_t kMaxHadamardSize = 1 << 20;

/// Orders whose Kronecker product is n: Paley orders ascending, then one power of two, e.g. 576 = 12 * 12 *
/// 4; {1} for n = 1. Empty optional unless 1 <= n <= kMaxHadamardSize and such a product exists (every order
/// above 2 is a multiple of 4; 92, 172 are not Paley).
std::optional<std::vector<std::int64_t>> hadamardFactors(std::int64_t n);

/// The +-1 matrix of the product above, H H^T = n I. Errors: Unsupported when there is none; InvalidSpec
/// unless 1 <= n <= kMaxDenseHadamard (128 MiB).
inline constexpr std::int64_t kMaxDenseHadamard = 4096;
Result<Eigen::MatrixXd> hadamardMatrix(std::int64_t n);

/// H = blockdiag of `blocks` copies of kron(factors[0], factors[1]) / sqrt(blockSize).
/// Apply to rows: view x as [tokens * blocks, a, b] with a, b the orders of the two factors, then
/// V -> factors[0]^T V factors[1] / sqrt(a b); with one factor, [tokens * blocks, a] -> x factors[0] /
/// sqrt(a).
struct HadamardPlan {
    std::int64_t size = 0;   ///< n
    std::int64_t blocks = 1; ///< 1, or > 1 when n has no construction: the named fallback "block Hadamard"
    /// One or two +-1 matrices, orders as close to sqrt(n / blocks) as possible.
    std::vector<Eigen::MatrixXd> factors;

    [[nodiscard]] std::int64_t blockSize() const { return size / blocks; }
    [[nodiscard]] bool isBlockFallback() const { return blocks > 1; }
};

/// Errors: InvalidSpec unless 1 <= n <= kMaxHadamardSize.
Result<HadamardPlan> hadamardPlan(std::int64_t n);

/// rows [m, n] -> rows H, by the two small products. Errors: ShapeMismatch.
Result<Eigen::MatrixXd> applyHadamard(const HadamardPlan& plan,
                                      const Eigen::Ref<const Eigen::MatrixXd>& rows);

/// The orthogonal H [n, n] of a plan, for tests and small sizes. Errors: InvalidSpec above kMaxDenseHadamard.
Result<Eigen::MatrixXd> denseHadamard(const HadamardPlan& plan);

/// n values +-1: the top bit of each splitmix64 output (0 = +1). The same on every platform. n >= 0.
Eigen::VectorXd randomSigns(std::int64_t n, std::uint64_t seed);

} // namespace bdq::analysis
