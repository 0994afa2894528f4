#include "engine/analysis/bit_budget.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "engine/analysis/budget_core.h"
#include "engine/analysis/checks.h"

namespace bdq::analysis {

namespace {

// A quarter of the range, so that differences of sums fit as well.
constexpr std::int64_t kMaxTotalCost = std::numeric_limits<std::int64_t>::max() / 4;

std::string optionName(std::size_t decision, std::size_t option) {
    return "bit budget: decision " + std::to_string(decision) + ", option " + std::to_string(option);
}

Status checkOption(const BudgetOption& option, std::size_t decision, std::size_t index) {
    if (option.cost < 0)
        return fail(ErrorCode::InvalidSpec, optionName(decision, index) + ": found cost " +
                                                std::to_string(option.cost) + ", expected at least 0");
    if (!std::isfinite(option.loss))
        return fail(ErrorCode::NonFinite, optionName(decision, index) + ": found loss " +
                                              numberText(option.loss) + ", expected a finite number");
    return {};
}

/// One step of the relaxation: from an option of a decision to the next on its hull.
struct Step {
    std::size_t decision = 0;
    std::size_t next = 0; ///< index into the hull
    std::int64_t cost = 0;
    double slope = 0; ///< loss saved per cost
};

/// Options worth having: cheaper first, each one better than all cheaper ones.
std::vector<std::size_t> frontierOf(const BudgetDecision& options) {
    std::vector<std::size_t> order(options.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return options[a].cost != options[b].cost ? options[a].cost < options[b].cost
                                                  : options[a].loss < options[b].loss;
    });
    std::vector<std::size_t> frontier;
    for (const std::size_t i : order)
        if (frontier.empty() || options[i].loss < options[frontier.back()].loss) frontier.push_back(i);
    return frontier;
}

double slopeBetween(const BudgetOption& cheap, const BudgetOption& dear) {
    return (cheap.loss - dear.loss) / static_cast<double>(dear.cost - cheap.cost);
}

/// Corners of the lower convex hull of a frontier: slopes strictly decrease.
std::vector<std::size_t> hullOf(const BudgetDecision& options, const std::vector<std::size_t>& frontier) {
    std::vector<std::size_t> hull;
    for (const std::size_t i : frontier) {
        while (hull.size() >= 2 && slopeBetween(options[hull[hull.size() - 2]], options[hull.back()]) <=
                                       slopeBetween(options[hull.back()], options[i]))
            hull.pop_back();
        hull.push_back(i);
    }
    return hull;
}

/// Takes the steps of steepest descent while they fit (Sinha and Zoltners, Oper. Res. 27, 1979: this solves
/// the linear relaxation).
class Relaxation {
public:
    Relaxation(std::span<const BudgetDecision> decisions, std::int64_t budget) : m_decisions(decisions) {
        for (const BudgetDecision& options : decisions) {
            m_frontiers.push_back(frontierOf(options));
            m_hulls.push_back(hullOf(options, m_frontiers.back()));
        }
        m_position.assign(decisions.size(), 0);
        descend(budget);
    }

    /// The selection before the first step that does not fit.
    [[nodiscard]] std::vector<std::size_t> breakChoice() const { return choiceAt(m_breakPosition); }
    /// The same with every later step that still fits.
    [[nodiscard]] std::vector<std::size_t> greedyChoice() const { return choiceAt(m_position); }
    /// Loss saved per cost by the step that did not fit; 0 when all did.
    [[nodiscard]] double multiplier() const { return m_multiplier; }
    [[nodiscard]] const std::vector<std::vector<std::size_t>>& frontiers() const { return m_frontiers; }

private:
    [[nodiscard]] std::vector<Step> steps() const {
        std::vector<Step> result;
        for (std::size_t d = 0; d < m_hulls.size(); ++d)
            for (std::size_t i = 1; i < m_hulls[d].size(); ++i) {
                const BudgetOption& from = m_decisions[d][m_hulls[d][i - 1]];
                const BudgetOption& to = m_decisions[d][m_hulls[d][i]];
                result.push_back({d, i, to.cost - from.cost, slopeBetween(from, to)});
            }
        std::stable_sort(result.begin(), result.end(),
                         [](const Step& a, const Step& b) { return a.slope > b.slope; });
        return result;
    }

    void descend(std::int64_t budget) {
        std::int64_t left = budget;
        for (std::size_t d = 0; d < m_hulls.size(); ++d)
            left -= m_decisions[d][m_hulls[d].front()].cost;
        for (const Step& step : steps()) {
            const bool follows = m_position[step.decision] + 1 == step.next;
            if (follows && step.cost <= left) {
                m_position[step.decision] = step.next;
                left -= step.cost;
            } else if (m_breakPosition.empty()) {
                m_breakPosition = m_position;
                m_multiplier = step.slope;
            }
        }
        if (m_breakPosition.empty()) m_breakPosition = m_position;
    }

    [[nodiscard]] std::vector<std::size_t> choiceAt(const std::vector<std::size_t>& position) const {
        std::vector<std::size_t> choice;
        for (std::size_t d = 0; d < m_hulls.size(); ++d)
            choice.push_back(m_hulls[d][position[d]]);
        return choice;
    }

