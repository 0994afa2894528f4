#include "widgets/plots/sqnr_plot.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <QComboBox>
#include <QHBoxLayout>
#include <QLocale>
#include <QSignalBlocker>
#include <qcustomplot.h>

#include "widgets/format.h"
#include "widgets/plots/plot_style.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

constexpr double kBandDb = 0.5;

void choose(QComboBox* box, const QVariant& data) {
    const QSignalBlocker blocker(box);
    box->setCurrentIndex(box->findData(data));
}

} // namespace

SqnrPlot::SqnrPlot(QWidget* parent) : AnalysisPlot(parent) {
    setAccessibleName(tr("Predicted against measured SQNR of all sites"));
    plot()->setAccessibleName(accessibleName());
    setupControls();
    refresh();
}

void SqnrPlot::setupControls() {
    m_transformBox = new QComboBox(this);
    m_transformBox->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_transformBox->setAccessibleName(tr("Transform"));
    m_schemeBox = new QComboBox(this);
    m_schemeBox->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_schemeBox->setAccessibleName(tr("Scheme"));
    m_predictionBox = new QComboBox(this);
    m_predictionBox->addItem(tr("Per-channel rounding errors"), static_cast<int>(SqnrPrediction::PerChannel));
    m_predictionBox->addItem(tr("CAT theorem"), static_cast<int>(SqnrPrediction::Theorem));
    m_predictionBox->setItemData(0, metricToolTip("sqnr_db_predicted"), Qt::ToolTipRole);
    m_predictionBox->setItemData(1, metricToolTip("sqnr_db_theorem"), Qt::ToolTipRole);
    m_predictionBox->setAccessibleName(tr("Prediction"));
    m_predictionBox->setToolTip(metricToolTip("sqnr_db_predicted"));
    for (QComboBox* box : {m_transformBox, m_schemeBox, m_predictionBox})
        toolRow()->addWidget(box);
    toolRow()->addStretch(1);
    letShrink(toolRow());
    connect(m_transformBox, &QComboBox::activated, this,
            [this] { setTransform(static_cast<TransformKind>(m_transformBox->currentData().toInt())); });
    connect(m_schemeBox, &QComboBox::activated, this,
            [this] { setScheme(m_schemeBox->currentData().toString()); });
    connect(m_predictionBox, &QComboBox::activated, this,
            [this] { setPrediction(static_cast<SqnrPrediction>(m_predictionBox->currentData().toInt())); });
    analysisChanged();
}

void SqnrPlot::analysisChanged() {
    const QSignalBlocker blockTransforms(m_transformBox);
    const QSignalBlocker blockSchemes(m_schemeBox);
    m_transformBox->clear();
    m_schemeBox->clear();
    std::set<std::string> schemes;
    const bool known = analysis() && !analysis()->sites.empty();
    for (const TransformInfo& info : transformTable()) {
        if (known && !analysis()->sites.front().transforms.contains(info.kind)) continue;
        m_transformBox->addItem(toQString(info.title), static_cast<int>(info.kind));
        m_transformBox->setItemData(m_transformBox->count() - 1,
                                    explanationToolTip(info.title, info.explanation, info.citation),
                                    Qt::ToolTipRole);
    }
    if (known)
        for (const auto& [kind, statistics] : analysis()->sites.front().transforms)
            for (const auto& [scheme, value] : statistics.sqnrDbPredicted)
                schemes.insert(scheme);
    for (const std::string& scheme : schemes)
        m_schemeBox->addItem(toQString(scheme), toQString(scheme));
    if (!schemes.empty() && !schemes.contains(m_scheme)) m_scheme = *schemes.begin();
    choose(m_transformBox, static_cast<int>(m_transform));
    choose(m_schemeBox, toQString(m_scheme));
}

void SqnrPlot::setTransform(TransformKind transform) {
    m_transform = transform;
    choose(m_transformBox, static_cast<int>(transform));
    refresh();
}

void SqnrPlot::setScheme(const QString& scheme) {
    m_scheme = scheme.toStdString();
    choose(m_schemeBox, scheme);
    refresh();
}

void SqnrPlot::setPrediction(SqnrPrediction prediction) {
    m_prediction = prediction;
    choose(m_predictionBox, static_cast<int>(prediction));
    m_predictionBox->setToolTip(m_predictionBox->currentData(Qt::ToolTipRole).toString());
    refresh();
}

std::vector<SqnrPlot::Point> SqnrPlot::points() const {
    std::vector<Point> result;
    if (!analysis()) return result;
    for (const SiteAnalysis& site : analysis()->sites) {
        const auto statistics = site.transforms.find(m_transform);
        if (statistics == site.transforms.end()) continue;
        const auto& table = m_prediction == SqnrPrediction::PerChannel ? statistics->second.sqnrDbPredicted
                                                                       : statistics->second.sqnrDbTheorem;
        const auto predicted = table.find(m_scheme);
        if (predicted == table.end() || !std::isfinite(predicted->second)) continue;
        Point point{site.key, predicted->second, std::nullopt};
        const auto measured = statistics->second.sqnrDbMeasured.find(m_scheme);
        if (measured != statistics->second.sqnrDbMeasured.end() && std::isfinite(measured->second))
            point.measured = measured->second;
        result.push_back(point);
    }
    return result;
}

