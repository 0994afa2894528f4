#include "engine/analysis/checks.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <string>

namespace bdq::analysis {

namespace {
constexpr double kSymmetryTolerance = 1e-8;

std::string shapeText(Eigen::Index rows, Eigen::Index columns) {
    return std::to_string(rows) + " x " + std::to_string(columns);
}
} // namespace

std::string numberText(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%g", value);
    return text.data();
}

Status requireMatrix(const Eigen::Ref<const Eigen::MatrixXd>& matrix, std::string_view who) {
    if (matrix.size() == 0)
        return fail(ErrorCode::ShapeMismatch, std::string(who) + " is " +
                                                  shapeText(matrix.rows(), matrix.cols()) +
                                                  "; expected at least 1 x 1");
    if (matrix.allFinite()) return {};
    for (Eigen::Index column = 0; column < matrix.cols(); ++column)
        for (Eigen::Index row = 0; row < matrix.rows(); ++row)
            if (!std::isfinite(matrix(row, column)))
                return fail(ErrorCode::NonFinite, std::string(who) + " has " +
                                                      numberText(matrix(row, column)) + " at row " +
                                                      std::to_string(row) + ", column " +
                                                      std::to_string(column) + "; expected finite numbers");
    return {};
}

Status requireNonNegative(const Eigen::Ref<const Eigen::VectorXd>& values, std::string_view who) {
    if (values.size() == 0)
        return fail(ErrorCode::ShapeMismatch, std::string(who) + " is empty; expected at least one value");
    for (Eigen::Index i = 0; i < values.size(); ++i)
        if (!std::isfinite(values[i]) || values[i] < 0)
            return fail(ErrorCode::NonFinite, std::string(who) + " has " + numberText(values[i]) +
                                                  " at index " + std::to_string(i) +
                                                  "; expected a finite number >= 0");
    return {};
}

Status requireLength(Eigen::Index found, Eigen::Index expected, std::string_view who) {
    if (found == expected) return {};
    return fail(ErrorCode::ShapeMismatch, std::string(who) + " has length " + std::to_string(found) +
                                              "; expected " + std::to_string(expected));
}

Status requireSymmetric(const Eigen::Ref<const Eigen::MatrixXd>& matrix, std::string_view who) {
    BDQ_CHECK(requireMatrix(matrix, who));
    if (matrix.rows() != matrix.cols())
        return fail(ErrorCode::ShapeMismatch, std::string(who) + " is " +
                                                  shapeText(matrix.rows(), matrix.cols()) +
                                                  "; expected a square matrix");
    const double difference = (matrix - matrix.transpose()).cwiseAbs().maxCoeff();
    if (difference > kSymmetryTolerance * matrix.cwiseAbs().maxCoeff())
        return fail(ErrorCode::ShapeMismatch, std::string(who) + " differs from its transpose by " +
                                                  numberText(difference) + "; expected a symmetric matrix");
    return {};
}

} // namespace bdq::analysis
