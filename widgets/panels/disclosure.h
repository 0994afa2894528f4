// A line that unfolds a text: long explanations stay out of the way of the fields they explain.
#pragma once

#include <QWidget>

class QLabel;
class QToolButton;

namespace bdq {

class Disclosure : public QWidget {
    Q_OBJECT
public:
    explicit Disclosure(QWidget* parent);
    /// `title` names what unfolds, e.g. "About BDQ"; `text` may be rich.
    void setContent(const QString& title, const QString& text);
    void setOpen(bool open);
    [[nodiscard]] bool isOpen() const;

private:
    QToolButton* m_button = nullptr;
    QLabel* m_text = nullptr;
};

} // namespace bdq
