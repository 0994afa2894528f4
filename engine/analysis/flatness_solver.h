// Exact monotone minimiser of the entropy Flatness over row and column scales: design/bdq.md 3.4, which
// corrects the claims of BDQ (arXiv 2605.18800) Sec. 4.3. For display and as a start value; the matrix is W
// [out, in] or x [tokens, n].
#pragma once

#include <cstdint>
#include <vector>

#include <Eigen/Core>

#include "engine/api/result.h"

namespace bdq::analysis {

enum class FlatnessMethod {
    Exact,   ///< block coordinate descent; F never increases
    Sinkhorn ///< equal row and column energies; close to Exact, for comparison
};

enum class FlatnessStop {
    Converged, ///< F changed by less than `tolerance` in one sweep
    MaxSweeps
};

struct FlatnessOptions {
    FlatnessMethod method = FlatnessMethod::Exact;
    int maxSweeps = 200;     ///< >= 1; about 30 reach 1e-6 on heavy-tailed matrices
    double tolerance = 1e-9; ///< nat, > 0
};

struct FlatnessSummary {
    /// [rows] > 0: V = diag(d1) W diag(d2) is the flattened matrix; geometric mean 1 over live rows.
    Eigen::VectorXd d1;
    Eigen::VectorXd d2;                              ///< [columns] > 0, likewise
    std::vector<double> flatness;                    ///< F before the first and after each sweep
    std::vector<std::int64_t> zeroRows, zeroColumns; ///< skipped, their scale is 1
    FlatnessStop stop = FlatnessStop::MaxSweeps;
};

/// Needs 16 bytes per entry beside the input. Errors: empty, not finite, all zero, or bad options.
Result<FlatnessSummary> solveFlatness(const Eigen::Ref<const Eigen::MatrixXd>& matrix,
                                      const FlatnessOptions& options = {});

/// F and its gradient at a = -ln alpha [rows], b = -ln beta [columns], i.e. of p = W^2 e^a e^b / sum.
struct FlatnessPoint {
    double value = 0;
    Eigen::VectorXd rowGradient;    ///< dF/da
    Eigen::VectorXd columnGradient; ///< dF/db
};
Result<FlatnessPoint> flatnessAt(const Eigen::Ref<const Eigen::MatrixXd>& matrix,
                                 const Eigen::Ref<const Eigen::VectorXd>& a,
                                 const Eigen::Ref<const Eigen::VectorXd>& b);

} // namespace bdq::analysis
