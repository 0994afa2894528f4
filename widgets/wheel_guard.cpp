#include "widgets/wheel_guard.h"

#include <QAbstractSpinBox>
#include <QComboBox>
#include <QFocusEvent>
#include <QLineEdit>
#include <QScrollBar>
#include <QWheelEvent>

namespace bdq {

namespace {

/// The editor, or that whose line is the object.
QWidget* editorOf(QObject* object) {
    if (qobject_cast<QLineEdit*>(object)) object = object->parent();
    if (auto* box = qobject_cast<QComboBox*>(object)) return box;
    if (auto* box = qobject_cast<QAbstractSpinBox*>(object)) return box;
    auto* slider = qobject_cast<QAbstractSlider*>(object);
    return qobject_cast<QScrollBar*>(object) ? nullptr : slider;
}

/// Focus that comes and goes with a window or a popup says nothing about the editor.
bool isPassing(Qt::FocusReason reason) {
    return reason == Qt::ActiveWindowFocusReason || reason == Qt::PopupFocusReason ||
           reason == Qt::MenuBarFocusReason;
}

bool isByHand(Qt::FocusReason reason) {
    return reason == Qt::MouseFocusReason || reason == Qt::TabFocusReason ||
           reason == Qt::BacktabFocusReason || reason == Qt::ShortcutFocusReason;
}

} // namespace

WheelGuard::WheelGuard(QObject* parent) : QObject(parent) {}

bool WheelGuard::eventFilter(QObject* watched, QEvent* event) {
    switch (event->type()) {
    case QEvent::Polish:
    case QEvent::FocusIn:
    case QEvent::FocusOut:
    case QEvent::MouseButtonPress:
    case QEvent::KeyPress:
    case QEvent::Wheel:
        if (QWidget* editor = editorOf(watched)) return editorEvent(editor, event);
        return false;
    default:
        return false;
    }
}

bool WheelGuard::editorEvent(QWidget* editor, QEvent* event) {
    const bool focus = event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut;
    const auto reason = focus ? static_cast<QFocusEvent*>(event)->reason() : Qt::NoFocusReason;
    switch (event->type()) {
    case QEvent::Polish:
        if (editor->focusPolicy() == Qt::WheelFocus) editor->setFocusPolicy(Qt::StrongFocus);
        return false;
    case QEvent::FocusIn:
        if (isByHand(reason))
            m_taken = editor;
        else if (!isPassing(reason))
            m_taken = nullptr;
        return false;
    case QEvent::FocusOut:
        if (editor == m_taken && !isPassing(reason)) m_taken = nullptr;
        return false;
    case QEvent::MouseButtonPress:
    case QEvent::KeyPress: // the program had put the focus there, now the user is at it
        if (editor->hasFocus()) m_taken = editor;
        return false;
    default:
        if (editor == m_taken && editor->hasFocus()) return false;
        event->ignore(); // Qt then offers it to the parents, up to the area that scrolls
        return true;
    }
}

} // namespace bdq
