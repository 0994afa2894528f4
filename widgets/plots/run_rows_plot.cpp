#include "widgets/plots/run_rows_plot.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <qcustomplot.h>

#include "widgets/format.h"
#include "widgets/plots/plot_style.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

constexpr std::array kAllSites{Site::Qkv, Site::O, Site::GateUp, Site::Down, Site::KCache, Site::VCache};

constexpr int kCompactHeight = 200; // below it legend and axis titles take more room than the points
constexpr int kLeastHeight = 56;
constexpr int kTicks = 5;
constexpr int kCompactTicks = 3;

} // namespace

RunRowsPlot::RunRowsPlot(QWidget* parent) : PlotPanel(parent) {
    setAccessibleName(tr("SQNR of a run's sites across layers"));
    plot()->setAccessibleName(accessibleName());
    plot()->setMinimumHeight(kLeastHeight);
    setRows({});
}

void RunRowsPlot::setRows(const std::vector<RunSiteResult>& rows) {
    m_rows = rows;
    setEmptyText(rows.empty() ? tr("SQNR of every quantized layer appears here while the run goes on.")
                              : QString());
    redraw(true);
}

bool RunRowsPlot::hasLegend() const {
    return plot()->legend->itemCount() > 0;
}

void RunRowsPlot::resizeEvent(QResizeEvent* event) {
    PlotPanel::resizeEvent(event);
    const bool compact = height() < kCompactHeight;
    if (compact == m_compact) return;
    m_compact = compact;
    redraw(false);
}

void RunRowsPlot::rebuild() {
    const PlotTheme colors = theme();
    plot()->xAxis->setLabel(m_compact ? QString() : tr("layer"));
    plot()->yAxis->setLabel(m_compact ? tr("dB") : tr("SQNR (dB)"));
    plot()->yAxis->ticker()->setTickCount(m_compact ? kCompactTicks : kTicks);
    for (std::size_t i = 0; i < kAllSites.size(); ++i) {
        QVector<double> layers;
        QVector<double> values;
        for (const RunSiteResult& row : m_rows) {
            if (row.key.site != kAllSites[i] || !std::isfinite(row.sqnrDb)) continue;
            layers << row.key.layer;
            values << row.sqnrDb;
        }
        if (layers.empty()) continue;
        const int index = static_cast<int>(i);
        QCPGraph* graph = addLine(plot(), m_compact ? QString() : siteTitle(kAllSites[i]),
                                  colors.series(index), 1.5, index < 4 ? Qt::SolidLine : Qt::DashLine);
        addMarks(graph, MarkStyle{index, true, 6}, colors.background);
        graph->setData(layers, values);
    }
}

void RunRowsPlot::resetRanges() {
    int layers = 1;
    std::vector<double> values;
    for (const RunSiteResult& row : m_rows) {
        layers = std::max(layers, row.key.layer + 1);
        values.push_back(row.sqnrDb);
    }
    fitRange(plot()->yAxis, values);
    useLayerAxis(plot()->xAxis, layers);
}

QString RunRowsPlot::readoutAt(const QPointF& pixel) const {
    const auto distance = [&](const RunSiteResult& row) {
        return distanceTo(
            pixel, {plot()->xAxis->coordToPixel(row.key.layer), plot()->yAxis->coordToPixel(row.sqnrDb)});
    };
    const auto best = std::ranges::min_element(m_rows, {}, distance);
    if (best == m_rows.end() || distance(*best) > kHitRadius) return {};
    return tr("%1   %2   %3 dB").arg(siteText(best->key), toQString(best->scheme), formatExact(best->sqnrDb));
}

QString RunRowsPlot::fileStem() const {
    return QStringLiteral("run_sqnr");
}

QString RunRowsPlot::toCsv() const {
    QString csv = QStringLiteral("layer,site,scheme,sqnr_db,mse\n");
    for (const RunSiteResult& row : m_rows)
        csv += QStringLiteral("%1,%2,%3,%4,%5\n")
                   .arg(row.key.layer)
                   .arg(toQString(siteName(row.key.site)), csvField(toQString(row.scheme)),
                        csvNumber(row.sqnrDb), csvNumber(row.mse));
    return csv;
}

} // namespace bdq
