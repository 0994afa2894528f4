// Signal-to-quantization-noise ratio of a linear y = x W^T, x [tokens, n], W [out, in]: CAT's theorem, which
// explains (concentration, alignment), and the per-channel rounding errors, which predict
// (design/measurements.md, last table). All ratios are linear energy ratios unless the name ends in Db.
#pragma once

#include <Eigen/Core>

#include "engine/analysis/quantizer_range.h"
#include "engine/api/result.h"

namespace bdq::analysis {

double toDb(double ratio);
double fromDb(double decibel);
/// a || b = 1 / (1/a + 1/b) for a, b in [0, infinity]; infinity is "no noise".
double parallelSum(double a, double b);

/// Energy and squared quantization range summed over rows (tokens of x, output rows of W). Sums or means:
/// only the ratio counts, so accumulated E||x||^2 and E[r^2] do as well.
struct RowEnergy {
    double energy = 0;  ///< sum ||row||^2
    double rangeSq = 0; ///< sum r(row)^2
};
Result<RowEnergy> rowEnergy(const Eigen::Ref<const Eigen::MatrixXd>& rows, RangeRule rule);

/// C = E||x||^2 / E[r^2]. CAT (arXiv 2603.04359) Lemmas 2.2 and 2.3. At least 1/4 (symmetric), 1/2
/// (asymmetric). NaN for zeros. Errors: NonFinite unless both are finite and >= 0.
Result<double> concentration(const RowEnergy& rows);

/// A = E||Wx||^2 / (||W||_F^2 E||x||^2) in (0, 1]. CAT Theorem 2.4. NaN where one of them is 0. Errors:
/// NonFinite unless all are finite and >= 0.
Result<double> alignment(double outputEnergy, double weightEnergy, double inputEnergy);
/// Same from the second moments Sx = E[x^T x] [n, n] and Sw = W^T W [n, n].
Result<double> alignment(const Eigen::Ref<const Eigen::MatrixXd>& inputMoment,
                         const Eigen::Ref<const Eigen::MatrixXd>& weightMoment);

struct TheoremTerms {
    double inputConcentration = 1;
    double weightConcentration = 1;
    double alignment = 1;
    int inputBits = 8;  ///< 2..8 or 16
    int weightBits = 8; ///< 2..8 or 16
    RangeRule inputRule = RangeRule::Symmetric;
    RangeRule weightRule = RangeRule::Symmetric;
};
/// 12 (Nx^2 C(x) || Nw^2 C(W)) A, CAT Theorem 2.4 with N = intervals(): design/cat_wush.md 1. Infinity for
/// 16/16 bits, NaN where a term is NaN. Within 0.3 dB with a Hadamard; too low where most values of a token
/// round to zero (outliers, no transform).
Result<double> theoremSqnr(const TheoremTerms& terms);

/// Per-channel rounding errors of one (site, transform, bits), in the transformed space. Ours:
/// design/measurements.md.
struct ChannelErrors {
    double outputEnergy = 0;         ///< E||Wx||^2, per token, the same for every transform
    Eigen::VectorXd inputError;      ///< [n] D_i = E[(Q(x)_i - x_i)^2]; empty = inputs untouched
    Eigen::VectorXd weightError;     ///< [n] e_i = sum_o (Q(W)_oi - W_oi)^2; empty = weights untouched
    Eigen::VectorXd inputMeanSquare; ///< [n] E[x_i^2]; used with weightError
    Eigen::VectorXd weightColumnSq;  ///< [n] ||W[:,i]||^2; used with inputError
};
/// outputEnergy / (sum_i D_i ||W[:,i]||^2 + sum_i E[x_i^2] e_i); infinity without noise, NaN without energy.
/// Treats rounding errors of different channels as uncorrelated. Errors: lengths differ, negative or not
/// finite.
Result<double> channelSqnr(const ChannelErrors& errors);

} // namespace bdq::analysis
