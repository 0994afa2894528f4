// Title, legend and axis title of a plot, by the room there is.
#include <algorithm>

#include <qcustomplot.h>

#include "widgets/plots/plot_panel.h"

namespace bdq {

namespace {

constexpr int kNarrowestTitle = 80;
constexpr double kMostLegend = 0.3; ///< of the height; a larger one would leave no room for the curves
constexpr int kLowLines = 9;        ///< lines of text below which the x axis goes without its title
constexpr int kAroundAxis = 44;     ///< ticks and gaps above and below the axis

/// A legend that is not shown takes a pixel: the layout does not look at its visibility.
void showLegend(QCPLegend* legend, bool shown) {
    legend->setVisible(shown);
    legend->setMinimumSize(shown ? QSize(0, 0) : QSize(1, 1));
    legend->setMaximumSize(shown ? QSize(QWIDGETSIZE_MAX, QWIDGETSIZE_MAX) : QSize(QWIDGETSIZE_MAX, 1));
}

} // namespace

void PlotPanel::fitTexts(QSize size) const {
    elideTitle(size.width());
    wrapLegend(size.width());
    const int legendHeight = m_plot->legend->minimumOuterSizeHint().height();
    const bool legend = legendHeight <= kMostLegend * size.height();
    showLegend(m_plot->legend, legend);
    const QFontMetrics metrics(m_plot->yAxis->labelFont());
    m_plot->xAxis->setLabel(size.height() < kLowLines * metrics.height() ? QString() : m_xTitle);
    const int lines = 3 * metrics.height(); // the plot's title, tick labels and title of the x axis
    const int room = size.height() - (legend ? legendHeight : 0) - lines - kAroundAxis;
    m_plot->yAxis->setLabel(metrics.elidedText(m_yTitle, Qt::ElideRight, std::max(0, room)));
}

QRect PlotPanel::axesRect() const {
    return m_plot->axisRect()->rect();
}

int PlotPanel::yTitleHeight() const {
    return QFontMetrics(m_plot->yAxis->labelFont()).horizontalAdvance(m_plot->yAxis->label());
}

void PlotPanel::elideTitle(int width) const {
    const QFontMetrics metrics(m_titleElement->font());
    const int room = width - m_tools->width() - 24;
    m_titleElement->setText(metrics.elidedText(m_title, Qt::ElideMiddle, std::max(kNarrowestTitle, room)));
}

void PlotPanel::wrapLegend(int width) const {
    constexpr int kGap = 16;
    QCPLegend* legend = m_plot->legend;
    int widest = 1;
    int together = 0;
    int entries = 0;
    for (int i = 0; i < legend->itemCount(); ++i) {
        const QCPAbstractLegendItem* item = legend->item(i);
        if (!item) continue; // an empty cell of the grid
        const int itemWidth = item->minimumOuterSizeHint().width() + kGap;
        widest = std::max(widest, itemWidth);
        together += itemWidth;
        ++entries;
    }
    const int room = width - 2 * kGap;
    const int columns = together <= room ? std::max(1, entries) : std::max(1, room / widest);
    if (columns == legend->wrap()) return;
    legend->setWrap(columns);
    legend->setFillOrder(QCPLegend::foColumnsFirst, true);
}

void PlotPanel::forExport(const std::function<void(QSize size)>& draw) const {
    const QSize size = exportSize();
    fitTexts(size);
    draw(size);
    fitTexts(m_plot->size());
}

} // namespace bdq
