#include "widgets/plots/plot_panel.h"

#include <cmath>

#include <QApplication>
#include <QContextMenuEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QStackedLayout>
#include <qcustomplot.h>

#include "widgets/panels/empty_state.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

constexpr int kSpacing = 8;
constexpr int kFocusLine = 2;
constexpr double kKeyZoom = 0.8;
constexpr double kKeyPan = 0.1;

} // namespace

PlotPanel::PlotPanel(QWidget* parent) : QWidget(parent) {
    setupLayout();
    setupPlot();
    applyTheme();
}

PlotPanel::~PlotPanel() = default;

void PlotPanel::setupLayout() {
    m_plot = new QCustomPlot(this);
    m_plot->setFocusPolicy(Qt::NoFocus);
    m_plot->setMinimumSize(160, 88);
    m_emptyState = new EmptyState(this);
    m_tools = makeTools();
    m_readout = new QLabel(this);
    m_readout->setTextFormat(Qt::PlainText);
    m_readout->setFont(tabularFont(font()));
    m_readout->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
    m_readout->setTextInteractionFlags(Qt::TextSelectableByMouse);

    m_toolRow = new QHBoxLayout;
    m_toolRow->setSpacing(kSpacing);
    auto* area = new QWidget(this);
    m_stack = new QStackedLayout(area);
    m_stack->addWidget(m_plot);
    m_stack->addWidget(m_emptyState);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(kSpacing, kSpacing, kSpacing, 4);
    layout->setSpacing(4);
    layout->addLayout(m_toolRow);
    layout->addWidget(area, 1);
    m_footRow = new QHBoxLayout;
    m_footRow->setSpacing(kSpacing);
    m_footRow->addWidget(m_readout, 1);
    layout->addLayout(m_footRow);
    setFocusPolicy(Qt::StrongFocus);
    m_stack->setCurrentWidget(m_emptyState);
}

void PlotPanel::setupPlot() {
    m_plot->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
    m_plot->setNoAntialiasingOnDrag(true);
    m_plot->installEventFilter(this);
    m_plot->setMouseTracking(true);
    m_titleElement = new QCPTextElement(m_plot);
    m_titleElement->setTextFlags(Qt::AlignLeft | Qt::AlignVCenter);
    QCPLayoutGrid* grid = m_plot->plotLayout();
    grid->insertRow(0);
    grid->insertRow(0);
    grid->setRowSpacing(0);
    grid->addElement(0, 0, m_titleElement);
    // The legend is a strip above the axes, so that it never covers data.
    auto* strip = new QCPLayoutGrid;
    QCPLegend* legend = m_plot->legend;
    m_plot->axisRect()->insetLayout()->take(legend);
    strip->addElement(0, 0, legend);
    strip->addElement(0, 1, new QCPLayoutElement(m_plot));
    strip->setColumnStretchFactor(0, 0.001);
    grid->addElement(1, 0, strip);
    grid->setRowStretchFactor(0, 0.001);
    grid->setRowStretchFactor(1, 0.001);
    legend->setLayer(QStringLiteral("legend"));
    legend->setFillOrder(QCPLegend::foColumnsFirst);
    legend->setBorderPen(Qt::NoPen);
    legend->setBrush(Qt::NoBrush);
    legend->setIconSize(24, 12);
    legend->setMargins(QMargins(8, 4, 8, 4));
    legend->setColumnSpacing(16);
    legend->setVisible(true);
    m_plot->layer(QStringLiteral("overlay"))->setMode(QCPLayer::lmBuffered);
    m_plot->axisRect()->setupFullAxesBox(false);
    m_plot->xAxis2->setVisible(false);
    m_plot->yAxis2->setVisible(false);
}

void PlotPanel::setTitle(const QString& title) {
    m_title = title;
    m_plot->setAccessibleDescription(title);
    setAccessibleDescription(title);
    elideTitle(m_plot->width());
}

void PlotPanel::setEmptyText(const QString& text) {
    m_empty = !text.isEmpty();
    m_emptyText = text;
    m_emptyState->setText(emptyStateText());
    m_stack->setCurrentIndex(m_empty ? 1 : 0);
    m_readout->clear();
}

void PlotPanel::setReadout(const QString& text) {
    m_readout->setText(text);
}

void PlotPanel::queueReplot() {
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

PlotTheme PlotPanel::theme() const {
    return PlotTheme::from(palette());
}

void PlotPanel::redraw(bool reset) {
    m_crosshair = nullptr;
    m_plot->clearPlottables();
    m_plot->clearItems();
    if (!m_empty) {
        rebuild();
        m_xTitle = m_plot->xAxis->label();
        m_yTitle = m_plot->yAxis->label();
        fitTexts(m_plot->size());
        m_crosshair = new QCPItemStraightLine(m_plot);
        m_crosshair->setLayer(QStringLiteral("overlay"));
        m_crosshair->setPen(QPen(theme().mutedText, 0, Qt::DotLine));
        m_crosshair->setVisible(false);
        if (reset) resetRanges();
    }
    queueReplot();
}

void PlotPanel::resetView() {
    if (m_empty) return;
    resetRanges();
    queueReplot();
}

void PlotPanel::applyTheme() {
    const PlotTheme colors = theme();
    m_plot->setBackground(QBrush(colors.background));
    m_titleElement->setTextColor(colors.text);
    m_titleElement->setFont(font());
    m_plot->legend->setTextColor(colors.text);
    m_plot->legend->setFont(font());
    for (QCPAxis* axis : {m_plot->xAxis, m_plot->yAxis}) {
        axis->setBasePen(QPen(colors.mutedText));
        axis->setTickPen(QPen(colors.mutedText));
        axis->setSubTickPen(QPen(colors.grid));
        axis->setTickLabelColor(colors.text);
        axis->setLabelColor(colors.text);
        axis->setTickLabelFont(font());
        axis->setLabelFont(font());
        axis->grid()->setPen(QPen(colors.grid, 0));
        axis->grid()->setZeroLinePen(QPen(colors.grid, 0));
    }
    m_plot->selectionRect()->setPen(QPen(colors.text, 0, Qt::DashLine));
    paintTools();
    m_readout->setFont(tabularFont(font()));
    m_readout->setFixedHeight(m_readout->fontMetrics().height() + 4);
    elideTitle(m_plot->width());
}

void PlotPanel::clicked(const QPointF& pixel) {
    Q_UNUSED(pixel)
}

void PlotPanel::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    const bool relevant = event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange;
    if (!relevant || !m_plot || m_restyling) return;
    m_restyling = true;
    applyTheme();
    redraw(false);
    m_restyling = false;
}

