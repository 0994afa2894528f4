// Scheme of the whole model, method, weight rounding, edits of layer ranges, totals, start.
#pragma once

#include <memory>
#include <optional>

#include <QWidget>

#include "widgets/site_ranking.h"
#include "widgets/types.h"

class QAction;

namespace bdq {

class BudgetRow;

class PlanPanel : public QWidget {
    Q_OBJECT
public:
    explicit PlanPanel(QWidget* parent = nullptr);
    ~PlanPanel() override;

    void setPlan(const Plan& plan);
    void setMethod(Method method);
    void setPreset(Preset preset);
    void setRounding(std::optional<WeightRounding> rounding); ///< empty = the method's default
    void setLayerCount(int layers);                           ///< 0 = no model
    void setSummary(const PlanSummary& summary, const SiteRanking& ranking);
    void setUndoActions(QAction* undo, QAction* redo); ///< shown as buttons; not owned
    void setRunEnabled(bool enabled, const QString& reason = {});
    [[nodiscard]] BudgetRow* budget() const;

signals:
    void baseSchemeEdited(const bdq::Scheme& scheme);
    /// "Apply to layers": all linear sites of these layers.
    void layersEdited(const std::vector<int>& layers, const bdq::SchemeEdit& edit);
    void overridesClearRequested();
    void methodChosen(bdq::Method method);
    void presetChosen(bdq::Preset preset);
    void roundingChosen(const std::optional<bdq::WeightRounding>& rounding);
    void runRequested();

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace bdq
