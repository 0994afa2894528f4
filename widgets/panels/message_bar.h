// One line for messages with what to do next. It takes the same room with a message and without, so that
// nothing moves when one comes or goes. The most urgent one is shown, of these the newest; a button lists all
// of the session; Esc dismisses.
#pragma once

#include <vector>

#include <QWidget>

#include "widgets/panels/message.h"

class QHBoxLayout;
class QLabel;
class QMenu;
class QToolButton;

namespace bdq {

class ElidedLabel;
class MessagePopup;

class MessageBar : public QWidget {
    Q_OBJECT
public:
    explicit MessageBar(QWidget* parent = nullptr);
    /// `details` may be empty; `actions` become buttons (taken over by the bar, which deletes them with the
    /// message).
    void showMessage(MessageSeverity severity, const QString& text, const QString& details = {},
                     const QList<QAction*>& actions = {});
    /// Messages that nobody has dismissed.
    [[nodiscard]] int count() const { return static_cast<int>(m_messages.size()); }
    [[nodiscard]] QString text() const; ///< of the message that is shown; empty = none
    /// All of the session with the dismissed ones, newest first, at most 100.
    [[nodiscard]] const std::vector<Message>& history() const { return m_history; }

public slots:
    void dismiss();
    void dismissAll();

signals:
    void dismissed();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void changeEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    void setupButtons();
    void showFirst();
    void clearActions();
    void fillHistory();
    void paintIcons();
    void updateDetails();
    void reserveHeight();

    std::vector<Message> m_messages; ///< the most urgent first, of these the newest
    std::vector<Message> m_history;  ///< without actions
    QLabel* m_icon = nullptr;
    ElidedLabel* m_text = nullptr;
    QHBoxLayout* m_buttons = nullptr;
    QToolButton* m_details = nullptr;
    QToolButton* m_close = nullptr;
    QToolButton* m_all = nullptr;
    QMenu* m_list = nullptr;
    MessagePopup* m_popup = nullptr;
};

} // namespace bdq
