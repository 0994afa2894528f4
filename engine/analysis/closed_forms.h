// Transforms computed without training. Orientation: x [tokens, n], W [out, n] (torch), y = x W^T; a
// transform P acts on rows, x -> x P and W -> W P^-T. Second moments: Sx = E[x^T x] (not centred), Sw = W^T
// W, stacked over the tensors that share the site. A "diagonal" is the multiplier on x; W is divided by it.
#pragma once

#include <cstdint>
#include <vector>

#include <Eigen/Core>

#include "engine/api/result.h"

namespace bdq::analysis {

struct ChannelScale {
    Eigen::VectorXd scale;          ///< [n] > 0, geometric mean 1
    std::vector<std::int64_t> dead; ///< channels with a zero input moment or a zero column of W
};

/// m_i = (||W[:,i]||^2 / E[x_i^2])^(1/4). CAT (arXiv 2603.04359) Eq. 7 with k = 1, corrected 4th root (the
/// printed square root is wrong): design/cat_wush.md 3.1(3). Start of BDQ's diagonal: design/product.md 8. A
/// moment below 1e-9 of the mean is raised to that, so a dead channel gets a finite scale; where all moments
/// of one side are zero, that side does not weigh. Errors: lengths differ, negative or not finite.
Result<ChannelScale> catDiagonal(const Eigen::Ref<const Eigen::VectorXd>& weightColumnSq,
                                 const Eigen::Ref<const Eigen::VectorXd>& inputMeanSquare);

/// 1/s with s_j = max|X_j|^alpha / max|W_j|^(1-alpha) >= 1e-5, maxima >= 1e-5; not normalised. SmoothQuant
/// (arXiv 2211.10438) Eq. 4: design/transforms.md 4.3. alpha in [0, 1].
Result<Eigen::VectorXd> smoothQuantDiagonal(const Eigen::Ref<const Eigen::VectorXd>& inputAbsMax,
                                            const Eigen::Ref<const Eigen::VectorXd>& weightAbsMax,
                                            double alpha);

/// A pair that leaves x W^T alone: x -> x transform, W -> W inverseTranspose, both [k, k].
struct BlockTransform {
    Eigen::MatrixXd transform;        ///< P
    Eigen::MatrixXd inverseTranspose; ///< P^-T
    Eigen::VectorXd spectrum;         ///< [k] descending: both transformed second moments are diag(spectrum)
};

/// Damping rho for a block: 1e-2 with fewer than 512 calibration tokens, else 1e-3. design/cat_wush.md 9.
double blockDamping(std::int64_t tokens);

/// Optimal alignment of one diagonal block [k, k] by Cholesky + SVD, Sx and Sw damped by rho * trace/k. WUSH
/// (arXiv 2512.00956) without its Hadamard = CAT Eq. 10 up to a rotation: design/cat_wush.md 4. Blocks need
/// no relative scale. rho in [0, 1); an all-zero moment counts as the identity. Errors: shapes, not
/// symmetric, not positive definite. 1.1 ms for k = 64, 5 ms for k = 128 (one core).
Result<BlockTransform> catBlock(const Eigen::Ref<const Eigen::MatrixXd>& inputMoment,
                                const Eigen::Ref<const Eigen::MatrixXd>& weightMoment, double rho);

/// Largest alignment that a block-diagonal transform with blocks of k channels reaches:
/// Tr(Sx Sw) / (sum over blocks of Tr (Sx^1/2 Sw Sx^1/2)^1/2)^2; k = n is CAT's bound (Eq. 9 corrected), k =
/// 1 the diagonal. design/cat_wush.md 3.1 and 3.2. The last block may be shorter. Positive semi-definite
/// moments will do; NaN where an output is zero. Cost n k^2: 4 ms at n 576, k 64; 1.8 s at n = k = 1536 (one
/// core).
Result<double> alignmentBound(const Eigen::Ref<const Eigen::MatrixXd>& inputMoment,
                              const Eigen::Ref<const Eigen::MatrixXd>& weightMoment, std::int64_t blockSize);

/// Orthogonal O [k, k] for BDQ without training, x -> (x D) O: eigenvectors of (D Sx D)/tr + (D^-1 Sw
/// D^-1)/tr of the block, ascending, each with its largest entry positive. The Hadamard after it then gives
/// every channel of the block the same summed second moment. Ours; D from catDiagonal. diagonal [k] > 0.
Result<Eigen::MatrixXd> bdqBlockRotation(const Eigen::Ref<const Eigen::MatrixXd>& inputMoment,
                                         const Eigen::Ref<const Eigen::MatrixXd>& weightMoment,
                                         const Eigen::Ref<const Eigen::VectorXd>& diagonal);

} // namespace bdq::analysis
