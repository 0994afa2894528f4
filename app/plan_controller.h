// The plan that is being edited, with its history.
#pragma once

#include <QObject>
#include <QUndoStack>

#include <optional>

#include "app/plan_state.h"
#include "widgets/types.h"

namespace bdq {

/// Every edit is one step of the undo stack, however many rows it changes; quick repeated edits of the same
/// field of the same rows (dragging) become one step. Edits that change nothing are not recorded.
class PlanController : public QObject {
    Q_OBJECT
public:
    explicit PlanController(QObject* parent = nullptr);

    [[nodiscard]] const PlanState& state() const { return m_state; }
    [[nodiscard]] QUndoStack* history() { return &m_history; }
    /// New model, opened run or session: no history.
    void reset(const PlanState& state);

    /// Another plan as a whole, in one step; `text` names the step.
    void replace(const QString& text, const PlanState& state);
    /// Rows whose weights are edited by hand become locked.
    void editSchemes(const SiteKeys& keys, const SchemeEdit& edit);
    void editLayers(const std::vector<int>& layers, const SchemeEdit& edit);
    /// Locked rows keep their weights.
    void setBase(const Scheme& scheme);
    /// Weights of single sites, chosen for an average of `budget` bits; all others get `base`. Activations
    /// and KV cache stay.
    void setWeights(const OperandScheme& base, const std::map<SiteKey, OperandScheme>& weights,
                    double budget);
    /// Locked rows or not: what the budget may change.
    void setLocked(const SiteKeys& keys, bool locked);
    /// Weight bits that the budget chooses from: at least one, ascending.
    void setCandidateBits(const std::vector<int>& bits);
    void clearOverrides(); ///< and the locks
    void setTransform(const SiteKeys& keys, TransformKind transform);
    void setMethod(Method method);
    void setPreset(Preset preset);
    void setRounding(std::optional<WeightRounding> rounding);

signals:
    void changed();

private:
    friend class PlanCommand;
    [[nodiscard]] PlanState edited(const SiteKeys& keys, const SchemeEdit& edit) const;
    /// An edit by hand: what it changes was not chosen for the budget.
    void push(const QString& text, PlanState next, const QString& mergeTag = {});
    void record(const QString& text, const PlanState& next, const QString& mergeTag);
    void apply(const PlanState& state);

    PlanState m_state;
    QUndoStack m_history;
};

} // namespace bdq
