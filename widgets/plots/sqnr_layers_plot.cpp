#include "widgets/plots/sqnr_layers_plot.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <QComboBox>
#include <QHBoxLayout>
#include <QSignalBlocker>
#include <qcustomplot.h>

#include "widgets/format.h"
#include "widgets/plots/plot_style.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

constexpr int kPlainShape = 6;

/// The untransformed model is grey in every plot, so transforms are not. There are as many shapes as colors
/// with the grey: no two of the first 42 transforms look the same.
QColor transformColor(const PlotTheme& colors, int index) {
    constexpr int kGrey = 4;
    constexpr int kColors = 6;
    const int color = index % kColors;
    return colors.series(color < kGrey ? color : color + 1);
}

} // namespace

SqnrLayersPlot::SqnrLayersPlot(QWidget* parent) : AnalysisPlot(parent) {
    setAccessibleName(tr("SQNR of one site across layers under several transforms"));
    plot()->setAccessibleName(accessibleName());
    setupControls();
    refresh();
}

void SqnrLayersPlot::setupControls() {
    m_siteBox = new QComboBox(this);
    for (Site site : kLinearSites)
        m_siteBox->addItem(siteTitle(site), static_cast<int>(site));
    m_siteBox->setCurrentIndex(m_siteBox->findData(static_cast<int>(m_site)));
    m_siteBox->setAccessibleName(tr("Site"));
    m_schemeBox = new QComboBox(this);
    m_schemeBox->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_schemeBox->setAccessibleName(tr("Scheme"));
    m_schemeBox->setToolTip(metricToolTip("sqnr_db"));
    toolRow()->addWidget(m_siteBox);
    toolRow()->addWidget(m_schemeBox);
    toolRow()->addStretch(1);
    letShrink(toolRow());
    connect(m_siteBox, &QComboBox::activated, this,
            [this] { setSite(static_cast<Site>(m_siteBox->currentData().toInt())); });
    connect(m_schemeBox, &QComboBox::activated, this, [this] { setScheme(m_schemeBox->currentText()); });
}

void SqnrLayersPlot::analysisChanged() {
    const QSignalBlocker blocker(m_schemeBox);
    m_schemeBox->clear();
    std::set<std::string> schemes;
    if (analysis() && !analysis()->sites.empty())
        for (const auto& [kind, statistics] : analysis()->sites.front().transforms)
            for (const auto& [scheme, value] : statistics.sqnrDbPredicted)
                schemes.insert(scheme);
    for (const std::string& scheme : schemes)
        m_schemeBox->addItem(toQString(scheme));
    if (!schemes.empty() && !schemes.contains(m_scheme)) m_scheme = *schemes.begin();
    m_schemeBox->setCurrentText(toQString(m_scheme));
}

void SqnrLayersPlot::setSite(Site site) {
    m_site = site;
    const QSignalBlocker blocker(m_siteBox);
    m_siteBox->setCurrentIndex(m_siteBox->findData(static_cast<int>(site)));
    refresh();
}

void SqnrLayersPlot::setScheme(const QString& scheme) {
    m_scheme = scheme.toStdString();
    const QSignalBlocker blocker(m_schemeBox);
    m_schemeBox->setCurrentText(scheme);
    refresh();
}

std::vector<SqnrLayersPlot::Point> SqnrLayersPlot::points() const {
    std::vector<Point> result;
    if (!analysis()) return result;
    for (const SiteAnalysis& site : analysis()->sites) {
        if (site.key.site != m_site) continue;
        for (const auto& [kind, statistics] : site.transforms) {
            const auto predicted = statistics.sqnrDbPredicted.find(m_scheme);
            if (predicted == statistics.sqnrDbPredicted.end() || !std::isfinite(predicted->second)) continue;
            Point point{site.key, kind, predicted->second, std::nullopt};
            const auto measured = statistics.sqnrDbMeasured.find(m_scheme);
            if (measured != statistics.sqnrDbMeasured.end() && std::isfinite(measured->second))
                point.measured = measured->second;
            result.push_back(point);
        }
    }
    return result;
}

