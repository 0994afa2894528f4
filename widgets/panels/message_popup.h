// A whole message with its details, over the window; a click beside it or Esc closes it.
#pragma once

#include <QFrame>

class QLabel;
class QPlainTextEdit;

namespace bdq {

struct Message;

class MessagePopup : public QFrame {
    Q_OBJECT
public:
    explicit MessagePopup(QWidget* parent);
    /// Opens above `anchor`, as wide as it, within the window.
    void open(const Message& message, const QWidget* anchor);

private:
    QLabel* m_head = nullptr;
    QLabel* m_text = nullptr;
    QPlainTextEdit* m_details = nullptr;
};

} // namespace bdq
