// Facts and editors of the selected rows. Several rows: common values, "mixed" where they differ.
#pragma once

#include <memory>

#include <QWidget>

#include "widgets/measured_sqnr.h"
#include "widgets/site_ranking.h"
#include "widgets/types.h"

namespace bdq {

class InspectorPanel : public QWidget {
    Q_OBJECT
public:
    explicit InspectorPanel(QWidget* parent = nullptr);
    ~InspectorPanel() override;

    /// The selected rows; rows without statistics carry key and features only. Empty = nothing selected.
    void setSites(const std::vector<SiteAnalysis>& sites);
    void setPlan(const Plan& plan);
    /// Of the plan's weights: what predictions assume.
    void setRounding(WeightRounding rounding);
    void setTransform(TransformKind fallback, const SiteTransforms& transforms = {});
    void setRanking(const SiteRanking& ranking);
    /// Values of all kinds; the panel reads them at every refresh.
    void setMeasured(std::shared_ptr<const MeasuredSqnrStore> measured);
    /// The store has a new live value; marked for a second when it belongs to what is shown.
    void showNewValue(const SiteAnswer& answer);
    /// Arrays of a site: for facts that its row does not hold. Ignored unless it is the only one shown.
    void setDetail(SiteKey key, std::shared_ptr<const SiteDetail> detail);
    /// What analysing one layer under one more transform takes; negative = unknown.
    void setAnalysisSeconds(double secondsPerLayer);
    /// True while the resident worker computes the measured value.
    void setMeasuring(bool busy);

public slots:
    void focusBits(); ///< keyboard edit of the selected rows' bits

signals:
    void planEdited(const bdq::SiteKeys& keys, const bdq::SchemeEdit& edit);
    void transformChosen(const bdq::SiteKeys& keys, bdq::TransformKind transform);
    /// The user wants these rows analysed under a transform that the analysis does not hold.
    void analysisWanted(const bdq::SiteKeys& keys, bdq::TransformKind transform);
    /// The user asks for a measured value of these rows now.
    void measureRequested(const bdq::SiteKeys& keys);

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace bdq
