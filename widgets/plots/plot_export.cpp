#include <QApplication>
#include <QBuffer>
#include <QClipboard>
#include <QPdfWriter>
#include <QPointer>
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
    QImage image;
    forExport([&](QSize size) { image = m_plot->toPixmap(size.width(), size.height(), scale).toImage(); });
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
    forExport([&](QSize size) {
        QSvgGenerator generator;
        generator.setOutputDevice(&buffer);
        generator.setSize(size);
        generator.setViewBox(QRect(QPoint(0, 0), size));
        generator.setTitle(m_title);
        paintVectors(m_plot, &generator, size, theme().background);
    });
    return bytes;
}

QByteArray PlotPanel::toPdf() const {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    forExport([&](QSize size) {
        QPdfWriter writer(&buffer);
        writer.setTitle(m_title);
        writer.setResolution(kScreenDpi);
        writer.setPageMargins(QMarginsF());
        writer.setPageSize(QPageSize(QSizeF(size) * kPointsPerInch / kScreenDpi, QPageSize::Point));
        paintVectors(m_plot, &writer, size, theme().background);
    });
    return bytes;
}

void PlotPanel::copyImage() {
    if (!m_empty) QApplication::clipboard()->setImage(toImage());
}

void PlotPanel::copyCsv() {
    if (!m_empty) QApplication::clipboard()->setText(toCsv());
}

QStringList plotSuffixes() {
    return {QStringLiteral("png"), QStringLiteral("svg"), QStringLiteral("pdf"), QStringLiteral("csv")};
}

QByteArray PlotPanel::toFormat(const QString& suffix) const {
    switch (plotSuffixes().indexOf(suffix)) {
    case 0:
        return toPng();
    case 1:
        return toSvg();
    case 2:
        return toPdf();
    case 3:
        return toCsv().toUtf8();
    default:
        return {};
    }
}

void PlotPanel::requestSave(const QString& suffix) {
    const QPointer<PlotPanel> self(this);
    emit saveRequested(fileStem() + u'.' + suffix, [self](const QString& format) {
        return self ? self->toFormat(format) : QByteArray();
    });
}

} // namespace bdq
