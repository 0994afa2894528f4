#include <QApplication>
#include <QBuffer>
#include <QClipboard>
#include <QPdfWriter>
#include <QSvgGenerator>
#include <qcustomplot.h>

#include "widgets/plots/plot_panel.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

constexpr int kScreenDpi = 96;
constexpr double kPointsPerInch = 72;

void paintVectors(QCustomPlot* plot, QPaintDevice* device, QSize size, const QColor& background) {
    QCPPainter painter;
    if (!painter.begin(device)) return;
    painter.setMode(QCPPainter::pmVectorized);
    painter.setMode(QCPPainter::pmNoCaching);
    painter.setMode(QCPPainter::pmNonCosmetic);
    painter.fillRect(QRect(QPoint(0, 0), size), background);
    plot->toPainter(&painter, size.width(), size.height());
}

} // namespace

QSize PlotPanel::exportSize() const {
    return m_plot->size().expandedTo(QSize(640, 400));
}

QImage PlotPanel::toImage(double scale) const {
    const QSize size = exportSize();
    QImage image = m_plot->toPixmap(size.width(), size.height(), scale).toImage();
    image.setText(QStringLiteral("Title"), m_title);
    return image;
}

QByteArray PlotPanel::toPng() const {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    toImage().save(&buffer, "PNG");
    return bytes;
}

QByteArray PlotPanel::toSvg() const {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    const QSize size = exportSize();
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setSize(size);
    generator.setViewBox(QRect(QPoint(0, 0), size));
    generator.setTitle(m_title);
    paintVectors(m_plot, &generator, size, theme().background);
    return bytes;
}

QByteArray PlotPanel::toPdf() const {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    const QSize size = exportSize();
    QPdfWriter writer(&buffer);
    writer.setTitle(m_title);
    writer.setResolution(kScreenDpi);
    writer.setPageMargins(QMarginsF());
    writer.setPageSize(QPageSize(QSizeF(size) * kPointsPerInch / kScreenDpi, QPageSize::Point));
    paintVectors(m_plot, &writer, size, theme().background);
    return bytes;
}

void PlotPanel::copyImage() {
    if (!m_empty) QApplication::clipboard()->setImage(toImage());
}

void PlotPanel::copyCsv() {
    if (!m_empty) QApplication::clipboard()->setText(toCsv());
}

void PlotPanel::requestSave(const QString& suffix, const QByteArray& content) {
    emit saveRequested(fileStem() + u'.' + suffix, content);
}

} // namespace bdq
