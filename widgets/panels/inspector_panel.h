// Facts and editors of the selected rows. Several rows: common values, "mixed" where they differ.
#pragma once

#include <map>
#include <memory>

#include <QWidget>

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
    void setTransform(TransformKind fallback, const SiteTransforms& transforms = {});
    /// Answer of the resident worker; marked for a second when it belongs to what is shown.
    void setMeasured(const SiteAnswer& answer);
    /// What was measured belongs to an analysis or a run that is no longer shown.
    void clearMeasured();
    /// True while the resident worker computes the measured value.
    void setMeasuring(bool busy);

public slots:
    void focusBits(); ///< keyboard edit of the selected rows' bits

signals:
    void planEdited(const bdq::SiteKeys& keys, const bdq::SchemeEdit& edit);
    void transformChosen(const bdq::SiteKeys& keys, bdq::TransformKind transform);
    /// The user asks for a measured value of these rows now.
    void measureRequested(const bdq::SiteKeys& keys);

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace bdq
