// Three definitions of Flatness, kept apart (design/bdq.md 3.5): they never share an axis. For all three,
// smaller is flatter. They do not depend on orientation, except that channels are columns of x [tokens, n]
// and of W [out, in].
#pragma once

#include <cstdint>

#include <Eigen/Core>

#include "engine/api/result.h"

namespace bdq::analysis {

/// Mergeable sums from which entropyFlatness is exact, for tensors that never lie in memory as a whole.
struct FlatnessSums {
    double sumSq = 0;       ///< sum of x^2
    double sumSqLogSq = 0;  ///< sum of x^2 ln(x^2), a zero counts 0
    std::int64_t count = 0; ///< entries seen, zeros included

    void add(double value);
    void merge(const FlatnessSums& other);
};

/// F = sum p ln p with p = x^2 / sum x^2: minus the entropy of the energy. BDQ (arXiv 2605.18800) Eq. 12-13
/// with alpha = beta = 1: design/bdq.md 3.5 (i). A tensor of zeros has no energy to distribute: value and
/// normalized are NaN.
struct EntropyFlatness {
    double value = 0;      ///< F in [bound, 0], nat; 0 = all energy in one entry
    double bound = 0;      ///< -ln(count), reached when all entries have the same magnitude
    double normalized = 0; ///< 1 + F / ln(count) in [0, 1]; 0 = flat; 0 for a single entry
};

/// Errors: ShapeMismatch when empty; NonFinite when the sums are not finite.
Result<EntropyFlatness> entropyFlatness(const FlatnessSums& sums);
/// Same for a matrix in memory of any magnitude that double holds.
Result<EntropyFlatness> entropyFlatness(const Eigen::Ref<const Eigen::MatrixXd>& matrix);

/// Distance of the channel magnitudes from their flat vector d' = ||d||/sqrt(N) * ones. FlatQuant (arXiv
/// 2410.09426) Sec. 3: design/transforms.md 3.9.
struct ChannelFlatness {
    double value = 0;      ///< ||d - d'||, unit of the channel norms
    double normalized = 0; ///< value / ||d|| = sqrt(2 (1 - cos t)) in [0, sqrt 2)
};

/// channelNorms [N]: L2 norm of each column; when all are 0, normalized is NaN. Errors: empty, negative or
/// not finite.
Result<ChannelFlatness> channelFlatness(const Eigen::Ref<const Eigen::VectorXd>& channelNorms);

/// Un-normalised reconstruction of the numbers printed in BDQ Fig. 2: q ln q summed over q = x_ij^2/(alpha_i
/// beta_j), alpha_i = mean_j |x_ij|, beta_j = mean_i |x_ij| (design/bdq.md 3.5). Label it "Fig. 2 form"; it
/// grows with the size. Zero rows and columns count 0.
Result<double> figure2Flatness(const Eigen::Ref<const Eigen::MatrixXd>& matrix);

} // namespace bdq::analysis