void PlotPanel::paintEvent(QPaintEvent* event) {
    QWidget::paintEvent(event);
    if (!hasFocus()) return;
    QPainter painter(this); // an outline: a filled plate would look like a selection
    painter.setPen(QPen(palette().color(QPalette::Highlight), kFocusLine));
    const qreal half = kFocusLine / 2.0;
    painter.drawRect(QRectF(rect()).adjusted(half, half, -half, -half));
}

void PlotPanel::zoomAround(double factor) {
    for (QCPAxis* axis : {m_plot->xAxis, m_plot->yAxis})
        axis->scaleRange(factor);
    queueReplot();
}

void PlotPanel::keyPressEvent(QKeyEvent* event) {
    const auto pan = [this](QCPAxis* axis, double share) {
        if (axis->scaleType() == QCPAxis::stLogarithmic)
            axis->moveRange(std::pow(axis->range().upper / axis->range().lower, share));
        else
            axis->moveRange(axis->range().size() * share);
        queueReplot();
    };
    switch (event->key()) {
    case Qt::Key_Home:
    case Qt::Key_0:
        return resetView();
    case Qt::Key_Plus:
    case Qt::Key_Equal:
        return zoomAround(kKeyZoom);
    case Qt::Key_Minus:
        return zoomAround(1 / kKeyZoom);
    case Qt::Key_Left:
        return pan(m_plot->xAxis, -kKeyPan);
    case Qt::Key_Right:
        return pan(m_plot->xAxis, kKeyPan);
    case Qt::Key_Up:
        return pan(m_plot->yAxis, kKeyPan);
    case Qt::Key_Down:
        return pan(m_plot->yAxis, -kKeyPan);
    default:
        break;
    }
    if (event->matches(QKeySequence::Copy)) return copyCsv();
    QWidget::keyPressEvent(event);
}

bool PlotPanel::eventFilter(QObject* watched, QEvent* event) {
    return (watched == m_plot && plotEvent(event)) || QWidget::eventFilter(watched, event);
}

void PlotPanel::showPointer(const QPointF& pixel) {
    if (!m_crosshair) return;
    const bool inside = m_plot->axisRect()->rect().contains(pixel.toPoint());
    setReadout(inside ? readoutAt(pixel) : QString());
    const double x = m_plot->xAxis->pixelToCoord(pixel.x());
    m_crosshair->point1->setCoords(x, m_plot->yAxis->range().lower);
    m_crosshair->point2->setCoords(x, m_plot->yAxis->range().upper);
    m_crosshair->setVisible(inside);
    m_plot->layer(QStringLiteral("overlay"))->replot();
}

bool PlotPanel::plotEvent(QEvent* event) {
    switch (event->type()) {
    case QEvent::MouseButtonPress: {
        const auto* mouse = static_cast<QMouseEvent*>(event);
        m_pressed = mouse->position();
        setFocus(Qt::MouseFocusReason);
        m_plot->setSelectionRectMode(mouse->modifiers().testFlag(Qt::ShiftModifier) ? QCP::srmZoom
                                                                                    : QCP::srmNone);
        return false;
    }
    case QEvent::MouseButtonRelease: {
        const auto* mouse = static_cast<QMouseEvent*>(event);
        const bool still =
            (mouse->position() - m_pressed).manhattanLength() < QApplication::startDragDistance();
        if (mouse->button() == Qt::LeftButton && still && !m_empty) clicked(mouse->position());
        return false;
    }
    case QEvent::MouseButtonDblClick:
        resetView();
        return true;
    case QEvent::MouseMove:
        showPointer(static_cast<QMouseEvent*>(event)->position());
        return false;
    case QEvent::Leave:
        setReadout({});
        if (m_crosshair) {
            m_crosshair->setVisible(false);
            m_plot->layer(QStringLiteral("overlay"))->replot();
        }
        return false;
    case QEvent::ContextMenu: // QCustomPlot keeps mouse events from its parent
        popUpMenu(static_cast<QContextMenuEvent*>(event)->globalPos());
        return true;
    case QEvent::Resize:
        placeTools();
        fitTexts(m_plot->size());
        return false;
    default:
        return false;
    }
}

void PlotPanel::contextMenuEvent(QContextMenuEvent* event) {
    // The key has no place of its own to open at that would show what it belongs to.
    const bool byKey = event->reason() == QContextMenuEvent::Keyboard;
    popUpMenu(byKey ? m_plot->mapToGlobal(m_plot->rect().center()) : event->globalPos());
}

} // namespace bdq
