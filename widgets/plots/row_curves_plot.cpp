#include "widgets/plots/row_curves_plot.h"

#include <algorithm>

#include <QHBoxLayout>
#include <qcustomplot.h>

#include "widgets/plots/plot_style.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

constexpr int kLeastHeight = 56;
constexpr int kCompactHeight = 200; // below it legend and axis titles take more room than the points
constexpr int kTicks = 5;
constexpr int kCompactTicks = 3;

} // namespace

RowCurvesPlot::RowCurvesPlot(const QString& accessibleName, QWidget* parent) : PlotPanel(parent) {
    setAccessibleName(accessibleName);
    plot()->setAccessibleName(accessibleName);
    plot()->setMinimumHeight(kLeastHeight);
}

bool RowCurvesPlot::hasLegend() const {
    return plot()->legend->itemCount() > 0;
}

void RowCurvesPlot::compactChanged(bool /*compact*/) {}

void RowCurvesPlot::resizeEvent(QResizeEvent* event) {
    PlotPanel::resizeEvent(event);
    const bool compact = height() < kCompactHeight + toolRow()->sizeHint().height();
    if (compact == m_compact) return;
    m_compact = compact;
    compactChanged(compact);
    redraw(false);
}

void RowCurvesPlot::rebuild() {
    plot()->xAxis->setLabel(m_compact ? QString() : tr("layer"));
    plot()->yAxis->setLabel(m_compact ? tr("dB") : tr("SQNR (dB)"));
    plot()->yAxis->ticker()->setTickCount(m_compact ? kCompactTicks : kTicks);
    const std::vector<Curve> all = curves();
    for (std::size_t i = 0; i < all.size(); ++i) {
        QVector<double> layers;
        QVector<double> values;
        for (const Point& point : points()) {
            if (point.curve != i) continue;
            layers << point.key.layer;
            values << point.sqnrDb;
        }
        if (layers.empty()) continue;
        QCPGraph* graph =
            addLine(plot(), m_compact ? QString() : all[i].title, all[i].color, 1.5, all[i].style);
        addMarks(graph, MarkStyle{static_cast<int>(i), true, 6}, theme().background);
        graph->setData(layers, values);
    }
}

void RowCurvesPlot::resetRanges() {
    int layers = 1;
    std::vector<double> values;
    for (const Point& point : points()) {
        layers = std::max(layers, point.key.layer + 1);
        values.push_back(point.sqnrDb);
    }
    fitRange(plot()->yAxis, values);
    useLayerAxis(plot()->xAxis, layers);
}

QString RowCurvesPlot::readoutAt(const QPointF& pixel) const {
    const std::vector<Point> all = points();
    const auto distance = [&](const Point& point) {
        return distanceTo(
            pixel, {plot()->xAxis->coordToPixel(point.key.layer), plot()->yAxis->coordToPixel(point.sqnrDb)});
    };
    const auto best = std::ranges::min_element(all, {}, distance);
    return best == all.end() || distance(*best) > kHitRadius ? QString() : readoutOf(*best);
}

} // namespace bdq
