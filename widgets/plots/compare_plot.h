// SQNR of one site across the layers of two runs.
#pragma once

#include <array>
#include <vector>

#include "widgets/models/run_compare_model.h"
#include "widgets/plots/row_curves_plot.h"

class QComboBox;
class QLabel;

namespace bdq {

class ComparePlot : public RowCurvesPlot {
    Q_OBJECT
public:
    explicit ComparePlot(QWidget* parent = nullptr);
    /// Null = none; titles stand in the legend.
    void setRuns(const RunPtr& first, const RunPtr& second, const std::array<QString, 2>& titles);
    void setSite(Site site);
    [[nodiscard]] Site site() const { return m_site; }
    [[nodiscard]] QString toCsv() const override;

protected:
    [[nodiscard]] std::vector<Curve> curves() const override;
    [[nodiscard]] std::vector<Point> points() const override;
    [[nodiscard]] QString readoutOf(const Point& point) const override;
    void compactChanged(bool compact) override;
    [[nodiscard]] QString fileStem() const override;

private:
    std::array<RunPtr, 2> m_runs;
    std::array<QString, 2> m_titles;
    Site m_site = Site::Down;
    QComboBox* m_siteBox = nullptr;
    QLabel* m_key = nullptr; ///< instead of the legend
};

} // namespace bdq
