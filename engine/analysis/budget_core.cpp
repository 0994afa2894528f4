#include "engine/analysis/budget_core.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bdq::analysis {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::uint32_t kBreakOption = std::numeric_limits<std::uint32_t>::max();

/// Sums over the decisions so far.
struct State {
    std::int64_t cost = 0;
    double excess = 0;
    std::uint32_t parent = 0; ///< in the level before
    std::uint32_t option = kBreakOption;
};

double costRatio(const CoreOption& option) {
    return option.excess / std::fabs(static_cast<double>(option.cost));
}

/// Least excess per cost with which the decisions from one level on can spend or save.
struct Rates {
    double spend = kInfinity;
    double save = kInfinity;
};

class Core {
public:
    Core(const CoreProblem& problem, std::size_t maxStates)
        : m_problem(problem), m_maxStates(maxStates), m_best(problem.incumbent) {
        sortDecisions();
        sumRates();
    }

    CoreResult solve() {
        m_levels.push_back({State{}});
        consider(0);
        for (std::size_t level = 0; level < m_order.size() && !m_levels.back().empty(); ++level) {
            // At the break's other options the excess alone is above the best: nothing to branch on.
            if (!worthwhile(level)) break;
            if (!expand(level)) return stopped();
            consider(level + 1);
        }
        CoreResult result = found();
        result.complete = true;
        return result;
    }

private:
    [[nodiscard]] const std::vector<CoreOption>& optionsAt(std::size_t level) const {
        return m_problem.decisions[m_order[level]];
    }
    [[nodiscard]] double threshold() const { return m_best - m_problem.tolerance; }

    void sortDecisions() {
        std::vector<double> ratio(m_problem.decisions.size(), kInfinity);
        for (std::size_t d = 0; d < ratio.size(); ++d) {
            for (const CoreOption& option : m_problem.decisions[d])
                if (option.excess < threshold()) ratio[d] = std::min(ratio[d], costRatio(option));
            if (ratio[d] < kInfinity) m_order.push_back(d);
        }
        std::stable_sort(m_order.begin(), m_order.end(),
                         [&](std::size_t a, std::size_t b) { return ratio[a] < ratio[b]; });
    }

    void sumRates() {
        m_rates.resize(m_order.size() + 1);
        for (std::size_t level = m_order.size(); level-- > 0;) {
            m_rates[level] = m_rates[level + 1];
            for (const CoreOption& option : optionsAt(level)) {
                double& rate = option.cost > 0 ? m_rates[level].spend : m_rates[level].save;
                rate = std::min(rate, costRatio(option));
            }
        }
    }

    /// No completion of the state by the decisions from `level` on is closer to the relaxation.
    [[nodiscard]] double bound(const State& state, std::size_t level) const {
        const double left = static_cast<double>(m_problem.slack - state.cost);
        const Rates& rates = m_rates[level];
        if (left == 0) return state.excess;
        if (left < 0) return state.excess - left * rates.save;
        return state.excess + left * std::min(m_problem.multiplier, rates.spend);
    }

    [[nodiscard]] bool worthwhile(std::size_t level) const {
        return std::ranges::any_of(m_levels.back(),
                                   [&](const State& state) { return bound(state, level) < threshold(); });
    }

    /// Adds one way of going on to the states of the next level, which stay sorted by cost.
    void merge(const std::vector<State>& from, const CoreOption& option, std::uint32_t index,
               std::size_t level) {
        m_shifted.clear();
        for (std::size_t i = 0; i < from.size(); ++i) {
            const State state{from[i].cost + option.cost, from[i].excess + option.excess,
                              static_cast<std::uint32_t>(i), index};
            if (bound(state, level + 1) < threshold()) m_shifted.push_back(state);
        }
        m_merged.resize(m_next.size() + m_shifted.size());
        std::merge(m_next.begin(), m_next.end(), m_shifted.begin(), m_shifted.end(), m_merged.begin(),
                   [](const State& a, const State& b) { return a.cost < b.cost; });
        m_next.swap(m_merged);
    }

    /// Drops states that another one beats at no more cost: excess - multiplier x cost is the loss.
    void dropDominated() {
        std::size_t kept = 0;
        for (const State& state : m_next) {
            while (kept > 0 && m_next[kept - 1].cost == state.cost && m_next[kept - 1].excess > state.excess)
                --kept;
            if (kept > 0) {
                const State& last = m_next[kept - 1];
                const double dearer = static_cast<double>(state.cost - last.cost);
                if (state.excess - last.excess >= m_problem.multiplier * dearer) continue;
            }
            m_next[kept++] = state;
        }
        m_next.resize(kept);
    }

    bool expand(std::size_t level) {
        const std::vector<State>& from = m_levels.back();
        m_next.clear();
        merge(from, {}, kBreakOption, level);
        const std::vector<CoreOption>& options = optionsAt(level);
        for (std::size_t i = 0; i < options.size(); ++i)
            if (options[i].excess < threshold())
                merge(from, options[i], static_cast<std::uint32_t>(i), level);
        dropDominated();
        m_states += m_next.size();
        if (m_states > m_maxStates) return false;
        m_levels.push_back(m_next);
        return true;
    }

    /// Takes the best selection that leaves all later decisions at the break.
    void consider(std::size_t level) {
        const std::vector<State>& states = m_levels[level];
        for (std::size_t i = 0; i < states.size() && states[i].cost <= m_problem.slack; ++i) {
            const double value = states[i].excess +
                                 m_problem.multiplier * static_cast<double>(m_problem.slack - states[i].cost);
            if (value >= threshold()) continue;
            m_best = value;
            m_bestLevel = level;
            m_bestState = i;
            m_improved = true;
        }
    }

    [[nodiscard]] CoreResult found() const {
        CoreResult result;
        result.improved = m_improved;
        result.states = m_states;
        std::size_t state = m_bestState;
        for (std::size_t level = m_bestLevel; m_improved && level > 0; --level) {
            const State& here = m_levels[level][state];
            if (here.option != kBreakOption)
                result.changes.emplace_back(m_order[level - 1], optionsAt(level - 1)[here.option].index);
            state = here.parent;
        }
        return result;
    }

    [[nodiscard]] CoreResult stopped() const {
        CoreResult result = found();
        const std::size_t level = m_levels.size() - 1;
        result.bound = m_best;
        for (const State& state : m_levels.back())
            result.bound = std::min(result.bound, bound(state, level));
        return result;
    }

    const CoreProblem& m_problem;
    std::size_t m_maxStates;
    double m_best; ///< loss of the best selection above the relaxation's
    std::size_t m_bestLevel = 0;
    std::size_t m_bestState = 0;
    bool m_improved = false;
    std::vector<std::size_t> m_order; ///< decisions with something to choose, by least excess per cost
    std::vector<Rates> m_rates;       ///< by level
    std::vector<std::vector<State>> m_levels;
    std::vector<State> m_next;
    std::vector<State> m_shifted;
    std::vector<State> m_merged;
    std::size_t m_states = 0;
};

} // namespace

CoreResult solveCore(const CoreProblem& problem, std::size_t maxStates) {
    return Core(problem, std::min<std::size_t>(maxStates, kBreakOption)).solve();
}

} // namespace bdq::analysis
