// The mouse wheel scrolls; it edits only what the user has put the focus into.
#pragma once

#include <QObject>
#include <QPointer>

class QWidget;

namespace bdq {

/// Event filter of the whole application. A combo box, spin box or slider that was not focused by a click,
/// Tab or a shortcut ignores the wheel, so that the area it stands in scrolls; the wheel gives none of them
/// the focus either.
class WheelGuard : public QObject {
    Q_OBJECT
public:
    explicit WheelGuard(QObject* parent = nullptr);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    bool editorEvent(QWidget* editor, QEvent* event);

    QPointer<QWidget> m_taken; ///< the editor that the user has put the focus into
};

} // namespace bdq
