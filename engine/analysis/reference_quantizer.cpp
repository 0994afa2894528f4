#include "engine/analysis/reference_quantizer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "engine/analysis/checks.h"

namespace bdq::analysis {

namespace {

constexpr double kWeightFloor = 1e-5;
constexpr int kScanSteps = 80;
constexpr double kScanNorm = 2.4;

/// Step, zero point and code range of one (row, group).
struct Grid {
    double scale = 1;
    double zero = 0;
    double low = 0;
    double high = 0;

    [[nodiscard]] double code(double x) const {
        return std::clamp(std::nearbyint(x / scale) + zero, low, high); // default rounding mode: half to even
    }
    [[nodiscard]] double value(double x) const { return scale * (code(x) - zero); }
};

using Group = Eigen::Ref<const Eigen::RowVectorXd, 0, Eigen::InnerStride<>>;

Grid makeGrid(const Group& group, const QuantizerSpec& spec, double clipRatio) {
    double highEnd = std::max(group.maxCoeff(), 0.0) * clipRatio;
    double lowEnd = std::min(group.minCoeff(), 0.0) * clipRatio;
    if (spec.rule == RangeRule::Symmetric) {
        const double top = std::ldexp(1.0, spec.bits - 1) - 1;
        double peak = std::max(highEnd, -lowEnd);
        if (spec.operand == Operand::Weight) peak = std::max(peak, kWeightFloor);
        const double step = peak / top; // 0 for an all-zero token
        return {step > 0 ? step : 1.0, 0.0, -top - 1, top};
    }
    if (highEnd == 0 && lowEnd == 0) {
        highEnd = 1;
        lowEnd = -1;
    }
    const double top = std::ldexp(1.0, spec.bits) - 1;
    const double scale = (highEnd - lowEnd) / top;
    return {scale, std::nearbyint(-lowEnd / scale), 0.0, top};
}

double scanScore(const Group& group, const Grid& grid) {
    double score = 0;
    for (Eigen::Index i = 0; i < group.size(); ++i)
        score += std::pow(std::abs(grid.value(group[i]) - group[i]), kScanNorm);
    return score;
}

double bestClipRatio(const Group& group, const QuantizerSpec& spec) {
    double best = spec.clipRatio;
    double bestScore = std::numeric_limits<double>::infinity();
    for (int i = 0; i < kScanSteps; ++i) {
        const double ratio = spec.clipRatio * (1.0 - i / 100.0);
        const double score = scanScore(group, makeGrid(group, spec, ratio));
        if (score < bestScore) {
            bestScore = score;
            best = ratio;
        }
    }
    return best;
}

Status validate(const Eigen::Ref<const Eigen::MatrixXd>& rows, const QuantizerSpec& spec) {
    BDQ_CHECK(requireMatrix(rows, "quantizer: rows"));
    BDQ_CHECK(requireBits(spec.bits, false));
    if (spec.groupSize < 0)
        return fail(ErrorCode::InvalidSpec, "quantizer: group size is " + std::to_string(spec.groupSize) +
                                                "; expected >= 0 (0 = whole row)");
    if (!(spec.clipRatio > 0 && spec.clipRatio <= 1))
        return fail(ErrorCode::InvalidSpec,
                    "quantizer: clip ratio is " + numberText(spec.clipRatio) + "; expected 0 < ratio <= 1");
    return {};
}

Result<QuantizedRows> quantize(const Eigen::Ref<const Eigen::MatrixXd>& rows, const QuantizerSpec& spec,
                               bool scan) {
    BDQ_CHECK(validate(rows, spec));
    const Eigen::Index width =
        spec.groupSize == 0 ? rows.cols() : std::min<Eigen::Index>(spec.groupSize, rows.cols());
    const Eigen::Index groups = (rows.cols() - 1) / width + 1;
    QuantizedRows result{Eigen::MatrixXi(rows.rows(), rows.cols()), Eigen::MatrixXd(rows.rows(), groups),
                         Eigen::MatrixXi(rows.rows(), groups), Eigen::MatrixXd(rows.rows(), groups),
                         Eigen::MatrixXd(rows.rows(), rows.cols())};
    for (Eigen::Index row = 0; row < rows.rows(); ++row)
        for (Eigen::Index g = 0; g < groups; ++g) {
            const Eigen::Index start = g * width;
            const Eigen::Index length = std::min(width, rows.cols() - start);
            const auto group = rows.row(row).segment(start, length);
            const double ratio = scan ? bestClipRatio(group, spec) : spec.clipRatio;
            const Grid grid = makeGrid(group, spec, ratio);
            result.clipRatio(row, g) = ratio;
            result.scales(row, g) = grid.scale;
            result.zeros(row, g) = static_cast<int>(grid.zero);
            for (Eigen::Index i = start; i < start + length; ++i) {
                result.codes(row, i) = static_cast<int>(grid.code(rows(row, i)));
                result.values(row, i) = grid.value(rows(row, i));
            }
        }
    return result;
}

} // namespace

Result<QuantizedRows> quantizeRows(const Eigen::Ref<const Eigen::MatrixXd>& rows, const QuantizerSpec& spec) {
    return quantize(rows, spec, false);
}

Result<QuantizedRows> quantizeRowsClipScan(const Eigen::Ref<const Eigen::MatrixXd>& rows,
                                           const QuantizerSpec& spec) {
    return quantize(rows, spec, true);
}

} // namespace bdq::analysis