void SqnrLayersPlot::rebuild() {
    const PlotTheme colors = theme();
    const std::vector<Point> all = points();
    setTitle(tr("%1 · %2 · filled = measured, hollow = predicted · %3")
                 .arg(siteTitle(m_site), toQString(m_scheme), textSource()));
    plot()->xAxis->setLabel(tr("layer"));
    plot()->yAxis->setLabel(tr("SQNR (dB), higher is better"));
    int index = 0;
    for (const TransformInfo& info : transformTable()) {
        const bool plain = info.kind == TransformKind::None;
        const QColor color = plain ? colors.before : transformColor(colors, index);
        const int shape = plain ? kPlainShape : index;
        QVector<double> layers[3];
        QVector<double> values[3];
        for (const Point& point : all) {
            if (point.transform != info.kind) continue;
            layers[0] << point.key.layer;
            values[0] << point.measured.value_or(point.predicted);
            layers[point.measured ? 1 : 2] << point.key.layer;
            values[point.measured ? 1 : 2] << point.measured.value_or(point.predicted);
        }
        if (layers[0].empty()) continue;
        if (!plain) ++index;
        addLine(plot(), {}, color, 1.2, plain ? Qt::DashLine : Qt::SolidLine)->setData(layers[0], values[0]);
        QCPGraph* measured = addLine(plot(), toQString(info.title), color);
        QCPGraph* predicted = addLine(plot(), {}, color);
        measured->setData(layers[1], values[1]);
        predicted->setData(layers[2], values[2]);
        for (QCPGraph* graph : {measured, predicted}) {
            graph->setLineStyle(QCPGraph::lsNone);
            addMarks(graph, MarkStyle{shape, graph == measured && !layers[1].empty(), 7}, colors.background);
        }
    }
}

void SqnrLayersPlot::resetRanges() {
    std::vector<double> values;
    for (const Point& point : points())
        values.push_back(point.measured.value_or(point.predicted));
    fitRange(plot()->yAxis, values);
    useLayerAxis(plot()->xAxis, analysis() ? analysis()->model.layers : 1);
}

std::optional<SqnrLayersPlot::Point> SqnrLayersPlot::nearest(const QPointF& pixel) const {
    const std::vector<Point> all = points();
    const auto distance = [&](const Point& p) {
        return distanceTo(pixel, {plot()->xAxis->coordToPixel(p.key.layer),
                                  plot()->yAxis->coordToPixel(p.measured.value_or(p.predicted))});
    };
    const auto best = std::ranges::min_element(all, {}, distance);
    return best != all.end() && distance(*best) < kHitRadius ? std::optional(*best) : std::nullopt;
}

QString SqnrLayersPlot::readoutAt(const QPointF& pixel) const {
    const auto point = nearest(pixel);
    if (!point) return {};
    const QString measured = point->measured ? formatExact(*point->measured) : tr("not measured");
    return tr("%1 · %2   predicted %3 dB   measured %4 dB")
        .arg(siteText(point->key), toQString(transformInfo(point->transform).title),
             formatExact(point->predicted), measured);
}

void SqnrLayersPlot::clicked(const QPointF& pixel) {
    if (const auto point = nearest(pixel)) emit siteSelected(point->key);
}

QString SqnrLayersPlot::fileStem() const {
    return QStringLiteral("sqnr_layers_%1_%2").arg(toQString(siteName(m_site)), toQString(m_scheme));
}

QString SqnrLayersPlot::whatIsShown() const {
    return tr("SQNR of one site across the layers under every analysed transform: which one helps where.");
}

QString SqnrLayersPlot::toCsv() const {
    QString csv = QStringLiteral("layer,site,transform,sqnr_db_predicted,sqnr_db_measured\n");
    for (const Point& point : points())
        csv += QStringLiteral("%1,%2,%3,%4,%5\n")
                   .arg(point.key.layer)
                   .arg(toQString(siteName(point.key.site)), toQString(transformInfo(point.transform).id),
                        csvNumber(point.predicted), point.measured ? csvNumber(*point.measured) : QString());
    return csv;
}

} // namespace bdq
