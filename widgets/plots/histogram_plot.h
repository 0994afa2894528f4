// Magnitudes of a site before and after a transform: same bins, same axes, logarithmic count.
#pragma once

#include "widgets/plots/detail_plot.h"

namespace bdq {

class HistogramPlot : public DetailPlot {
    Q_OBJECT
public:
    explicit HistogramPlot(QWidget* parent = nullptr);
    [[nodiscard]] QString toCsv() const override;

protected:
    void rebuild() override;
    void resetRanges() override;
    [[nodiscard]] QString readoutAt(const QPointF& pixel) const override;
    [[nodiscard]] QString fileStem() const override;
    [[nodiscard]] QString whatIsShown() const override;

private:
    [[nodiscard]] const LogHistogram* histogram(TransformKind kind) const;
};

} // namespace bdq
