#include "widgets/theme.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <QCoreApplication>
#include <QFile>
#include <QFontDatabase>
#include <QPainter>
#include <QSvgRenderer>

namespace bdq {

namespace {

QColor mixed(const QColor& a, const QColor& b, double share) {
    const float t = static_cast<float>(share);
    return QColor::fromRgbF(a.redF() + (b.redF() - a.redF()) * t, a.greenF() + (b.greenF() - a.greenF()) * t,
                            a.blueF() + (b.blueF() - a.blueF()) * t);
}

} // namespace

bool isDark(const QPalette& palette) {
    return palette.color(QPalette::Window).lightness() < 128;
}

PlotTheme PlotTheme::from(const QPalette& palette) {
    const bool dark = isDark(palette);
    PlotTheme theme;
    theme.background = palette.color(QPalette::Base);
    theme.text = palette.color(QPalette::Text);
    theme.mutedText = mixed(theme.text, theme.background, 0.35);
    theme.grid = mixed(theme.text, theme.background, 0.86);
    // On a dark ground the same hues are lifted until they reach a contrast of 3 with it.
    theme.before = dark ? QColor(0xA6A6A6) : QColor(0x7A7A7A);
    theme.after = dark ? QColor(0x3FA9F0) : QColor(0x0072B2);
    theme.warning = dark ? QColor(0xF0A24A) : QColor(0xB25900);
    theme.error = dark ? QColor(0xFF7A66) : QColor(0xB3261E);
    return theme;
}

QColor PlotTheme::series(int index) const {
    const bool dark = background.lightness() < 128;
    static constexpr std::array<QRgb, 7> kLight{0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7,
                                                0x7A7A7A, 0x56B4E9, 0xA07800};
    static constexpr std::array<QRgb, 7> kDark{0x3FA9F0, 0xF07F2E, 0x22C298, 0xE09BC2,
                                               0xA6A6A6, 0x8ACDF2, 0xE0B83A};
    const auto i = static_cast<std::size_t>(std::max(0, index)) % kLight.size();
    return QColor(dark ? kDark[i] : kLight[i]);
}

QColor sqnrColor(double decibel, double lowDb, double highDb) {
    // Cividis at nine even steps (Nunez, Anderton, Renslow 2018, doi 10.1371/journal.pone.0199239).
    static constexpr std::array<QRgb, 9> kCividis{0x00224E, 0x123570, 0x3B496C, 0x575D6D, 0x707173,
                                                  0x8A8678, 0xA59C74, 0xC3B369, 0xE1CC55};
    if (std::isnan(decibel)) return {};
    const double share = std::clamp((decibel - lowDb) / (highDb - lowDb), 0.0, 1.0) * (kCividis.size() - 1);
    const auto lower = std::min(static_cast<std::size_t>(share), kCividis.size() - 2);
    return mixed(QColor(kCividis[lower]), QColor(kCividis[lower + 1]), share - static_cast<double>(lower));
}

QString sqnrSign(double decibel) {
    if (decibel < 10) return QStringLiteral("!!");
    return decibel < 15 ? QStringLiteral("!") : QString();
}

QFont tabularFont(const QFont& base) {
    QFont font = QFontDatabase::systemFont(QFontDatabase::FixedFont);
    if (base.pointSizeF() > 0)
        font.setPointSizeF(base.pointSizeF());
    else
        font.setPixelSize(base.pixelSize());
    return font;
}

QFont titleFont(const QFont& base) {
    QFont font = base;
    if (font.pointSizeF() > 0)
        font.setPointSizeF(font.pointSizeF() * 1.25);
    else
        font.setPixelSize(font.pixelSize() * 5 / 4);
    font.setWeight(QFont::DemiBold);
    return font;
}

QIcon themedIcon(const QString& name, const QPalette& palette) {
    QFile file(QStringLiteral(":/bdq/icons/%1.svg").arg(name));
    if (!file.open(QIODevice::ReadOnly)) return {};
    QByteArray svg = file.readAll();
    QIcon icon;
    for (const QIcon::Mode mode : {QIcon::Normal, QIcon::Disabled}) {
        const QColor color = palette.color(mode == QIcon::Normal ? QPalette::Active : QPalette::Disabled,
                                           QPalette::WindowText);
        QByteArray painted = svg;
        QSvgRenderer renderer(painted.replace("currentColor", color.name().toLatin1()));
        for (const int size : {16, 24, 32, 48, 64}) {
            QPixmap pixmap(size, size);
            pixmap.fill(Qt::transparent);
            QPainter painter(&pixmap);
            renderer.render(&painter);
            painter.end();
            icon.addPixmap(pixmap, mode);
        }
    }
    return icon;
}

} // namespace bdq
