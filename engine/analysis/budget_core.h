// Private to engine/analysis: the part of a bit budget that its linear relaxation leaves open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace bdq::analysis {

/// An option other than the one of the relaxation's break solution.
struct CoreOption {
    std::size_t index = 0; ///< among the options of its decision
    std::int64_t cost = 0; ///< more than the break option, not 0
    double excess = 0;     ///< loss + multiplier x cost, more than the break option; >= 0
};

/// With the sums C of costs and E of excesses of the options taken, a selection is within the budget when
/// C <= slack, and its loss lies E + multiplier (slack - C) above the relaxation's.
struct CoreProblem {
    std::vector<std::vector<CoreOption>> decisions; ///< by decision; may be empty
    double multiplier = 0;                          ///< >= 0
    std::int64_t slack = 0;                         ///< >= 0, left by the break solution
    double incumbent = 0; ///< loss of the best known selection above the relaxation's
    double tolerance = 0; ///< an improvement smaller than this is none
};

struct CoreResult {
    bool improved = false;                                    ///< `changes` is better than the incumbent
    std::vector<std::pair<std::size_t, std::size_t>> changes; ///< (decision, option) that leave the break
    bool complete = false;                                    ///< nothing better exists
    double bound = 0; ///< when not complete: no selection is closer than this to the relaxation
    std::size_t states = 0;
};

/// Dynamic program over the decisions, those that cost least per unit first; keeps Pareto-optimal sums
/// (C, E) and drops those whose bound is not below the best selection. Stops with `complete` false when it
/// would keep more than maxStates.
CoreResult solveCore(const CoreProblem& problem, std::size_t maxStates);

} // namespace bdq::analysis
