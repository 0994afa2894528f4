// Made-up but plausible results for the tests of the window's parts; the same numbers at every call.
#pragma once

#include <memory>
#include <vector>

#include <QImage>
#include <QPalette>
#include <QStringList>
#include <QWidget>

#include "widgets/site_ranking.h"
#include "widgets/types.h"

class QAbstractButton;

namespace bdq::test {

inline constexpr std::int64_t kFeatures = 96;

/// The site that costs the made-up model most, and the one where a few tokens hold all energy.
inline constexpr SiteKey kCostliest{2, Site::GateUp};
inline constexpr SiteKey kLoneToken{1, Site::Down};

SiteAnalysis makeSite(SiteKey key);
/// `layers` layers with four sites each; W4A4 measured under some transforms, W8A8 predicted only.
std::shared_ptr<const AnalysisResult> makeAnalysis(int layers);
/// As an analysis of version 0.1.
std::shared_ptr<const AnalysisResult> withoutLosses(const AnalysisResult& analysis);
/// By estimated losses, as the engine ranks.
SiteRanking makeRanking(const AnalysisResult& analysis, const Plan& plan, TransformKind transform);
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
/// Fields below `page` that can be seen, are enabled and take the focus by Tab.
std::vector<QWidget*> tabFields(const QWidget& page);
/// Accessible name, text or object name and class: for messages of tests.
QString nameOf(const QWidget* widget);
/// What goes wrong when Tab (backwards: Shift+Tab) walks from the first of tabFields() round the window:
/// fields that are met twice or never. The page is shown and its window active.
QStringList tabProblems(QWidget& page, bool backwards);
/// Turns the wheel by one notch over the middle of `widget`, as the window system would.
void turnWheel(QWidget* widget, int notches = -1);
/// Every box, spin box and slider below `page` that can be seen and is enabled.
std::vector<QWidget*> wheelEditors(const QWidget& page);
/// What cannot be used at this size: buttons that are cut off, scroll areas within scroll areas.
QStringList layoutProblems(const QWidget& window);

} // namespace bdq::test
