// SQNR of one site across the layers of two runs.
#pragma once

#include <array>
#include <vector>

#include "widgets/models/run_compare_model.h"
#include "widgets/plots/plot_panel.h"

class QComboBox;
class QLabel;

namespace bdq {

class ComparePlot : public PlotPanel {
    Q_OBJECT
public:
    explicit ComparePlot(QWidget* parent = nullptr);
    /// Null = none; titles stand in the legend.
    void setRuns(const RunPtr& first, const RunPtr& second, const std::array<QString, 2>& titles);
    void setSite(Site site);
    [[nodiscard]] Site site() const { return m_site; }
    [[nodiscard]] QString toCsv() const override;

protected:
    void resizeEvent(QResizeEvent* event) override;
    void rebuild() override;
    void resetRanges() override;
    [[nodiscard]] QString readoutAt(const QPointF& pixel) const override;
    [[nodiscard]] QString fileStem() const override;

private:
    struct Point {
        std::size_t side = 0;
        int layer = 0;
        double sqnrDb = 0;
    };
    [[nodiscard]] std::vector<Point> points() const;

    std::array<RunPtr, 2> m_runs;
    std::array<QString, 2> m_titles;
    Site m_site = Site::Down;
    QComboBox* m_siteBox = nullptr;
    QLabel* m_key = nullptr; ///< instead of the legend
    bool m_compact = false;  ///< too low for a legend, axis titles and many ticks
};

} // namespace bdq
