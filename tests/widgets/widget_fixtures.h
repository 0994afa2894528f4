// Made-up but plausible results for the tests of the window's parts; the same numbers at every call.
#pragma once

#include <memory>

#include <QImage>
#include <QPalette>
#include <QWidget>

#include "widgets/types.h"

class QAbstractButton;

namespace bdq::test {

inline constexpr std::int64_t kFeatures = 96;

SiteAnalysis makeSite(SiteKey key);
/// `layers` layers with four sites each; W4A4 measured under some transforms, W8A8 predicted only.
std::shared_ptr<const AnalysisResult> makeAnalysis(int layers);
std::shared_ptr<const SiteDetail> makeDetail(SiteKey key, std::int64_t features = kFeatures);
Scheme scheme(const char* text);
QPalette darkPalette();

/// Pixels that differ between two images of the same size.
int differingPixels(const QImage& a, const QImage& b);
/// Shows the widget at a size and returns what it painted.
QImage shot(QWidget& widget, QSize size);

QWidget* byName(QWidget& parent, const QString& accessibleName);
/// By its text without the mark of its shortcut.
QAbstractButton* button(QWidget& parent, const QString& text);
/// Does a visible label contain it?
bool showsText(QWidget& parent, const QString& part);
/// Widgets that Tab meets before it comes round; each once.
int reachableByTab(QWidget& window);

} // namespace bdq::test
