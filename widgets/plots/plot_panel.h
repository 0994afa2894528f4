// Base of all plots: theme from the palette, queued replot, wheel zoom, drag pan, Shift+drag box zoom,
// double-click or Home to reset, arrow keys and +/- by keyboard, readout of the exact value under the
// pointer, copy and export by context menu and the buttons in the corner. The only base that knows
// QCustomPlot; it writes no file itself.
#pragma once

#include <functional>

#include <QList>
#include <QWidget>

#include "widgets/plots/plot_content.h"

class QCPItemStraightLine;
class QCPTextElement;
class QCustomPlot;
class QHBoxLayout;
class QLabel;
class QStackedLayout;
class QContextMenuEvent;
class QMenu;

namespace bdq {

class EmptyState;
struct PlotTheme;

class PlotPanel : public QWidget {
    Q_OBJECT
public:
    ~PlotPanel() override;

    [[nodiscard]] QString title() const { return m_title; }
    [[nodiscard]] bool isEmpty() const { return m_empty; }
    /// Where the curves are, in the coordinates of the drawing; and how much of its height the title beside
    /// them takes.
    [[nodiscard]] QRect axesRect() const;
    [[nodiscard]] int yTitleHeight() const;
    /// What is drawn, on the plot's own background; `scale` device pixels per pixel.
    [[nodiscard]] QImage toImage(double scale = 2) const;
    [[nodiscard]] QByteArray toPng() const;
    [[nodiscard]] QByteArray toSvg() const;
    [[nodiscard]] QByteArray toPdf() const;
    /// The numbers behind the plot, C locale, header line first.
    [[nodiscard]] virtual QString toCsv() const = 0;
    /// One of the four above, by a suffix of plotSuffixes(); nothing for another.
    [[nodiscard]] QByteArray toFormat(const QString& suffix) const;
    /// What can be done while there is nothing to draw: buttons under the text that says so. The actions stay
    /// the caller's.
    void setEmptyActions(const QList<QAction*>& actions);
    /// Why nothing can be done to fill it: stands instead of what is missing and of the buttons; empty = it
    /// can.
    void setRefusal(const QString& reason);

public slots:
    void resetView();
    void copyImage();
    void copyCsv();

signals:
    /// The user wants the plot saved. The suffix of the suggested name is the format chosen; the name that is
    /// given in the end may have another, and `content` then gives that one.
    void saveRequested(const QString& suggestedName, const bdq::PlotContent& content);

protected:
    explicit PlotPanel(QWidget* parent);
    [[nodiscard]] QCustomPlot* plot() const { return m_plot; }
    /// Row above the plot for the controls of a subclass.
    [[nodiscard]] QHBoxLayout* toolRow() const { return m_toolRow; }
    /// Below the plot, right of the readout.
    [[nodiscard]] QHBoxLayout* footRow() const { return m_footRow; }
    void setTitle(const QString& title);
    /// Shows `text` instead of the plot; empty text shows the plot.
    void setEmptyText(const QString& text);
    void setReadout(const QString& text);
    /// Draws later, once per event loop round.
    void queueReplot();
    /// Clears the plot, calls rebuild() and draws; the ranges stay unless `reset`.
    void redraw(bool reset);
    [[nodiscard]] PlotTheme theme() const;

    /// Rebuilds what is drawn from the data and the theme.
    virtual void rebuild() = 0;
    /// Sets the axes to the whole data.
    virtual void resetRanges() = 0;
    /// Exact value at plot coordinates, for the readout; empty = nothing near.
    [[nodiscard]] virtual QString readoutAt(const QPointF& pixel) const = 0;
    /// Base of suggested file names, e.g. "histogram_layer11_down".
    [[nodiscard]] virtual QString fileStem() const = 0;
    virtual void clicked(const QPointF& pixel);

    void changeEvent(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    [[nodiscard]] QString emptyStateText() const;
    void applyTheme();
    void setupLayout();
    void setupPlot();
    /// Makes title, legend and the title of the y axis fit a plot of this size.
    void fitTexts(QSize size) const;
    void elideTitle(int width) const;
    void wrapLegend(int width) const;
    /// Draws at the size of an export, texts fitted to that.
    void forExport(const std::function<void(QSize size)>& draw) const;
    void showPointer(const QPointF& pixel);
    [[nodiscard]] QSize exportSize() const;
    bool plotEvent(QEvent* event);
    void zoomAround(double factor);
    void requestSave(const QString& suffix);
    void popUpMenu(const QPoint& globalPosition);
    void addSaveActions(QMenu* menu);
    [[nodiscard]] QWidget* makeTools();
    void placeTools();
    void paintTools();

    QCustomPlot* m_plot = nullptr;
    QHBoxLayout* m_toolRow = nullptr;
    QHBoxLayout* m_footRow = nullptr;
    QStackedLayout* m_stack = nullptr;
    QCPTextElement* m_titleElement = nullptr;
    QCPItemStraightLine* m_crosshair = nullptr;
    EmptyState* m_emptyState = nullptr;
    QString m_emptyText;
    QString m_refusal;
    QList<QAction*> m_emptyActions;
    QWidget* m_tools = nullptr; ///< over the corner of the plot, beside its title
    QLabel* m_readout = nullptr;
    QString m_title;
    QString m_xTitle; ///< whole, as the next: the axes show what fits
    QString m_yTitle;
    bool m_empty = true;
    bool m_restyling = false;
    QPointF m_pressed;
};

} // namespace bdq
