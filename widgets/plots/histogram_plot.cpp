#include "widgets/plots/histogram_plot.h"

#include <algorithm>
#include <cmath>

#include <qcustomplot.h>

#include "widgets/format.h"
#include "widgets/plots/plot_style.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

constexpr double kFloor = 0.5; // where a count of zero is drawn on the logarithmic axis

struct BinRange {
    int first = 0; ///< regular bins
    int last = -1;
};

std::int64_t regular(const LogHistogram& histogram, int bin) {
    return histogram.counts[static_cast<std::size_t>(bin + 1)];
}

void extend(BinRange& range, const LogHistogram& histogram) {
    for (int bin = 0; bin < LogHistogram::kRegularBins; ++bin) {
        if (regular(histogram, bin) == 0) continue;
        range.first = range.last < range.first ? bin : std::min(range.first, bin);
        range.last = std::max(range.last, bin);
    }
}

QString outsideText(const LogHistogram& histogram) {
    const std::int64_t below = histogram.counts.front();
    const std::int64_t above = histogram.counts.back();
    QStringList parts;
    if (below > 0) parts << HistogramPlot::tr("%1 zero or tiny").arg(formatCount(below));
    if (above > 0) parts << HistogramPlot::tr("%1 beyond the axis").arg(formatCount(above));
    return parts.isEmpty() ? QString() : QStringLiteral(" (%1)").arg(parts.join(QStringLiteral(", ")));
}

void addSteps(QCPGraph* graph, const LogHistogram& histogram, BinRange range, const QColor& fill) {
    QVector<double> keys;
    QVector<double> values;
    for (int bin = range.first; bin <= range.last; ++bin) {
        keys << LogHistogram::lowerEdge(bin);
        values << std::max(kFloor, static_cast<double>(regular(histogram, bin)));
    }
    keys << LogHistogram::lowerEdge(range.last + 1);
    values << kFloor;
    graph->setLineStyle(QCPGraph::lsStepLeft);
    graph->setBrush(fill);
    graph->setData(keys, values, true);
}

} // namespace

HistogramPlot::HistogramPlot(QWidget* parent) : DetailPlot(parent) {
    setAccessibleName(tr("Histogram of magnitudes before and after a transform"));
    plot()->setAccessibleName(accessibleName());
    useLogAxis(plot()->xAxis, true);
    useLogAxis(plot()->yAxis, true);
    refresh();
}

const LogHistogram* HistogramPlot::histogram(TransformKind kind) const {
    const TransformDetail* found = transform(kind);
    if (!found) return nullptr;
    return operand() == Operand::Activation ? &found->histogramActivation : &found->histogramWeight;
}

void HistogramPlot::rebuild() {
    const LogHistogram* first = histogram(before());
    const LogHistogram* second = histogram(after());
    BinRange range;
    for (const LogHistogram* one : {first, second})
        if (one) extend(range, *one);
    plot()->xAxis->setLabel(operand() == Operand::Activation ? tr("magnitude |x|") : tr("magnitude |w|"));
    plot()->yAxis->setLabel(tr("count per bin"));
    if (range.last < range.first) return;
    const PlotTheme colors = theme();
    const auto draw = [&](const LogHistogram* one, TransformKind kind, const QString& when,
                          const QColor& color, double width) {
        const QString name = tr("%1: %2").arg(when, toQString(transformInfo(kind).title)) + outsideText(*one);
        QColor fill = color;
        fill.setAlphaF(0.22F);
        addSteps(addLine(plot(), name, color, width), *one, range, fill);
    };
    if (first) draw(first, before(), tr("before"), colors.before, 1.5);
    if (second && before() != after()) draw(second, after(), tr("after"), colors.after, 2);
}

void HistogramPlot::resetRanges() {
    plot()->rescaleAxes();
    const double top = plot()->yAxis->range().upper;
    plot()->yAxis->setRange(kFloor * 1.4, std::max(10.0, top * 2));
    const QCPRange x = plot()->xAxis->range();
    if (x.lower > 0) plot()->xAxis->setRange(x.lower / 1.2, x.upper * 1.2);
}

QString HistogramPlot::readoutAt(const QPointF& pixel) const {
    const double x = plot()->xAxis->pixelToCoord(pixel.x());
    const int index = LogHistogram::binOf(x);
    if (index <= 0 || index > LogHistogram::kRegularBins) return {};
    QString text = tr("%1 ≤ magnitude < %2")
                       .arg(formatNumber(LogHistogram::lowerEdge(index - 1)),
                            formatNumber(LogHistogram::lowerEdge(index)));
    const auto append = [&](TransformKind kind, const QString& when) {
        const LogHistogram* one = histogram(kind);
        if (one) text += tr("   %1 %2").arg(when, formatCount(one->counts[static_cast<std::size_t>(index)]));
    };
    append(before(), tr("before"));
    if (before() != after()) append(after(), tr("after"));
    return text;
}

QString HistogramPlot::fileStem() const {
    return QStringLiteral("histogram_") + DetailPlot::fileStem();
}

QString HistogramPlot::whatIsShown() const {
    return tr("How often each magnitude occurs in a site, before and after a transform.");
}

QString HistogramPlot::toCsv() const {
    const LogHistogram* first = histogram(before());
    const LogHistogram* second = histogram(after());
    QString csv = QStringLiteral("magnitude_from,magnitude_to,count_%1,count_%2\n")
                      .arg(toQString(transformInfo(before()).id), toQString(transformInfo(after()).id));
    for (int bin = 0; bin < LogHistogram::kBins; ++bin) {
        const double from = bin == 0 ? 0 : LogHistogram::lowerEdge(bin - 1);
        const bool last = bin == LogHistogram::kBins - 1;
        const auto count = [bin](const LogHistogram* one) {
            return one ? QString::number(static_cast<qlonglong>(one->counts[static_cast<std::size_t>(bin)]))
                       : QString();
        };
        csv += QStringLiteral("%1,%2,%3,%4\n")
                   .arg(csvNumber(from), last ? QString() : csvNumber(LogHistogram::lowerEdge(bin)),
                        count(first), count(second));
    }
    return csv;
}

} // namespace bdq
