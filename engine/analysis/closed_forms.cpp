#include "engine/analysis/closed_forms.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <Eigen/SVD>

#include "engine/analysis/checks.h"

namespace bdq::analysis {

namespace {

constexpr double kMomentFloor =
    1e-9; ///< of the mean: 3e-5 in amplitude, below any channel that carries signal
constexpr double kSmoothFloor = 1e-5;
constexpr std::int64_t kFewTokens = 512;

Status requireMomentPair(const Eigen::Ref<const Eigen::MatrixXd>& inputMoment,
                         const Eigen::Ref<const Eigen::MatrixXd>& weightMoment) {
    BDQ_CHECK(requireSymmetric(inputMoment, "input second moment"));
    BDQ_CHECK(requireSymmetric(weightMoment, "weight second moment"));
    return requireLength(weightMoment.rows(), inputMoment.rows(), "weight second moment");
}

Result<Eigen::VectorXd> flooredMoments(const Eigen::Ref<const Eigen::VectorXd>& moments, const char* who) {
    BDQ_CHECK(requireNonNegative(moments, who));
    const double mean = moments.mean();
    if (mean <= 0) return Eigen::VectorXd(Eigen::VectorXd::Ones(moments.size())); // nothing to weigh by
    return Eigen::VectorXd(moments.cwiseMax(kMomentFloor * mean));
}

/// Lower Cholesky factor of moment + rho * mean diagonal * I.
Result<Eigen::MatrixXd> dampedCholesky(const Eigen::Ref<const Eigen::MatrixXd>& moment, double rho,
                                       const char* who) {
    const double mean = moment.trace() / static_cast<double>(moment.rows());
    Eigen::MatrixXd damped = moment;
    if (moment.isZero(0.0))
        damped.setIdentity();
    else
        damped.diagonal().array() += rho * mean;
    const Eigen::LLT<Eigen::MatrixXd> cholesky(damped);
    const Eigen::MatrixXd factor = cholesky.matrixL();
    if (cholesky.info() != Eigen::Success || !factor.allFinite())
        return fail(ErrorCode::NonFinite, std::string(who) + " [" + std::to_string(moment.rows()) +
                                              " x same] is not positive definite with damping " +
                                              numberText(rho) +
                                              "; expected a second moment, or more damping");
    return factor;
}

/// Tr (A^1/2 B A^1/2)^1/2 = sum of the square roots of the eigenvalues of F^T B F for any A = F F^T.
double geometricTrace(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
    const Eigen::LDLT<Eigen::MatrixXd> ldlt(a); // pivoted, so a semi-definite moment will do
    Eigen::MatrixXd factor = ldlt.matrixL();
    factor = ldlt.transpositionsP().transpose() * factor;
    factor = factor * ldlt.vectorD().cwiseMax(0.0).cwiseSqrt().asDiagonal();
    const Eigen::MatrixXd inner = factor.transpose() * b * factor;
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(inner, Eigen::EigenvaluesOnly);
    return solver.eigenvalues().cwiseMax(0.0).cwiseSqrt().sum();
}

} // namespace

Result<ChannelScale> catDiagonal(const Eigen::Ref<const Eigen::VectorXd>& weightColumnSq,
                                 const Eigen::Ref<const Eigen::VectorXd>& inputMeanSquare) {
    BDQ_CHECK(requireLength(inputMeanSquare.size(), weightColumnSq.size(), "catDiagonal: input mean square"));
    BDQ_TRY(const Eigen::VectorXd weight,
            flooredMoments(weightColumnSq, "catDiagonal: weight column energy"));
    BDQ_TRY(const Eigen::VectorXd input, flooredMoments(inputMeanSquare, "catDiagonal: input mean square"));
    const Eigen::ArrayXd logScale = (weight.array().log() - input.array().log()) / 4;
    ChannelScale result;
    result.scale = (logScale - logScale.mean()).exp();
    for (Eigen::Index i = 0; i < weight.size(); ++i)
        if (weightColumnSq[i] < weight[i] || inputMeanSquare[i] < input[i]) result.dead.push_back(i);
    return result;
}

Result<Eigen::VectorXd> smoothQuantDiagonal(const Eigen::Ref<const Eigen::VectorXd>& inputAbsMax,
                                            const Eigen::Ref<const Eigen::VectorXd>& weightAbsMax,
                                            double alpha) {
    if (!(alpha >= 0 && alpha <= 1))
        return fail(ErrorCode::InvalidSpec,
                    "smoothQuantDiagonal: alpha is " + numberText(alpha) + "; expected 0..1");
    BDQ_CHECK(requireNonNegative(inputAbsMax, "smoothQuantDiagonal: input maxima"));
    BDQ_CHECK(requireNonNegative(weightAbsMax, "smoothQuantDiagonal: weight maxima"));
    BDQ_CHECK(requireLength(weightAbsMax.size(), inputAbsMax.size(), "smoothQuantDiagonal: weight maxima"));
    const Eigen::ArrayXd divisor = inputAbsMax.array().max(kSmoothFloor).pow(alpha) /
                                   weightAbsMax.array().max(kSmoothFloor).pow(1.0 - alpha);
    return Eigen::VectorXd(divisor.max(kSmoothFloor).inverse());
}

double blockDamping(std::int64_t tokens) {
    return tokens < kFewTokens ? 1e-2 : 1e-3;
}

Result<BlockTransform> catBlock(const Eigen::Ref<const Eigen::MatrixXd>& inputMoment,
                                const Eigen::Ref<const Eigen::MatrixXd>& weightMoment, double rho) {
    if (!(rho >= 0 && rho < 1))
        return fail(ErrorCode::InvalidSpec,
                    "catBlock: rho is " + numberText(rho) + "; expected 0 <= rho < 1");
    BDQ_CHECK(requireMomentPair(inputMoment, weightMoment));
    BDQ_TRY(const Eigen::MatrixXd lx, dampedCholesky(inputMoment, rho, "catBlock: input second moment"));
    BDQ_TRY(const Eigen::MatrixXd lw, dampedCholesky(weightMoment, rho, "catBlock: weight second moment"));
    const Eigen::BDCSVD<Eigen::MatrixXd> svd(lw.transpose() * lx, Eigen::ComputeFullU | Eigen::ComputeFullV);
    BlockTransform block;
    block.spectrum = svd.singularValues();
    // T = S^-1/2 U^T Lw^T on column vectors; rows get P = T^T, and P^-T = T^-1 = Lx V S^-1/2.
    const Eigen::VectorXd root = block.spectrum.cwiseSqrt().cwiseInverse();
    block.transform = lw * svd.matrixU() * root.asDiagonal();
    block.inverseTranspose = lx * svd.matrixV() * root.asDiagonal();
    if (!block.transform.allFinite() || !block.inverseTranspose.allFinite())
        return fail(ErrorCode::NonFinite, "catBlock: block of " + std::to_string(inputMoment.rows()) +
                                              " channels is singular with damping " + numberText(rho) +
                                              "; expected more damping");
    return block;
}

Result<double> alignmentBound(const Eigen::Ref<const Eigen::MatrixXd>& inputMoment,
                              const Eigen::Ref<const Eigen::MatrixXd>& weightMoment, std::int64_t blockSize) {
    BDQ_CHECK(requireMomentPair(inputMoment, weightMoment));
    if (blockSize < 1)
        return fail(ErrorCode::InvalidSpec,
                    "alignmentBound: block size is " + std::to_string(blockSize) + "; expected at least 1");
    const Eigen::Index n = inputMoment.rows();
    double traces = 0;
    for (Eigen::Index start = 0; start < n; start += blockSize) {
        const Eigen::Index k = std::min<Eigen::Index>(blockSize, n - start);
        traces +=
            geometricTrace(inputMoment.block(start, start, k, k), weightMoment.block(start, start, k, k));
    }
    const double outputEnergy = inputMoment.cwiseProduct(weightMoment).sum();
    if (!(outputEnergy > 0) || !(traces > 0)) return std::numeric_limits<double>::quiet_NaN();
    return outputEnergy / (traces * traces);
}

Result<Eigen::MatrixXd> bdqBlockRotation(const Eigen::Ref<const Eigen::MatrixXd>& inputMoment,
                                         const Eigen::Ref<const Eigen::MatrixXd>& weightMoment,
                                         const Eigen::Ref<const Eigen::VectorXd>& diagonal) {
    BDQ_CHECK(requireMomentPair(inputMoment, weightMoment));
    BDQ_CHECK(requireLength(diagonal.size(), inputMoment.rows(), "bdqBlockRotation: diagonal"));
    BDQ_CHECK(requireNonNegative(diagonal, "bdqBlockRotation: diagonal"));
    if (diagonal.minCoeff() <= 0)
        return fail(ErrorCode::InvalidSpec, "bdqBlockRotation: diagonal has an entry 0; expected > 0");
    const Eigen::VectorXd inverse = diagonal.cwiseInverse();
    Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(inputMoment.rows(), inputMoment.rows());
    const auto addNormalised = [&sum](const Eigen::MatrixXd& moment) {
        if (const double trace = moment.trace(); trace > 0) // a block without signal on one side adds nothing
            sum += moment / trace;
    };
    addNormalised(diagonal.asDiagonal() * inputMoment * diagonal.asDiagonal());
    addNormalised(inverse.asDiagonal() * weightMoment * inverse.asDiagonal());
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(sum);
    if (solver.info() != Eigen::Success)
        return fail(ErrorCode::NonFinite, "bdqBlockRotation: eigenvectors of a block of " +
                                              std::to_string(sum.rows()) + " channels did not converge");
    Eigen::MatrixXd rotation = solver.eigenvectors();
    for (Eigen::Index j = 0; j < rotation.cols(); ++j) {
        Eigen::Index peak = 0;
        rotation.col(j).cwiseAbs().maxCoeff(&peak);
        if (rotation(peak, j) < 0) rotation.col(j) *= -1.0;
    }
    return rotation;
}

} // namespace bdq::analysis
