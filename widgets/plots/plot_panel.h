// Base of all plots: theme from the palette, queued replot, wheel zoom, drag pan, Shift+drag box zoom,
// double-click or Home to reset, arrow keys and +/- by keyboard, readout of the exact value under the
// pointer, copy and export. The only base that knows QCustomPlot; it writes no file itself.
#pragma once

#include <QWidget>

class QCPItemStraightLine;
class QCPTextElement;
class QCustomPlot;
class QHBoxLayout;
class QLabel;
class QStackedLayout;
class QContextMenuEvent;

namespace bdq {

struct PlotTheme;

class PlotPanel : public QWidget {
    Q_OBJECT
public:
    ~PlotPanel() override;

    [[nodiscard]] QString title() const { return m_title; }
    [[nodiscard]] bool isEmpty() const { return m_empty; }
    /// What is drawn, on the plot's own background; `scale` device pixels per pixel.
    [[nodiscard]] QImage toImage(double scale = 2) const;
    [[nodiscard]] QByteArray toPng() const;
    [[nodiscard]] QByteArray toSvg() const;
    [[nodiscard]] QByteArray toPdf() const;
    /// The numbers behind the plot, C locale, header line first.
    [[nodiscard]] virtual QString toCsv() const = 0;

public slots:
    void resetView();
    void copyImage();
    void copyCsv();

signals:
    /// The user wants `content` saved; the suffix of the suggested name (png, svg, pdf, csv) is the format.
    void saveRequested(const QString& suggestedName, const QByteArray& content);

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
    void applyTheme();
    void setupLayout();
    void setupPlot();
    void elideTitle();
    void wrapLegend();
    void showPointer(const QPointF& pixel);
    [[nodiscard]] QSize exportSize() const;
    bool plotEvent(QEvent* event);
    void zoomAround(double factor);
    void requestSave(const QString& suffix, const QByteArray& content);

    QCustomPlot* m_plot = nullptr;
    QHBoxLayout* m_toolRow = nullptr;
    QHBoxLayout* m_footRow = nullptr;
    QStackedLayout* m_stack = nullptr;
    QCPTextElement* m_titleElement = nullptr;
    QCPItemStraightLine* m_crosshair = nullptr;
    QLabel* m_emptyLabel = nullptr;
    QLabel* m_readout = nullptr;
    QString m_title;
    bool m_empty = true;
    bool m_restyling = false;
    QPointF m_pressed;
};

} // namespace bdq
