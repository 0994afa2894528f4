#include "engine/analysis/quantizer_range.h"

#include <cmath>
#include <limits>
#include <string>

namespace bdq::analysis {

Status requireBits(int bits, bool allowFull) {
    if ((bits >= 2 && bits <= 8) || (allowFull && bits == kFullPrecisionBits)) return {};
    return fail(ErrorCode::InvalidSpec, "bits is " + std::to_string(bits) + "; expected 2..8" +
                                            (allowFull ? " or 16 (untouched)" : ""));
}

double intervals(int bits, RangeRule rule) {
    if (bits >= kFullPrecisionBits) return std::numeric_limits<double>::infinity();
    return std::ldexp(1.0, bits) - (rule == RangeRule::Symmetric ? 2.0 : 1.0);
}

} // namespace bdq::analysis
