#include "widgets/tab_order.h"

#include <QFocusEvent>
#include <QLayout>
#include <QRadioButton>
#include <QScrollArea>
#include <QSplitter>
#include <QWidget>

namespace bdq {

namespace {

void collect(QLayout* layout, std::vector<QWidget*>& stops);

void collect(QWidget* widget, std::vector<QWidget*>& stops) {
    // Of a group of radio buttons Tab stops at the one that is chosen, which may become any of them.
    if (widget->focusPolicy() & Qt::TabFocus || qobject_cast<QRadioButton*>(widget)) {
        stops.push_back(widget);
        return;
    }
    if (auto* area = qobject_cast<QScrollArea*>(widget)) {
        if (area->widget()) collect(area->widget(), stops);
    } else if (auto* splitter = qobject_cast<QSplitter*>(widget)) {
        for (int i = 0; i < splitter->count(); ++i)
            collect(splitter->widget(i), stops);
    } else if (widget->layout()) {
        collect(widget->layout(), stops);
    }
}

void collect(QLayout* layout, std::vector<QWidget*>& stops) {
    for (int i = 0; i < layout->count(); ++i) {
        QLayoutItem* item = layout->itemAt(i);
        if (item->widget())
            collect(item->widget(), stops);
        else if (item->layout())
            collect(item->layout(), stops);
    }
}

/// Hands the focus that a box of fields gets, by the shortcut of its label, to the first field that takes it.
/// A focus proxy would do so, too, but Tab stops at boxes with a proxy: behind their fields they lead back.
class FocusForwarder : public QObject {
public:
    explicit FocusForwarder(QWidget* box) : QObject(box), m_box(box) { box->installEventFilter(this); }

    bool eventFilter(QObject* watched, QEvent* event) override {
        if (watched != m_box || event->type() != QEvent::FocusIn) return false;
        for (QWidget* field : tabStops(m_box)) {
            const auto* radio = qobject_cast<QRadioButton*>(field);
            if (!field->isEnabled() || (radio && !radio->isChecked())) continue;
            field->setFocus(static_cast<QFocusEvent*>(event)->reason());
            break;
        }
        return true;
    }

private:
    QWidget* m_box;
};

/// Qt makes the first button of a group that gets the focus its stop; the chosen one is meant.
void stopAtChosen(QRadioButton* button) {
    const auto follow = [button](bool chosen) {
        button->setFocusPolicy(chosen ? Qt::StrongFocus : Qt::ClickFocus);
    };
    QObject::connect(button, &QRadioButton::toggled, button, follow);
    follow(button->isChecked());
}

} // namespace

std::vector<QWidget*> tabStops(QWidget* page) {
    std::vector<QWidget*> stops;
    if (page->layout()) collect(page->layout(), stops);
    return stops;
}

void orderTabs(QWidget* page) {
    for (QWidget* box : page->findChildren<QWidget*>()) {
        if (!box->isAncestorOf(box->focusProxy())) continue;
        box->setFocusProxy(nullptr);
        new FocusForwarder(box);
    }
    const std::vector<QWidget*> stops = tabStops(page);
    for (QWidget* stop : stops)
        if (auto* button = qobject_cast<QRadioButton*>(stop)) stopAtChosen(button);
    for (std::size_t i = 1; i < stops.size(); ++i)
        QWidget::setTabOrder(stops[i - 1], stops[i]);
}

} // namespace bdq
