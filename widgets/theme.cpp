#include "widgets/theme.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

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

struct IconShapes {
    std::string_view name;
    const char* shapes;
};

// Strokes on a 24 x 24 grid, 1.75 wide, drawn for this program.
constexpr std::array kIcons{
    IconShapes{"open", "<path d='M3 19V6h6l2 3h10v10z'/>"},
    IconShapes{"demo", "<circle cx='12' cy='12' r='9'/><path d='M10 8.5l5.5 3.5-5.5 3.5z'/>"},
    IconShapes{"result", "<path d='M4 4v16h16M8 16v-4M12 16V8M16 16v-6'/>"},
    IconShapes{"info", "<circle cx='12' cy='12' r='9'/><path d='M12 11v6M12 7v.5'/>"},
    IconShapes{"success", "<circle cx='12' cy='12' r='9'/><path d='M8 12.5l3 3 5-6'/>"},
    IconShapes{"warning", "<path d='M12 4l9 16H3zM12 10v5M12 17v.5'/>"},
    IconShapes{"error", "<path d='M8 3h8l5 5v8l-5 5H8l-5-5V8zM9 9l6 6M15 9l-6 6'/>"},
    IconShapes{"close", "<path d='M6 6l12 12M18 6L6 18'/>"},
    IconShapes{"undo", "<path d='M9 6L5 10l4 4M5 10h9a5 5 0 0 1 0 10h-3'/>"},
    IconShapes{"redo", "<path d='M15 6l4 4-4 4M19 10h-9a5 5 0 0 0 0 10h3'/>"},
    IconShapes{"start", "<path d='M8 5l11 7-11 7z'/>"},
    IconShapes{"stop", "<path d='M6 6h12v12H6z'/>"},
    IconShapes{"resume", "<path d='M5 5v14M9 5l10 7-10 7z'/>"},
    IconShapes{"report", "<path d='M6 3h9l4 4v14H6zM15 3v4h4M9 12h7M9 16h7'/>"},
    IconShapes{"save", "<path d='M12 4v11M8 11l4 4 4-4M4 20h16'/>"},
    IconShapes{"copy", "<path d='M8 8h12v12H8zM5 16H4V4h12v1'/>"},
    IconShapes{"fit", "<path d='M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5'/>"},
    IconShapes{"messages", "<path d='M6 17V11a6 6 0 0 1 12 0v6l2 1H4zM10 21h4'/>"},
    IconShapes{"measure", "<path d='M3 12h4l3-7 4 14 3-7h4'/>"},
};

QByteArray iconShapes(std::string_view name) {
    const auto found = std::ranges::find(kIcons, name, &IconShapes::name);
    return found == kIcons.end() ? QByteArray() : QByteArray(found->shapes);
}

QByteArray svgDocument(const QByteArray& shapes, const QColor& color) {
    return "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='" +
           color.name().toLatin1() + "' stroke-width='1.75' stroke-linecap='round' stroke-linejoin='round'>" +
           shapes + "</svg>";
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
    const QByteArray shapes = iconShapes(name.toLatin1().toStdString());
    if (shapes.isEmpty()) return {};
    QIcon icon;
    for (const QIcon::Mode mode : {QIcon::Normal, QIcon::Disabled}) {
        const auto group = mode == QIcon::Normal ? QPalette::Active : QPalette::Disabled;
        QSvgRenderer renderer(svgDocument(shapes, palette.color(group, QPalette::WindowText)));
        for (const int size : {16, 20, 24, 32, 48, 64}) {
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
