// Uniform quantizers in plain double loops: the truth to which the fast paths are compared. Rows are tokens
// of x [tokens, n] or output rows of W [out, in]; a scale belongs to (row, group of consecutive columns).
// Arithmetic of GPTQ, QuaRot and FlatQuant: design/transforms.md 2.1.
#pragma once

#include <cstdint>

#include <Eigen/Core>

#include "engine/analysis/quantizer_range.h"
#include "engine/api/result.h"

namespace bdq::analysis {

enum class Operand {
    Weight,    ///< symmetric: max|w| is at least 1e-5
    Activation ///< symmetric: step 1 when the whole row is zero
};

struct QuantizerSpec {
    int bits = 4; ///< 2..8
    RangeRule rule = RangeRule::Symmetric;
    Operand operand = Operand::Weight;
    std::int64_t groupSize = 0; ///< columns per scale; 0 = whole row; the last group may be shorter
    double clipRatio = 1.0;     ///< (0, 1]: both ends of the range are multiplied by it
};

struct QuantizedRows {
    Eigen::MatrixXi codes;     ///< [rows, n]; symmetric -2^(b-1)..2^(b-1)-1, asymmetric 0..2^b-1
    Eigen::MatrixXd scales;    ///< [rows, groups] step > 0
    Eigen::MatrixXi zeros;     ///< [rows, groups] zero point; 0 for symmetric
    Eigen::MatrixXd clipRatio; ///< [rows, groups] the ratio used
    Eigen::MatrixXd values;    ///< [rows, n] (code - zero) * scale
};

/// Rounding is half to even. An all-zero asymmetric row takes the range [-1, 1]. Errors: InvalidSpec, empty,
/// not finite.
Result<QuantizedRows> quantizeRows(const Eigen::Ref<const Eigen::MatrixXd>& rows, const QuantizerSpec& spec);

/// Tries clipRatio * p for p = 1.00, 0.99 .. 0.21 and keeps, per (row, group), the first p with the smallest
/// sum |w^ - w|^2.4 (the "MSE clip scan" of GPTQ's code, design/transforms.md 2.1).
Result<QuantizedRows> quantizeRowsClipScan(const Eigen::Ref<const Eigen::MatrixXd>& rows,
                                           const QuantizerSpec& spec);

} // namespace bdq::analysis
