// Frame of the plots that draw rows of runs across layers: they stand in docks, which may be low.
#pragma once

#include <array>
#include <vector>

#include <QColor>

#include "engine/api/quant_scheme.h"
#include "widgets/plots/plot_panel.h"

namespace bdq {

/// What the rows of a run describe, in the order of its curves.
inline constexpr std::array kAllSites{Site::Qkv,  Site::O,      Site::GateUp,
                                      Site::Down, Site::KCache, Site::VCache};

/// Curves of SQNR over layers with their exact values under the pointer. Too low for a legend, axis titles
/// and many ticks, it does without.
class RowCurvesPlot : public PlotPanel {
    Q_OBJECT
public:
    /// False while the plot is too low for one.
    [[nodiscard]] bool hasLegend() const;

protected:
    struct Curve {
        QString title; ///< in the legend
        QColor color;
        Qt::PenStyle style = Qt::SolidLine;
    };
    struct Point {
        std::size_t curve = 0; ///< index into curves()
        SiteKey key;
        double sqnrDb = 0; ///< finite
    };
    RowCurvesPlot(const QString& accessibleName, QWidget* parent);
    [[nodiscard]] virtual std::vector<Curve> curves() const = 0;
    [[nodiscard]] virtual std::vector<Point> points() const = 0;
    [[nodiscard]] virtual QString readoutOf(const Point& point) const = 0;
    /// The legend came or went.
    virtual void compactChanged(bool compact);

    void resizeEvent(QResizeEvent* event) override;
    void rebuild() override;
    void resetRanges() override;
    [[nodiscard]] QString readoutAt(const QPointF& pixel) const override;

private:
    bool m_compact = false;
};

} // namespace bdq
