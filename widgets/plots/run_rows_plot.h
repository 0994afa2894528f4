// SQNR of a run's sites across layers while it is running.
#pragma once

#include <vector>

#include "engine/api/results.h"
#include "widgets/plots/plot_panel.h"

namespace bdq {

class RunRowsPlot : public PlotPanel {
    Q_OBJECT
public:
    explicit RunRowsPlot(QWidget* parent = nullptr);
    void setRows(const std::vector<RunSiteResult>& rows);
    /// False while the plot is too low for one.
    [[nodiscard]] bool hasLegend() const;
    [[nodiscard]] QString toCsv() const override;

protected:
    void resizeEvent(QResizeEvent* event) override;
    void rebuild() override;
    void resetRanges() override;
    [[nodiscard]] QString readoutAt(const QPointF& pixel) const override;
    [[nodiscard]] QString fileStem() const override;

private:
    std::vector<RunSiteResult> m_rows;
    bool m_compact = false; ///< too low for a legend, axis titles and many ticks
};

} // namespace bdq
