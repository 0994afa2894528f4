#include "widgets/plots/channels_plot.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <QComboBox>
#include <QHBoxLayout>
#include <QSignalBlocker>
#include <qcustomplot.h>

#include "widgets/format.h"
#include "widgets/plots/plot_style.h"
#include "widgets/theme.h"

namespace bdq {

ChannelsPlot::ChannelsPlot(QWidget* parent) : DetailPlot(parent) {
    setAccessibleName(tr("Sorted channel magnitudes before and after a transform"));
    plot()->setAccessibleName(accessibleName());
    m_magnitudeBox = new QComboBox(this);
    m_magnitudeBox->addItem(tr("RMS"), static_cast<int>(ChannelMagnitude::Rms));
    m_magnitudeBox->addItem(tr("Largest"), static_cast<int>(ChannelMagnitude::Absmax));
    m_magnitudeBox->setAccessibleName(tr("Magnitude of a channel"));
    m_magnitudeBox->setToolTip(
        tr("RMS: root mean square of the channel. Largest: its largest absolute value."));
    toolRow()->insertWidget(1, m_magnitudeBox);
    letShrink(toolRow());
    connect(m_magnitudeBox, &QComboBox::activated, this,
            [this] { setMagnitude(static_cast<ChannelMagnitude>(m_magnitudeBox->currentData().toInt())); });
    useLogAxis(plot()->yAxis, true);
    refresh();
}

void ChannelsPlot::setMagnitude(ChannelMagnitude magnitude) {
    m_magnitude = magnitude;
    const QSignalBlocker blocker(m_magnitudeBox);
    m_magnitudeBox->setCurrentIndex(m_magnitudeBox->findData(static_cast<int>(magnitude)));
    refresh();
}

std::vector<double> ChannelsPlot::sorted(TransformKind kind, std::vector<int>* channels) const {
    const TransformDetail* found = transform(kind);
    if (!found) return {};
    const bool rms = m_magnitude == ChannelMagnitude::Rms;
    const std::vector<float>& values =
        operand() == Operand::Activation
            ? (rms ? found->channelRmsActivation : found->channelAbsmaxActivation)
            : (rms ? found->channelRmsWeight : found->channelAbsmaxWeight);
    std::vector<int> order(values.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, [&values](int a, int b) {
        return values[static_cast<std::size_t>(a)] > values[static_cast<std::size_t>(b)];
    });
    std::vector<double> result;
    result.reserve(order.size());
    for (int channel : order)
        result.push_back(static_cast<double>(values[static_cast<std::size_t>(channel)]));
    if (channels) *channels = std::move(order);
    return result;
}

void ChannelsPlot::rebuild() {
    const PlotTheme colors = theme();
    plot()->xAxis->setLabel(tr("channels by magnitude, largest first"));
    plot()->yAxis->setLabel(m_magnitude == ChannelMagnitude::Rms ? tr("RMS of the channel")
                                                                 : tr("largest magnitude of the channel"));
    const auto draw = [&](TransformKind kind, const QString& when, const QColor& color, double width) {
        const std::vector<double> values = sorted(kind);
        if (values.empty()) return;
        std::vector<double> ranks(values.size());
        std::iota(ranks.begin(), ranks.end(), 1.0);
        QCPGraph* graph =
            addLine(plot(), tr("%1: %2").arg(when, toQString(transformInfo(kind).title)), color, width);
        QColor fill = color;
        fill.setAlphaF(0.12F);
        graph->setBrush(fill);
        setPoints(graph, ranks, values);
    };
    draw(before(), tr("before"), colors.before, 1.5);
    if (before() != after()) draw(after(), tr("after"), colors.after, 2);
}

void ChannelsPlot::resetRanges() {
    std::vector<double> all = sorted(before());
    const double count = static_cast<double>(std::max<std::size_t>(1, all.size()));
    const std::vector<double> second = sorted(after());
    all.insert(all.end(), second.begin(), second.end());
    fitRange(plot()->yAxis, all);
    plot()->xAxis->setRange(1 - count * 0.01, count * 1.01);
}

QString ChannelsPlot::readoutAt(const QPointF& pixel) const {
    const auto rank = std::llround(plot()->xAxis->pixelToCoord(pixel.x()));
    QString text = tr("rank %1").arg(formatCount(rank));
    bool any = false;
    const auto append = [&](TransformKind kind, const QString& when) {
        std::vector<int> channels;
        const std::vector<double> values = sorted(kind, &channels);
        if (rank < 1 || rank > static_cast<long long>(values.size())) return;
        any = true;
        const auto i = static_cast<std::size_t>(rank - 1);
        text += tr("   %1 %2 (channel %3)").arg(when, formatExact(values[i])).arg(channels[i]);
    };
    append(before(), tr("before"));
    if (before() != after()) append(after(), tr("after"));
    return any ? text : QString();
}

QString ChannelsPlot::fileStem() const {
    return QStringLiteral("channels_") + DetailPlot::fileStem();
}

QString ChannelsPlot::whatIsShown() const {
    return tr("The magnitude of every channel, largest first: steep on the left means outlier channels.");
}

QString ChannelsPlot::toCsv() const {
    std::vector<int> channelsBefore;
    std::vector<int> channelsAfter;
    const std::vector<double> first = sorted(before(), &channelsBefore);
    const std::vector<double> second = sorted(after(), &channelsAfter);
    QString csv = QStringLiteral("rank,channel_%1,magnitude_%1,channel_%2,magnitude_%2\n")
                      .arg(toQString(transformInfo(before()).id), toQString(transformInfo(after()).id));
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        const auto pair = [i](const std::vector<int>& channels, const std::vector<double>& values) {
            return i < values.size() ? QStringLiteral("%1,%2").arg(channels[i]).arg(csvNumber(values[i]))
                                     : QStringLiteral(",");
        };
        csv += QStringLiteral("%1,%2,%3\n")
                   .arg(i + 1)
                   .arg(pair(channelsBefore, first), pair(channelsAfter, second));
    }
    return csv;
}

} // namespace bdq
