// The inspector's part about quality: what the model loses by the selected rows, and the SQNR of their own in
// all kinds that were measured.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <QTimer>
#include <QWidget>

#include "widgets/measured_sqnr.h"
#include "widgets/site_ranking.h"
#include "widgets/types.h"

class QGridLayout;
class QLabel;

namespace bdq {

/// The plan as the inspector knows it.
struct InspectedPlan {
    Plan plan;
    TransformKind fallback = TransformKind::None;
    SiteTransforms transforms;
    WeightRounding rounding = WeightRounding::Rtn;
    [[nodiscard]] TransformKind transformOf(SiteKey key) const;
};

class InspectorSqnr : public QWidget {
    Q_OBJECT
public:
    explicit InspectorSqnr(QWidget* parent);
    void setMeasured(std::shared_ptr<const MeasuredSqnrStore> measured);
    void setRanking(const SiteRanking& ranking);
    void show(const std::vector<SiteAnalysis>& sites, const InspectedPlan& plan);
    /// A live value of a shown row has come: it stands out for a second.
    void markNew();

private:
    void showLoss(const std::vector<SiteAnalysis>& sites);
    void showTokens(const std::vector<SiteAnalysis>& sites, const InspectedPlan& plan);
    void showMeasured(const std::vector<SiteAnalysis>& sites, const InspectedPlan& plan);
    void addRow(QGridLayout* grid, int row, const QString& title, const QString& toolTip, QLabel*& value);
    void setMark(bool on);

    std::shared_ptr<const MeasuredSqnrStore> m_measured;
    SiteRanking m_ranking;
    QLabel* m_loss = nullptr;
    QLabel* m_predicted = nullptr;
    QLabel* m_prediction = nullptr; ///< how weights are rounded in it
    QLabel* m_token = nullptr;
    QLabel* m_topTokens = nullptr;
    QLabel* m_values = nullptr; ///< kind, tokens, rounding, value
    QLabel* m_missing = nullptr;
    QTimer m_mark;
};

} // namespace bdq
