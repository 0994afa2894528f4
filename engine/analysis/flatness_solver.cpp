#include "engine/analysis/flatness_solver.h"

#include <cmath>
#include <string>

#include "engine/analysis/checks.h"

namespace bdq::analysis {

namespace {

/// S = W^2 and S ln S. Since ln(S e^b) = ln S + b, every sum of t ln t over t = S e^b is a few matrix-vector
/// products, so a sweep takes no logarithm of the whole matrix.
struct Energies {
    Eigen::MatrixXd s;
    Eigen::MatrixXd sLogS;

    explicit Energies(const Eigen::Ref<const Eigen::MatrixXd>& matrix)
        : s((matrix / matrix.cwiseAbs().maxCoeff()).array().square()),
          sLogS(s.unaryExpr([](double x) { return x > 0 ? x * std::log(x) : 0.0; })) {}
};

/// Per row: mass = sum_j t_ij and massLog = sum_j t_ij ln t_ij for t = S e^b.
struct LineSums {
    Eigen::VectorXd mass, massLog;
};

template <class S, class SLogS> LineSums lineSums(const S& s, const SLogS& sLogS, const Eigen::VectorXd& b) {
    const Eigen::VectorXd weight = b.array().exp();
    const Eigen::VectorXd weighted = b.cwiseProduct(weight);
    LineSums sums;
    sums.mass = s * weight;
    sums.massLog = sLogS * weight;
    sums.massLog += s * weighted;
    return sums;
}

/// The best a for fixed b. Exact: a_i = H(t_i/sum) - ln sum = -(sum t ln t)/(sum t), since H = ln sum - (sum
/// t ln t)/sum.
Eigen::VectorXd bestScales(const LineSums& sums, FlatnessMethod method) {
    Eigen::VectorXd a = Eigen::VectorXd::Zero(sums.mass.size());
    for (Eigen::Index i = 0; i < a.size(); ++i)
        if (sums.mass[i] > 0)
            a[i] =
                method == FlatnessMethod::Exact ? -sums.massLog[i] / sums.mass[i] : -std::log(sums.mass[i]);
    return a;
}

/// F at (a, b) from the row sums of S e^b.
double flatnessFrom(const LineSums& sums, const Eigen::VectorXd& a) {
    const Eigen::ArrayXd scale = a.array().exp();
    const double total = (scale * sums.mass.array()).sum();
    return (scale * (sums.massLog.array() + a.array() * sums.mass.array())).sum() / total - std::log(total);
}

/// Zero mean over live lines: the gauge alpha -> c alpha, and the total scale, leave F alone.
void center(Eigen::VectorXd& values, const Eigen::VectorXd& lineMaxima) {
    const auto live = lineMaxima.array() > 0;
    const double mean = live.select(values.array(), 0.0).sum() / static_cast<double>(live.count());
    values = live.select(values.array() - mean, 0.0);
}

std::vector<std::int64_t> zeroLines(const Eigen::VectorXd& lineMaxima) {
    std::vector<std::int64_t> lines;
    for (Eigen::Index i = 0; i < lineMaxima.size(); ++i)
        if (lineMaxima[i] <= 0) lines.push_back(i);
    return lines;
}

Status requireNonZero(const Eigen::Ref<const Eigen::MatrixXd>& matrix) {
    BDQ_CHECK(requireMatrix(matrix, "Flatness solver: matrix"));
    if (matrix.cwiseAbs().maxCoeff() <= 0)
        return fail(ErrorCode::NonFinite, "Flatness solver: all entries are 0; expected at least one other");
    return {};
}

} // namespace

Result<FlatnessSummary> solveFlatness(const Eigen::Ref<const Eigen::MatrixXd>& matrix,
                                      const FlatnessOptions& options) {
    if (options.maxSweeps < 1 || !(options.tolerance > 0))
        return fail(ErrorCode::InvalidSpec,
                    "Flatness solver: maxSweeps is " + std::to_string(options.maxSweeps) + ", tolerance is " +
                        numberText(options.tolerance) + "; expected maxSweeps >= 1 and tolerance > 0");
    BDQ_CHECK(requireNonZero(matrix));
    const Energies energies(matrix);
    const Eigen::VectorXd rowMaxima = energies.s.rowwise().maxCoeff();
    const Eigen::VectorXd columnMaxima = energies.s.colwise().maxCoeff().transpose();
    Eigen::VectorXd a = Eigen::VectorXd::Zero(matrix.rows());
    Eigen::VectorXd b = Eigen::VectorXd::Zero(matrix.cols());
    LineSums rows = lineSums(energies.s, energies.sLogS, b);

    FlatnessSummary summary;
    summary.zeroRows = zeroLines(rowMaxima);
    summary.zeroColumns = zeroLines(columnMaxima);
    summary.flatness.push_back(flatnessFrom(rows, a));
    while (summary.stop != FlatnessStop::Converged &&
           summary.flatness.size() <= static_cast<std::size_t>(options.maxSweeps)) {
        a = bestScales(rows, options.method);
        center(a, rowMaxima);
        b = bestScales(lineSums(energies.s.transpose(), energies.sLogS.transpose(), a), options.method);
        center(b, columnMaxima);
        rows = lineSums(energies.s, energies.sLogS, b);
        const double before = summary.flatness.back();
        summary.flatness.push_back(flatnessFrom(rows, a));
        if (std::abs(before - summary.flatness.back()) < options.tolerance)
            summary.stop = FlatnessStop::Converged;
    }
    if (!std::isfinite(summary.flatness.back()))
        return fail(ErrorCode::NonFinite,
                    "Flatness solver: F left the range of double; expected entries whose squares "
                    "span less than 300 decades");
    summary.d1 = (a / 2).array().exp();
    summary.d2 = (b / 2).array().exp();
    return summary;
}

Result<FlatnessPoint> flatnessAt(const Eigen::Ref<const Eigen::MatrixXd>& matrix,
                                 const Eigen::Ref<const Eigen::VectorXd>& a,
                                 const Eigen::Ref<const Eigen::VectorXd>& b) {
    BDQ_CHECK(requireNonZero(matrix));
    BDQ_CHECK(requireLength(a.size(), matrix.rows(), "flatnessAt: a"));
    BDQ_CHECK(requireLength(b.size(), matrix.cols(), "flatnessAt: b"));
    const Energies energies(matrix);
    const LineSums rows = lineSums(energies.s, energies.sLogS, b);
    const LineSums columns = lineSums(energies.s.transpose(), energies.sLogS.transpose(), a);
    FlatnessPoint point;
    point.value = flatnessFrom(rows, a);
    // dF/da_i = sum_j p_ij (ln p_ij - F), design/bdq.md 3.4.
    const auto gradient = [&](const LineSums& sums, const Eigen::VectorXd& own) -> Eigen::VectorXd {
        const Eigen::ArrayXd scale = own.array().exp();
        const double total = (scale * sums.mass.array()).sum();
        const double shift = std::log(total) + point.value;
        return scale * (sums.massLog.array() + (own.array() - shift) * sums.mass.array()) / total;
    };
    point.rowGradient = gradient(rows, a);
    point.columnGradient = gradient(columns, b);
    return point;
}

} // namespace bdq::analysis
