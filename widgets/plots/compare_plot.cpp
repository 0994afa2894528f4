#include "widgets/plots/compare_plot.h"

#include <algorithm>
#include <cmath>

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <qcustomplot.h>

#include "widgets/format.h"
#include "widgets/plots/plot_style.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

constexpr int kLeastHeight = 56;
constexpr int kCompactHeight = 220; // below it legend and axis titles take more room than the points
constexpr int kTicks = 5;
constexpr int kCompactTicks = 3;
constexpr std::array kAllSites{Site::Qkv, Site::O, Site::GateUp, Site::Down, Site::KCache, Site::VCache};

} // namespace

ComparePlot::ComparePlot(QWidget* parent) : PlotPanel(parent) {
    setAccessibleName(tr("SQNR of one site across the layers of two runs"));
    plot()->setAccessibleName(accessibleName());
    plot()->setMinimumHeight(kLeastHeight);
    m_siteBox = new QComboBox(this);
    for (const Site site : kAllSites)
        m_siteBox->addItem(siteTitle(site), static_cast<int>(site));
    m_siteBox->setAccessibleName(tr("Site"));
    m_siteBox->setCurrentIndex(m_siteBox->findData(static_cast<int>(m_site)));
    toolRow()->addWidget(m_siteBox);
    m_key = new QLabel(this);
    toolRow()->addWidget(m_key);
    toolRow()->addStretch(1);
    connect(m_siteBox, &QComboBox::activated, this,
            [this] { setSite(static_cast<Site>(m_siteBox->currentData().toInt())); });
    setRuns(nullptr, nullptr, {});
}

void ComparePlot::setRuns(const RunPtr& first, const RunPtr& second, const std::array<QString, 2>& titles) {
    m_runs = {first, second};
    m_titles = titles;
    setEmptyText(first || second ? QString() : tr("SQNR of both runs across the layers appears here."));
    redraw(true);
}

void ComparePlot::setSite(Site site) {
    const QSignalBlocker blocker(m_siteBox);
    m_siteBox->setCurrentIndex(m_siteBox->findData(static_cast<int>(site)));
    if (site == m_site) return;
    m_site = site;
    redraw(true);
}

std::vector<ComparePlot::Point> ComparePlot::points() const {
    std::vector<Point> result;
    for (std::size_t side = 0; side < m_runs.size(); ++side) {
        if (!m_runs[side]) continue;
        for (const RunSiteResult& row : m_runs[side]->perLayer)
            if (row.key.site == m_site && std::isfinite(row.sqnrDb))
                result.push_back({side, row.key.layer, row.sqnrDb});
    }
    return result;
}

void ComparePlot::resizeEvent(QResizeEvent* event) {
    PlotPanel::resizeEvent(event);
    const bool compact = height() < kCompactHeight;
    if (compact == m_compact) return;
    m_compact = compact;
    redraw(false);
}

void ComparePlot::rebuild() {
    const PlotTheme colors = theme();
    plot()->xAxis->setLabel(m_compact ? QString() : tr("layer"));
    plot()->yAxis->setLabel(m_compact ? tr("dB") : tr("SQNR (dB)"));
    plot()->yAxis->ticker()->setTickCount(m_compact ? kCompactTicks : kTicks);
    m_key->setText(m_compact ? tr("A dashed, B solid") : QString());
    for (std::size_t side = 0; side < m_runs.size(); ++side) {
        QVector<double> layers;
        QVector<double> values;
        for (const Point& point : points()) {
            if (point.side != side) continue;
            layers << point.layer;
            values << point.sqnrDb;
        }
        if (layers.empty()) continue;
        QCPGraph* graph =
            addLine(plot(), m_compact ? QString() : m_titles[side], side == 0 ? colors.before : colors.after,
                    1.5, side == 0 ? Qt::DashLine : Qt::SolidLine);
        addMarks(graph, MarkStyle{static_cast<int>(side), true, 6}, colors.background);
        graph->setData(layers, values, true);
    }
}

void ComparePlot::resetRanges() {
    int layers = 1;
    std::vector<double> values;
    for (const Point& point : points()) {
        layers = std::max(layers, point.layer + 1);
        values.push_back(point.sqnrDb);
    }
    fitRange(plot()->yAxis, values);
    useLayerAxis(plot()->xAxis, layers);
}

QString ComparePlot::readoutAt(const QPointF& pixel) const {
    const std::vector<Point> all = points();
    const auto distance = [&](const Point& point) {
        return distanceTo(
            pixel, {plot()->xAxis->coordToPixel(point.layer), plot()->yAxis->coordToPixel(point.sqnrDb)});
    };
    const auto best = std::ranges::min_element(all, {}, distance);
    if (best == all.end() || distance(*best) > kHitRadius) return {};
    return tr("%1   %2   %3 dB")
        .arg(m_titles[best->side], siteText({best->layer, m_site}), formatExact(best->sqnrDb));
}

QString ComparePlot::fileStem() const {
    return QStringLiteral("compare_sqnr_%1").arg(toQString(siteName(m_site)));
}

QString ComparePlot::toCsv() const {
    QString csv = QStringLiteral("run,layer,site,sqnr_db\n");
    for (const Point& point : points())
        csv += QStringLiteral("%1,%2,%3,%4\n")
                   .arg(csvField(m_titles[point.side]))
                   .arg(point.layer)
                   .arg(toQString(siteName(m_site)), csvNumber(point.sqnrDb));
    return csv;
}

} // namespace bdq
