// DuQuant's two block rotations with a permutation between them (arXiv 2406.01721), fitted greedily to
// sampled inputs. Orientation: x [tokens, n] -> x R1 P R2, all of them orthogonal.
#pragma once

#include <cstdint>

#include <Eigen/Core>

#include <ATen/core/Tensor.h>

namespace bdq::transform {

/// The paper's block, 2^7.
inline constexpr std::int64_t kDuQuantBlock = 128;
/// Greedy steps of one rotation.
inline constexpr int kDuQuantSteps = 256;
/// Migration strength of its smoothing with nearest rounding.
inline constexpr double kDuQuantAlpha = 0.6;

/// Largest power of two up to 128 that divides n: blocks share one matrix and the permutation deals channels
/// to them evenly, so every block has the same size.
std::int64_t duQuantBlock(std::int64_t channels);

/// Orthogonal [k, k], k a power of two: Sylvester's Hadamard / sqrt(k), whose first row is uniform, times
/// blockdiag(1, random orthogonal k - 1). The outlier that is brought to channel 0 is spread evenly over the
/// first column and at random over the others (section 4.2 of the paper).
Eigen::MatrixXd duQuantBase(std::int64_t size, std::uint64_t seed);

/// One rotation for all blocks of k = base.rows() channels, fp64 [k, k]. Each of 256 steps takes the channel
/// within its block of the entry of largest magnitude, swaps it with channel 0 in rows and columns of `base`
/// and multiplies; the steps up to the one with the smallest max - min over the sample are kept, at least
/// one. `x` fp32 or fp64 [rows, n], k divides n; its products are computed in its type, the rotation in
/// fp64. The released code takes the row of that entry where the paper means
/// its column; this is the paper's rule (design/transforms.md 4.5).
at::Tensor greedyRotation(const at::Tensor& x, const Eigen::MatrixXd& base, int steps = kDuQuantSteps);

/// int64 [n]: channels by descending `absmax` [n], dealt to blocks 1..K, then K..1, and so on; position j of
/// the result holds the channel that goes there.
at::Tensor zigzagPermutation(const at::Tensor& absmax, std::int64_t block);

/// R1, P and R2 for smoothed inputs x fp32 or fp64 [rows, n].
struct DuQuantRotations {
    at::Tensor first;       ///< fp64 [k, k]
    at::Tensor permutation; ///< int64 [n]
    at::Tensor second;      ///< fp64 [k, k]
};
DuQuantRotations fitDuQuant(const at::Tensor& x, std::int64_t block, std::uint64_t seed);

} // namespace bdq::transform
