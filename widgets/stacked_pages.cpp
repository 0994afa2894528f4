#include "widgets/stacked_pages.h"

#include <QStackedWidget>

namespace bdq {

namespace {

void claimRoom(QStackedWidget* stack) {
    for (int i = 0; i < stack->count(); ++i) {
        const auto policy = i == stack->currentIndex() ? QSizePolicy::Preferred : QSizePolicy::Ignored;
        stack->widget(i)->setSizePolicy(policy, policy);
    }
    // At once, not with the next event: docks that are shown meanwhile ask for the centre's size.
    for (QWidget* widget = stack; widget != nullptr && !widget->isWindow(); widget = widget->parentWidget())
        widget->updateGeometry();
}

} // namespace

void claimRoomForShownPage(QStackedWidget* stack) {
    QObject::connect(stack, &QStackedWidget::currentChanged, stack, [stack] { claimRoom(stack); });
    claimRoom(stack);
}

} // namespace bdq
