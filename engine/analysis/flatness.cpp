#include "engine/analysis/flatness.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "engine/analysis/checks.h"

namespace bdq::analysis {

namespace {
double xLogX(double x) {
    return x > 0 ? x * std::log(x) : 0.0;
}
} // namespace

void FlatnessSums::add(double value) {
    const double energy = value * value;
    sumSq += energy;
    sumSqLogSq += xLogX(energy);
    ++count;
}

void FlatnessSums::merge(const FlatnessSums& other) {
    sumSq += other.sumSq;
    sumSqLogSq += other.sumSqLogSq;
    count += other.count;
}

Result<EntropyFlatness> entropyFlatness(const FlatnessSums& sums) {
    if (sums.count < 1)
        return fail(ErrorCode::ShapeMismatch,
                    "entropyFlatness: count is " + std::to_string(sums.count) + "; expected at least 1");
    if (!std::isfinite(sums.sumSq) || !std::isfinite(sums.sumSqLogSq) || sums.sumSq < 0)
        return fail(ErrorCode::NonFinite, "entropyFlatness: sum of squares is " + numberText(sums.sumSq) +
                                              "; expected a finite number >= 0");
    EntropyFlatness result;
    result.bound = -std::log(static_cast<double>(sums.count));
    if (sums.sumSq == 0) {
        result.value = result.normalized = std::numeric_limits<double>::quiet_NaN();
        return result;
    }
    // The clamp removes rounding only: |F - exact| is a few ulp of ln(count).
    result.value = std::clamp(sums.sumSqLogSq / sums.sumSq - std::log(sums.sumSq), result.bound, 0.0);
    result.normalized = sums.count == 1 ? 0.0 : 1.0 - result.value / result.bound;
    return result;
}

Result<EntropyFlatness> entropyFlatness(const Eigen::Ref<const Eigen::MatrixXd>& matrix) {
    BDQ_CHECK(requireMatrix(matrix, "entropyFlatness: matrix"));
    const double peak = matrix.cwiseAbs().maxCoeff();
    if (peak <= 0) return entropyFlatness(FlatnessSums{0, 0, matrix.size()});
    FlatnessSums sums;
    for (Eigen::Index column = 0; column < matrix.cols(); ++column)
        for (Eigen::Index row = 0; row < matrix.rows(); ++row)
            sums.add(matrix(row, column) / peak); // F has no scale; without the peak x^2 may overflow
    return entropyFlatness(sums);
}

Result<ChannelFlatness> channelFlatness(const Eigen::Ref<const Eigen::VectorXd>& channelNorms) {
    BDQ_CHECK(requireNonNegative(channelNorms, "channelFlatness: channel norms"));
    const double norm = channelNorms.stableNorm();
    if (norm <= 0) return ChannelFlatness{0, std::numeric_limits<double>::quiet_NaN()};
    // By definition rather than by the closed form, which loses half of the digits near flat.
    const double flat = 1.0 / std::sqrt(static_cast<double>(channelNorms.size()));
    ChannelFlatness result;
    result.normalized = ((channelNorms / norm).array() - flat).matrix().norm();
    result.value = norm * result.normalized;
    return result;
}

Result<double> figure2Flatness(const Eigen::Ref<const Eigen::MatrixXd>& matrix) {
    BDQ_CHECK(requireMatrix(matrix, "figure2Flatness: matrix"));
    const Eigen::VectorXd alpha = matrix.cwiseAbs().rowwise().mean();
    const Eigen::RowVectorXd beta = matrix.cwiseAbs().colwise().mean();
    double sum = 0;
    for (Eigen::Index column = 0; column < matrix.cols(); ++column)
        for (Eigen::Index row = 0; row < matrix.rows(); ++row)
            if (matrix(row, column) != 0)
                sum += xLogX((matrix(row, column) / alpha[row]) * (matrix(row, column) / beta[column]));
    return sum;
}

} // namespace bdq::analysis
