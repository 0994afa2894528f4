// Argument checks shared by the analysis modules. `who` names the function and the argument in the message.
#pragma once

#include <string>
#include <string_view>

#include <Eigen/Core>

#include "engine/api/result.h"

namespace bdq::analysis {

/// Shortest text of a number for messages, e.g. "1e-09" (std::to_string would print 0.000000).
std::string numberText(double value);

/// At least 1 x 1 and every entry finite; else ShapeMismatch or NonFinite.
Status requireMatrix(const Eigen::Ref<const Eigen::MatrixXd>& matrix, std::string_view who);
/// At least one entry, every entry finite and >= 0; else ShapeMismatch or NonFinite.
Status requireNonNegative(const Eigen::Ref<const Eigen::VectorXd>& values, std::string_view who);
/// found == expected; else ShapeMismatch.
Status requireLength(Eigen::Index found, Eigen::Index expected, std::string_view who);
/// requireMatrix, square, and symmetric to 1e-8 of the largest entry (moments summed in another order differ
/// in the last digits only; anything larger is a wrong matrix).
Status requireSymmetric(const Eigen::Ref<const Eigen::MatrixXd>& matrix, std::string_view who);

} // namespace bdq::analysis