    std::span<const BudgetDecision> m_decisions;
    std::vector<std::vector<std::size_t>> m_frontiers;
    std::vector<std::vector<std::size_t>> m_hulls;
    std::vector<std::size_t> m_position;
    std::vector<std::size_t> m_breakPosition;
    double m_multiplier = 0;
};

struct Totals {
    std::int64_t cost = 0;
    double loss = 0;
    double magnitude = 0; ///< sum |loss|
};

Totals totalsOf(std::span<const BudgetDecision> decisions, const std::vector<std::size_t>& choice) {
    Totals totals;
    for (std::size_t d = 0; d < decisions.size(); ++d) {
        const BudgetOption& option = decisions[d][choice[d]];
        totals.cost += option.cost;
        totals.loss += option.loss;
        totals.magnitude += std::fabs(option.loss);
    }
    return totals;
}

/// What the relaxation leaves open: every option's distance from the break option.
CoreProblem coreOf(std::span<const BudgetDecision> decisions, const Relaxation& relaxation,
                   const std::vector<std::size_t>& base) {
    CoreProblem core;
    core.multiplier = relaxation.multiplier();
    for (std::size_t d = 0; d < decisions.size(); ++d) {
        const BudgetOption& from = decisions[d][base[d]];
        std::vector<CoreOption> options;
        for (const std::size_t i : relaxation.frontiers()[d]) {
            if (i == base[d]) continue;
            const BudgetOption& to = decisions[d][i];
            const std::int64_t cost = to.cost - from.cost;
            const double excess = to.loss - from.loss + core.multiplier * static_cast<double>(cost);
            options.push_back({i, cost, std::max(0.0, excess)}); // below 0 only by rounding
        }
        core.decisions.push_back(std::move(options));
    }
    return core;
}

} // namespace

Result<std::int64_t> leastCost(std::span<const BudgetDecision> decisions) {
    if (decisions.empty())
        return fail(ErrorCode::InvalidSpec, "bit budget: found no decisions, expected at least one");
    std::int64_t least = 0;
    std::int64_t most = 0;
    for (std::size_t d = 0; d < decisions.size(); ++d) {
        if (decisions[d].empty())
            return fail(ErrorCode::InvalidSpec, "bit budget: decision " + std::to_string(d) +
                                                    ": found no options, expected at least one");
        std::int64_t smallest = std::numeric_limits<std::int64_t>::max();
        std::int64_t largest = 0;
        for (std::size_t i = 0; i < decisions[d].size(); ++i) {
            BDQ_CHECK(checkOption(decisions[d][i], d, i));
            smallest = std::min(smallest, decisions[d][i].cost);
            largest = std::max(largest, decisions[d][i].cost);
        }
        if (largest > kMaxTotalCost - most)
            return fail(ErrorCode::InvalidSpec, "bit budget: the costs up to decision " + std::to_string(d) +
                                                    " add up to more than " + std::to_string(kMaxTotalCost));
        most += largest;
        least += smallest;
    }
    return least;
}

Result<BudgetSolution> solveBitBudget(std::span<const BudgetDecision> decisions, std::int64_t budget,
                                      const BudgetLimits& limits) {
    BDQ_TRY(const std::int64_t least, leastCost(decisions));
    if (least > budget)
        return fail(ErrorCode::InvalidSpec, "bit budget: found a budget of " + std::to_string(budget) +
                                                ", the cheapest options cost " + std::to_string(least));
    const Relaxation relaxation(decisions, std::min(budget, kMaxTotalCost));
    const std::vector<std::size_t> base = relaxation.breakChoice();
    const Totals atBreak = totalsOf(decisions, base);
    const double slack = static_cast<double>(std::min(budget, kMaxTotalCost) - atBreak.cost);
    BudgetSolution solution;
    solution.relaxation = atBreak.loss - relaxation.multiplier() * slack;
    solution.choice = relaxation.greedyChoice();
    const double tolerance = kBudgetRounding * atBreak.magnitude;
    CoreProblem core = coreOf(decisions, relaxation, base);
    core.slack = std::min(budget, kMaxTotalCost) - atBreak.cost;
    core.incumbent = totalsOf(decisions, solution.choice).loss - solution.relaxation;
    core.tolerance = tolerance;
    const CoreResult found = solveCore(core, limits.maxStates);
    if (found.improved) {
        solution.choice = base;
        for (const auto& [decision, option] : found.changes)
            solution.choice[decision] = option;
    }
    const Totals totals = totalsOf(decisions, solution.choice);
    solution.cost = totals.cost;
    solution.loss = totals.loss;
    solution.states = found.states;
    solution.optimal = found.complete;
    solution.lowerBound =
        found.complete ? totals.loss : std::min(totals.loss, solution.relaxation + found.bound);
    solution.relaxation = std::min(solution.relaxation, solution.lowerBound); // above only by rounding
    return solution;
}

} // namespace bdq::analysis