void SqnrPlot::addIdentityBand(double low, double high) {
    const PlotTheme colors = theme();
    QColor band = colors.text;
    band.setAlphaF(0.10F);
    QCPGraph* lower = addLine(plot(), {}, Qt::transparent, 1);
    lower->setData({low, high}, {low - kBandDb, high - kBandDb}, true);
    QCPGraph* upper = addLine(plot(), {}, Qt::transparent, 1);
    upper->setData({low, high}, {low + kBandDb, high + kBandDb}, true);
    upper->setBrush(band);
    upper->setChannelFillGraph(lower);
    QCPGraph* identity =
        addLine(plot(), tr("equal, band ±%1 dB").arg(formatDb(kBandDb)), colors.mutedText, 1.2);
    identity->setData({low, high}, {low, high}, true);
}

void SqnrPlot::addSitePoints(Site site, int index, const std::vector<Point>& all) {
    const PlotTheme colors = theme();
    QVector<double> x[2];
    QVector<double> y[2];
    for (const Point& point : all) {
        if (point.key.site != site) continue;
        const int kind = point.measured ? 0 : 1;
        x[kind] << point.predicted;
        y[kind] << point.measured.value_or(rug());
    }
    for (int kind = 0; kind < 2; ++kind) {
        QCPGraph* graph = addLine(plot(), kind == 0 ? siteTitle(site) : QString(), colors.series(index), 1.5);
        graph->setLineStyle(QCPGraph::lsNone);
        addMarks(graph, MarkStyle{index, kind == 0, 7}, colors.background);
        graph->setData(x[kind], y[kind]);
    }
}

void SqnrPlot::rebuild() {
    const std::vector<Point> all = points();
    m_low = 0;
    m_high = 1;
    double sum = 0;
    int measured = 0;
    int inside = 0;
    if (!all.empty()) {
        m_low = std::numeric_limits<double>::infinity();
        m_high = -m_low;
    }
    for (const Point& point : all) {
        const double other = point.measured.value_or(point.predicted);
        m_low = std::min({m_low, point.predicted, other});
        m_high = std::max({m_high, point.predicted, other});
        if (!point.measured) continue;
        ++measured;
        sum += point.predicted - *point.measured;
        inside += std::abs(point.predicted - *point.measured) <= kBandDb ? 1 : 0;
    }
    const double pad = std::max(1.0, (m_high - m_low) * 0.06);
    m_low -= pad;
    m_high += pad;
    plot()->xAxis->setLabel(tr("predicted SQNR (dB)"));
    plot()->yAxis->setLabel(tr("measured SQNR (dB)"));
    const QString difference = QLocale().toString(measured == 0 ? 0.0 : sum / measured, 'f', 2);
    const QString quality = measured == 0 ? tr("predicted only, nothing measured")
                                          : tr("%1 of %2 within %3 dB, mean difference %4 dB")
                                                .arg(inside)
                                                .arg(measured)
                                                .arg(formatDb(kBandDb), difference);
    setTitle(
        tr("%1 · %2 · %3 · %4")
            .arg(toQString(m_scheme), toQString(transformInfo(m_transform).title), quality, textSource()));
    addIdentityBand(m_low, m_high);
    int index = 0;
    for (Site site : kLinearSites)
        addSitePoints(site, index++, all);
    QCPGraph* ring = addLine(plot(), {}, theme().text, 2);
    ring->setLineStyle(QCPGraph::lsNone);
    ring->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(theme().text, 2), Qt::NoBrush, 13));
    for (const Point& point : all)
        if (std::ranges::find(selected(), point.key) != selected().end())
            ring->addData(point.predicted, point.measured.value_or(rug()));
}

double SqnrPlot::rug() const {
    return m_low + 0.02 * (m_high - m_low);
}

void SqnrPlot::resetRanges() {
    plot()->xAxis->setRange(m_low, m_high);
    plot()->yAxis->setRange(m_low, m_high);
}

QPointF SqnrPlot::pixelOf(const Point& point) const {
    return {plot()->xAxis->coordToPixel(point.predicted),
            plot()->yAxis->coordToPixel(point.measured.value_or(rug()))};
}

std::optional<SqnrPlot::Point> SqnrPlot::nearest(const QPointF& pixel) const {
    const std::vector<Point> all = points();
    const auto best =
        std::ranges::min_element(all, {}, [&](const Point& p) { return distanceTo(pixel, pixelOf(p)); });
    return best != all.end() && distanceTo(pixel, pixelOf(*best)) < kHitRadius ? std::optional(*best)
                                                                               : std::nullopt;
}

QString SqnrPlot::readoutAt(const QPointF& pixel) const {
    const auto point = nearest(pixel);
    if (!point) return {};
    const QString measured = point->measured ? formatExact(*point->measured) : tr("not measured");
    return tr("%1   predicted %2 dB   measured %3 dB")
        .arg(siteText(point->key), formatExact(point->predicted), measured);
}

void SqnrPlot::clicked(const QPointF& pixel) {
    if (const auto point = nearest(pixel)) emit siteSelected(point->key);
}

QString SqnrPlot::fileStem() const {
    return QStringLiteral("sqnr_%1_%2").arg(toQString(transformInfo(m_transform).id), toQString(m_scheme));
}

QString SqnrPlot::whatIsShown() const {
    return tr("How well the predicted SQNR of each site agrees with the measured one.");
}

QString SqnrPlot::toCsv() const {
    QString csv = QStringLiteral("layer,site,sqnr_db_predicted,sqnr_db_measured\n");
    for (const Point& point : points())
        csv += QStringLiteral("%1,%2,%3,%4\n")
                   .arg(point.key.layer)
                   .arg(toQString(siteName(point.key.site)), csvNumber(point.predicted),
                        point.measured ? csvNumber(*point.measured) : QString());
    return csv;
}

} // namespace bdq
