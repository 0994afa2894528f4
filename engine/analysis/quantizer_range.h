// How the range of one row becomes a uniform grid; shared by the reference quantizer and the SQNR model.
#pragma once

#include "engine/api/result.h"

namespace bdq::analysis {

enum class RangeRule {
    Symmetric, ///< range 2 max|x|, step = max|x| / (2^(b-1) - 1): 2^b - 2 intervals
    Asymmetric ///< range max - min (both taken with 0), step = range / (2^b - 1): 2^b - 1 intervals
};

/// "untouched": no quantization error.
inline constexpr int kFullPrecisionBits = 16;

/// bits is 2..8 or, with `allowFull`, 16; else InvalidSpec.
Status requireBits(int bits, bool allowFull);

/// Number of steps N in the range that the grid really uses; infinity for 16 bits. CAT (arXiv 2603.04359)
/// prints 2^b - 1 for both; codes -7..7 give 14, not 15: design/cat_wush.md 2.
double intervals(int bits, RangeRule rule);

} // namespace bdq::analysis
