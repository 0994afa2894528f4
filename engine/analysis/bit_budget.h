// Bits under a budget: one option for each of many decisions, the total loss as small as possible, the total
// cost within a budget (multiple-choice knapsack). Exact: linear relaxation, then a dynamic program over what
// the relaxation leaves open, in the manner of Pisinger's minimal algorithm (Eur. J. Oper. Res. 83, 1995).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/api/result.h"

namespace bdq::analysis {

struct BudgetOption {
    std::int64_t cost = 0; ///< >= 0, e.g. bits of storage
    double loss = 0;       ///< finite; losses of different decisions add up
};
/// What may be chosen for one decision, in any order; exactly one option is taken.
using BudgetDecision = std::vector<BudgetOption>;

struct BudgetSolution {
    std::vector<std::size_t> choice; ///< by decision: index into its options
    std::int64_t cost = 0;
    double loss = 0;
    double relaxation = 0; ///< optimum of the linear relaxation: no selection within the budget is below it
    double lowerBound = 0; ///< the best bound proven: `loss` itself when it is the optimum
    /// Proven: no other selection within the budget has a loss smaller by more than kBudgetRounding of the
    /// sum of the chosen losses' magnitudes.
    bool optimal = false;
    std::size_t states = 0; ///< of the dynamic program, a measure of the effort
    [[nodiscard]] double gap() const { return loss - lowerBound; }
};

/// Sums over a few hundred decisions in fp64 carry a relative rounding error below n 2^-53, 1e-13 for
/// n = 1000.
inline constexpr double kBudgetRounding = 1e-12;

struct BudgetLimits {
    /// States kept by the dynamic program (24 bytes each); at the limit the best selection so far is returned
    /// with the gap that is left.
    std::size_t maxStates = 4'000'000;
};

/// Smallest cost that any selection has. Errors: InvalidSpec for no decisions, a decision without options, a
/// negative cost, costs whose sum does not fit; NonFinite for a loss, naming decision and option.
Result<std::int64_t> leastCost(std::span<const BudgetDecision> decisions);

/// Errors: as leastCost; InvalidSpec when even the cheapest selection is over the budget, naming its cost.
/// Options of equal loss: the cheaper one; decisions of equal merit: the same result every time.
Result<BudgetSolution> solveBitBudget(std::span<const BudgetDecision> decisions, std::int64_t budget,
                                      const BudgetLimits& limits = {});

} // namespace bdq::analysis
