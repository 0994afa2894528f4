// Results in words.
#pragma once

#include <string>

#include "engine/api/results.h"

namespace bdq::cli {

/// One line: perplexity with its text, windows and tokens.
std::string describeEval(const EvalResult& result);
/// Perplexity before and after, bits, worst sites, time, memory.
std::string describeRun(const RunResult& result);

} // namespace bdq::cli
