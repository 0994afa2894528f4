// SQNR of a run's sites across layers while it is running.
#pragma once

#include <vector>

#include "engine/api/results.h"
#include "widgets/plots/row_curves_plot.h"

namespace bdq {

class RunRowsPlot : public RowCurvesPlot {
    Q_OBJECT
public:
    explicit RunRowsPlot(QWidget* parent = nullptr);
    void setRows(const std::vector<RunSiteResult>& rows);
    [[nodiscard]] QString toCsv() const override;

protected:
    [[nodiscard]] std::vector<Curve> curves() const override;
    [[nodiscard]] std::vector<Point> points() const override;
    [[nodiscard]] QString readoutOf(const Point& point) const override;
    [[nodiscard]] QString fileStem() const override;

private:
    std::vector<RunSiteResult> m_rows;
};

} // namespace bdq
