#include "widgets/plots/plot_style.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <QComboBox>
#include <QHBoxLayout>
#include <qcustomplot.h>

#include "widgets/plots/decimate.h"

namespace bdq {

QCPGraph* addLine(QCustomPlot* plot, const QString& name, const QColor& color, double width,
                  Qt::PenStyle style) {
    QCPGraph* graph = plot->addGraph();
    QPen pen(color);
    pen.setWidthF(width);
    pen.setStyle(style);
    graph->setPen(pen);
    graph->setAntialiased(true);
    graph->setAdaptiveSampling(true);
    if (name.isEmpty())
        graph->removeFromLegend();
    else
        graph->setName(name);
    return graph;
}

void addMarks(QCPGraph* graph, const MarkStyle& mark, const QColor& background) {
    static constexpr std::array kShapes{QCPScatterStyle::ssCircle,           QCPScatterStyle::ssSquare,
                                        QCPScatterStyle::ssTriangle,         QCPScatterStyle::ssDiamond,
                                        QCPScatterStyle::ssTriangleInverted, QCPScatterStyle::ssPlusSquare,
                                        QCPScatterStyle::ssCrossCircle};
    if (mark.shape < 0) return;
    const QColor color = graph->pen().color();
    QPen pen(color);
    pen.setWidthF(1.5);
    const auto shape = kShapes[static_cast<std::size_t>(mark.shape) % kShapes.size()];
    graph->setScatterStyle(QCPScatterStyle(shape, pen, QBrush(mark.filled ? color : background), mark.size));
}

void setPoints(QCPGraph* graph, const std::vector<double>& keys, const std::vector<double>& values) {
    QVector<double> x;
    QVector<double> y;
    for (std::size_t index : decimate(values, kPointBudget)) {
        x << keys[index];
        y << values[index];
    }
    graph->setData(x, y, true);
}

void useLayerAxis(QCPAxis* axis, int layers) {
    constexpr int kMostTicks = 15;
    const QSharedPointer<QCPAxisTickerFixed> ticker(new QCPAxisTickerFixed);
    ticker->setTickStep(std::max(1, (layers + kMostTicks - 1) / kMostTicks));
    ticker->setScaleStrategy(QCPAxisTickerFixed::ssMultiples);
    ticker->setTickCount(kMostTicks);
    axis->setTicker(ticker);
    axis->setSubTicks(false);
    axis->setRange(-0.5, std::max(1, layers) - 0.5);
}

void useLogAxis(QCPAxis* axis, bool logarithmic) {
    axis->setScaleType(logarithmic ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
    axis->setTicker(logarithmic ? QSharedPointer<QCPAxisTicker>(new QCPAxisTickerLog)
                                : QSharedPointer<QCPAxisTicker>(new QCPAxisTicker));
    axis->setNumberFormat(QStringLiteral("gb"));
    axis->setNumberPrecision(logarithmic ? 3 : 6);
    axis->setSubTicks(!logarithmic);
}

void fitRange(QCPAxis* axis, const std::vector<double>& values, double margin) {
    const bool logarithmic = axis->scaleType() == QCPAxis::stLogarithmic;
    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    for (double value : values) {
        if (!std::isfinite(value) || (logarithmic && value <= 0)) continue;
        low = std::min(low, value);
        high = std::max(high, value);
    }
    if (low > high) return axis->setRange(logarithmic ? 0.1 : 0, logarithmic ? 10 : 1);
    if (logarithmic) {
        const double factor = std::max(1.2, std::pow(high / low, margin));
        return axis->setRange(low / factor, high * factor);
    }
    const double pad = high > low ? (high - low) * margin : std::max(0.5, std::abs(high) * margin);
    axis->setRange(low - pad, high + pad);
}

Qt::PenStyle dashOf(int index) {
    static constexpr std::array kDashes{Qt::SolidLine, Qt::DashLine, Qt::DashDotLine, Qt::DotLine,
                                        Qt::DashDotDotLine};
    return kDashes[static_cast<std::size_t>(index) % kDashes.size()];
}

double distanceTo(const QPointF& a, const QPointF& b) {
    return std::hypot(a.x() - b.x(), a.y() - b.y());
}

void letShrink(QHBoxLayout* toolRow) {
    constexpr int kNarrowest = 72;
    constexpr int kShort = 150; // a box of short entries never cuts them; long ones share what is left
    for (int i = 0; i < toolRow->count(); ++i) {
        auto* box = qobject_cast<QComboBox*>(toolRow->itemAt(i)->widget());
        if (!box) continue;
        box->setSizeAdjustPolicy(QComboBox::AdjustToContents);
        const int wanted = box->sizeHint().width();
        box->setMinimumWidth(wanted <= kShort ? std::max(kNarrowest, wanted) : kNarrowest);
    }
}

QString csvField(const QString& text) {
    if (!text.contains(u',') && !text.contains(u'"') && !text.contains(u'\n')) return text;
    QString quoted = text;
    return u'"' + quoted.replace(u'"', QStringLiteral("\"\"")) + u'"';
}

QString csvNumber(double value) {
    return std::isfinite(value) ? QString::number(value, 'g', 9) : QString();
}

} // namespace bdq
