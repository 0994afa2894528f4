// Colours of plots and bars, derived from the palette so that they work on light and dark windows.
#pragma once

#include <QColor>
#include <QFont>
#include <QIcon>
#include <QPalette>

namespace bdq {

bool isDark(const QPalette& palette);

/// The colour-blind-safe palette of design/window.md, "Look".
struct PlotTheme {
    QColor background;
    QColor text;
    QColor mutedText;
    QColor grid;
    QColor before;
    QColor after;
    QColor warning; ///< beside a sign, never alone
    QColor error;
    static PlotTheme from(const QPalette& palette);
    /// Colours of one series of several (sites, transforms); the shape or dash must differ too.
    [[nodiscard]] QColor series(int index) const;
};

/// Perceptually even scale (cividis) for an SQNR in dB, bad = `lowDb`, good = `highDb`.
QColor sqnrColor(double decibel, double lowDb = 5, double highDb = 30);
/// "!!" below 10 dB, "!" below 15 dB, else empty: the sign that goes with the colour.
QString sqnrSign(double decibel);

QFont tabularFont(const QFont& base);
QFont titleFont(const QFont& base);
/// Single-colour icon of the set in widgets/icons, painted in the palette's text colour. Unknown names give a
/// null icon.
QIcon themedIcon(const QString& name, const QPalette& palette);

} // namespace bdq
