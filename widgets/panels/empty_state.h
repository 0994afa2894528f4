// What a view shows while it has nothing to show: why, and what to do about it.
#pragma once

#include <QList>
#include <QWidget>

class QAction;
class QHBoxLayout;
class QLabel;

namespace bdq {

class EmptyState : public QWidget {
    Q_OBJECT
public:
    explicit EmptyState(QWidget* parent);
    /// An empty line separates what the view is for from what is missing.
    void setText(const QString& text);
    /// Buttons below the text; the first one is the proposed one. The actions stay the caller's; a disabled
    /// one disables its button.
    void setActions(const QList<QAction*>& actions);

private:
    QLabel* m_text = nullptr;
    QHBoxLayout* m_buttons = nullptr;
};

} // namespace bdq
