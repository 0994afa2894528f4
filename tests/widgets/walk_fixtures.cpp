// Walks with Tab, turns of the wheel and a look at the layout, for tests of whole pages.
#include <algorithm>
#include <set>

#include <QAbstractButton>
#include <QAbstractScrollArea>
#include <QAbstractSpinBox>
#include <QApplication>
#include <QComboBox>
#include <QDockWidget>
#include <QHeaderView>
#include <QRadioButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QTest>
#include <QWheelEvent>
#include <QtTest/qtestspontaneevent.h>

#include "tests/widgets/widget_fixtures.h"

namespace bdq::test {

namespace {

/// Lines of spin boxes and editable boxes, buttons of scroll bars: parts of one field.
bool isPart(const QWidget* widget) {
    if (widget->focusProxy()) return true;
    // Tab stops at the chosen button of a group, arrows go to the others.
    if (const auto* radio = qobject_cast<const QRadioButton*>(widget); radio && !radio->isChecked())
        return true;
    const QWidget* parent = widget->parentWidget();
    return qobject_cast<const QComboBox*>(parent) || qobject_cast<const QAbstractSpinBox*>(parent) ||
           qobject_cast<const QHeaderView*>(widget);
}

/// How something around `widget` cuts it, so that a part of it cannot be seen or scrolled to; empty = nothing
/// does.
QString cutOff(const QWidget* widget) {
    const QRect own = widget->rect();
    bool scrolledDown = false;
    for (const QWidget* around = widget->parentWidget(); around; around = around->parentWidget()) {
        // What a viewport cuts can be scrolled to: down, not across, or lines could not be read.
        const auto* area = qobject_cast<const QAbstractScrollArea*>(around->parentWidget());
        if (area && area->viewport() == around) scrolledDown = true;
        const QRect seen(widget->mapTo(around, own.topLeft()), own.size());
        const bool across = seen.left() >= 0 && seen.right() < around->width();
        const bool down = seen.top() >= 0 && seen.bottom() < around->height();
        if (!across || (!down && !scrolledDown))
            return QStringLiteral("%1 x %2 at %3, %4 in %5 x %6 of %7")
                .arg(own.width())
                .arg(own.height())
                .arg(seen.left())
                .arg(seen.top())
                .arg(around->width())
                .arg(around->height())
                .arg(nameOf(around));
        if (around->isWindow()) break;
    }
    return {};
}

/// Qt puts a dock behind another one far off, and does not call it hidden.
bool isBehind(const QWidget* widget) {
    for (; widget; widget = widget->parentWidget())
        if (qobject_cast<const QDockWidget*>(widget) && widget->geometry().right() < 0) return true;
    return false;
}

} // namespace

std::vector<QWidget*> tabFields(const QWidget& page) {
    std::vector<QWidget*> fields;
    for (QWidget* child : page.findChildren<QWidget*>())
        if (child->isVisible() && child->isEnabled() && child->window() == page.window() &&
            child->focusPolicy() & Qt::TabFocus && !isPart(child))
            fields.push_back(child);
    return fields;
}

QString nameOf(const QWidget* widget) {
    if (!widget) return QStringLiteral("nothing");
    QString name = widget->accessibleName();
    if (const auto* button = qobject_cast<const QAbstractButton*>(widget); button && name.isEmpty())
        name = button->text();
    if (name.isEmpty()) name = widget->objectName();
    return QStringLiteral("%1 \"%2\"").arg(QString::fromLatin1(widget->metaObject()->className()), name);
}

QStringList tabProblems(QWidget& page, bool backwards) {
    const std::vector<QWidget*> fields = tabFields(page);
    if (fields.empty()) return {QStringLiteral("no fields")};
    QWidget* window = page.window();
    fields.front()->setFocus(Qt::TabFocusReason);
    QStringList problems;
    std::set<QWidget*> met;
    // Long enough to go round any window; the walk ends where it began.
    for (int step = 0; step < 400; ++step) {
        QWidget* here = window->focusWidget();
        if (std::ranges::find(fields, here) != fields.end() && !met.insert(here).second)
            problems << QStringLiteral("met twice: ") + nameOf(here);
        QTest::keyClick(here, Qt::Key_Tab, backwards ? Qt::ShiftModifier : Qt::NoModifier);
        if (window->focusWidget() == here) problems << QStringLiteral("stays: ") + nameOf(here);
        if (window->focusWidget() == fields.front() || problems.size() > 3) break;
    }
    for (const QWidget* field : fields)
        if (!std::ranges::count(met, field)) problems << QStringLiteral("never met: ") + nameOf(field);
    return problems;
}

void turnWheel(QWidget* widget, int notches) {
    constexpr int kNotch = 120;
    const QPoint middle = widget->rect().center();
    QWidget* target = widget->childAt(middle) ? widget->childAt(middle) : widget;
    const QPointF at(target->mapFrom(widget, middle));
    QWheelEvent event(at, target->mapToGlobal(at), {}, QPoint(0, notches * kNotch), Qt::NoButton,
                      Qt::NoModifier, Qt::NoScrollPhase, false);
    QSpontaneKeyEvent::setSpontaneous(&event); // only such a wheel may give the focus
    qApp->notify(target, &event);
}

std::vector<QWidget*> wheelEditors(const QWidget& page) {
    std::vector<QWidget*> editors;
    for (QWidget* child : page.findChildren<QWidget*>()) {
        const bool editor = qobject_cast<QComboBox*>(child) || qobject_cast<QAbstractSpinBox*>(child) ||
                            (qobject_cast<QAbstractSlider*>(child) && !qobject_cast<QScrollBar*>(child));
        if (editor && child->isVisible() && child->isEnabled()) editors.push_back(child);
    }
    return editors;
}

QStringList layoutProblems(const QWidget& window) {
    QStringList problems;
    for (const QAbstractButton* button : window.findChildren<QAbstractButton*>()) {
        if (!button->isVisible() || button->window() != &window || isBehind(button)) continue;
        const QString cut = cutOff(button);
        if (!cut.isEmpty()) problems << QStringLiteral("cut off: %1 %2").arg(nameOf(button), cut);
    }
    for (const QAbstractScrollArea* area : window.findChildren<QAbstractScrollArea*>()) {
        if (!area->isVisible() || area->window() != &window || qobject_cast<const QHeaderView*>(area))
            continue;
        for (const QWidget* around = area->parentWidget(); around; around = around->parentWidget())
            if (qobject_cast<const QAbstractScrollArea*>(around))
                problems << QStringLiteral("%1 scrolls within %2").arg(nameOf(area), nameOf(around));
    }
    return problems;
}

} // namespace bdq::test
