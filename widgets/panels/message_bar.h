// Inline message at the top of the view it concerns, with what to do next and details. One message is
// visible, later ones wait behind it; Esc dismisses.
#pragma once

#include <deque>

#include <QList>
#include <QWidget>

class QAction;
class QHBoxLayout;
class QLabel;
class QPlainTextEdit;
class QToolButton;

namespace bdq {

enum class MessageSeverity { Info, Success, Warning, Error };

class MessageBar : public QWidget {
    Q_OBJECT
public:
    explicit MessageBar(QWidget* parent = nullptr);
    /// `details` may be empty; `actions` become buttons (taken over by the bar, which deletes them with the
    /// message).
    void showMessage(MessageSeverity severity, const QString& text, const QString& details = {},
                     const QList<QAction*>& actions = {});
    [[nodiscard]] int count() const { return static_cast<int>(m_messages.size()); }

public slots:
    void dismiss();
    void dismissAll();

signals:
    void dismissed();

protected:
    void changeEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    struct Message {
        MessageSeverity severity = MessageSeverity::Info;
        QString text;
        QString details;
        QList<QAction*> actions;
    };
    void showFront();

    std::deque<Message> m_messages;
    QLabel* m_icon = nullptr;
    QLabel* m_text = nullptr;
    QLabel* m_more = nullptr;
    QHBoxLayout* m_buttons = nullptr;
    QToolButton* m_detailsButton = nullptr;
    QToolButton* m_close = nullptr;
    QPlainTextEdit* m_details = nullptr;
};

} // namespace bdq
