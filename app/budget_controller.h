// Weight bits under a budget, for the plan that is being edited: what the plan panel's slider moves.
#pragma once

#include <QObject>
#include <QString>

#include <optional>

#include "app/file_loader.h"
#include "app/plan_controller.h"
#include "engine/analysis/bit_plan.h"
#include "widgets/types.h"

namespace bdq {

/// Solves again at every change of the plan: well under a drag's frame for a few hundred sites.
class BudgetController : public QObject {
    Q_OBJECT
public:
    explicit BudgetController(PlanController* plan, QObject* parent = nullptr);

    /// An analysis that is complete, or none. Its sensitivity is used where it has the plan's transform and
    /// the candidate bits, else the losses that the analysis estimated; without either there is no range:
    /// errors of single outputs do not rank sites, and a plan from them can be worse than uniform bits.
    void setAnalysis(const LoadedAnalysis& analysis);
    /// Gives every site the bits of the smallest sum of losses within `averageBits`; activations and KV cache
    /// and locked rows stay. One undo step a drag.
    void choose(double averageBits);
    /// Chooses again when the plan comes from a budget; one undo step.
    void setCandidateBits(const std::vector<int>& bits);

    /// The measurement of the losses that choose() would weigh for the plan as it is. Without model and
    /// device.
    [[nodiscard]] SensitivitySpec measurement() const;

    /// Empty = nothing can be chosen; problem() says why.
    [[nodiscard]] const std::optional<BudgetRange>& range() const { return m_range; }
    [[nodiscard]] const QString& problem() const { return m_problem; }
    /// "53 x W3, 66 x W4, 1 x W8 ...", and in words how the sum of the losses compares with the uniform plan
    /// of at most the same size: one line, empty unless the plan comes from a budget.
    [[nodiscard]] const QString& outcome() const { return m_outcome; }
    [[nodiscard]] const QString& explanation() const { return m_explanation; } ///< rich text
    /// Whether losses of this plan's method were measured on the whole model.
    [[nodiscard]] bool measured() const { return m_measured; }
    /// Whether measuring losses would help: there is an analysis, and they were not measured for this plan.
    [[nodiscard]] bool canMeasure() const { return m_analysis.result != nullptr && !m_measured; }

signals:
    void changed();

private:
    void update();
    [[nodiscard]] Result<analysis::BitPlan> solve(double averageBits) const;
    [[nodiscard]] bool isPlan(const analysis::BitPlan& found) const;
    void describe(const analysis::BitPlan& plan);

    PlanController* m_plan;
    LoadedAnalysis m_analysis;
    std::optional<BudgetRange> m_range;
    QString m_problem;
    QString m_outcome;
    QString m_explanation;
    bool m_measured = false;
};

} // namespace bdq
