#include "engine/analysis/sqnr_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "engine/analysis/checks.h"

namespace bdq::analysis {

namespace {

bool isPositive(double value) {
    return std::isfinite(value) && value > 0;
}

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();

Status requireEnergy(double value, const char* name) {
    if (std::isfinite(value) && value >= 0) return {};
    return fail(ErrorCode::NonFinite,
                std::string(name) + " is " + numberText(value) + "; expected a finite number >= 0");
}

/// A ratio that a site of zeros does not have is NaN and passes.
Status requireRatio(double value, const char* name) {
    if (isPositive(value) || std::isnan(value)) return {};
    return fail(ErrorCode::NonFinite,
                std::string(name) + " is " + numberText(value) + "; expected a finite number > 0");
}

Result<double> weightedNoise(const Eigen::VectorXd& errors, const Eigen::VectorXd& weights,
                             const char* errorName, const char* weightName) {
    if (errors.size() == 0) return 0.0;
    BDQ_CHECK(requireNonNegative(errors, errorName));
    BDQ_CHECK(requireLength(weights.size(), errors.size(), weightName));
    BDQ_CHECK(requireNonNegative(weights, weightName));
    return errors.dot(weights);
}

} // namespace

double toDb(double ratio) {
    return 10.0 * std::log10(ratio);
}

double fromDb(double decibel) {
    return std::pow(10.0, decibel / 10.0);
}

double parallelSum(double a, double b) {
    if (a <= 0 || b <= 0) return 0;
    return 1.0 / (1.0 / a + 1.0 / b);
}

Result<RowEnergy> rowEnergy(const Eigen::Ref<const Eigen::MatrixXd>& rows, RangeRule rule) {
    BDQ_CHECK(requireMatrix(rows, "rowEnergy: rows"));
    RowEnergy result;
    result.energy = rows.squaredNorm();
    if (rule == RangeRule::Symmetric)
        result.rangeSq = 4.0 * rows.cwiseAbs().rowwise().maxCoeff().squaredNorm();
    else
        result.rangeSq =
            (rows.rowwise().maxCoeff().cwiseMax(0.0) - rows.rowwise().minCoeff().cwiseMin(0.0)).squaredNorm();
    return result;
}

Result<double> concentration(const RowEnergy& rows) {
    BDQ_CHECK(requireEnergy(rows.energy, "concentration: energy"));
    BDQ_CHECK(requireEnergy(rows.rangeSq, "concentration: squared range"));
    return rows.energy > 0 && rows.rangeSq > 0 ? rows.energy / rows.rangeSq : kNoValue;
}

Result<double> alignment(double outputEnergy, double weightEnergy, double inputEnergy) {
    BDQ_CHECK(requireEnergy(outputEnergy, "alignment: output energy"));
    BDQ_CHECK(requireEnergy(weightEnergy, "alignment: weight energy"));
    BDQ_CHECK(requireEnergy(inputEnergy, "alignment: input energy"));
    if (outputEnergy == 0 || weightEnergy == 0 || inputEnergy == 0) return kNoValue;
    return outputEnergy / weightEnergy / inputEnergy;
}

Result<double> alignment(const Eigen::Ref<const Eigen::MatrixXd>& inputMoment,
                         const Eigen::Ref<const Eigen::MatrixXd>& weightMoment) {
    BDQ_CHECK(requireSymmetric(inputMoment, "alignment: input second moment"));
    BDQ_CHECK(requireSymmetric(weightMoment, "alignment: weight second moment"));
    BDQ_CHECK(requireLength(weightMoment.rows(), inputMoment.rows(), "alignment: weight second moment"));
    return alignment(inputMoment.cwiseProduct(weightMoment).sum(), weightMoment.trace(), inputMoment.trace());
}

Result<double> theoremSqnr(const TheoremTerms& terms) {
    BDQ_CHECK(requireBits(terms.inputBits, true));
    BDQ_CHECK(requireBits(terms.weightBits, true));
    BDQ_CHECK(requireRatio(terms.inputConcentration, "theoremSqnr: input concentration"));
    BDQ_CHECK(requireRatio(terms.weightConcentration, "theoremSqnr: weight concentration"));
    BDQ_CHECK(requireRatio(terms.alignment, "theoremSqnr: alignment"));
    if (std::isnan(terms.inputConcentration) || std::isnan(terms.weightConcentration) ||
        std::isnan(terms.alignment))
        return kNoValue;
    const double inputN = intervals(terms.inputBits, terms.inputRule);
    const double weightN = intervals(terms.weightBits, terms.weightRule);
    return 12.0 * terms.alignment *
           parallelSum(inputN * inputN * terms.inputConcentration,
                       weightN * weightN * terms.weightConcentration);
}

Result<double> channelSqnr(const ChannelErrors& errors) {
    BDQ_CHECK(requireEnergy(errors.outputEnergy, "channelSqnr: output energy"));
    BDQ_TRY(const double inputNoise,
            weightedNoise(errors.inputError, errors.weightColumnSq, "channelSqnr: input error",
                          "channelSqnr: weight column energy"));
    BDQ_TRY(const double weightNoise,
            weightedNoise(errors.weightError, errors.inputMeanSquare, "channelSqnr: weight error",
                          "channelSqnr: input mean square"));
    if (errors.outputEnergy == 0) return kNoValue;
    const double noise = inputNoise + weightNoise;
    return noise > 0 ? errors.outputEnergy / noise : std::numeric_limits<double>::infinity();
}

} // namespace bdq::analysis
