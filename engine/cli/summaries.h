// Results in words.
#pragma once

#include <string>

#include "engine/api/results.h"
#include "engine/api/sensitivity.h"

namespace bdq::cli {

/// One line: perplexity with its text, windows and tokens.
std::string describeEval(const EvalResult& result);
/// Perplexity before and after, bits, worst sites, time, memory.
std::string describeRun(const RunResult& result);
/// Divergence by bit width of the most sensitive sites, time, memory.
std::string describeSensitivity(const SensitivityResult& result);

} // namespace bdq::cli
