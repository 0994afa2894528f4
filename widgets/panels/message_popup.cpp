#include "widgets/panels/message_popup.h"

#include <algorithm>

#include <QLabel>
#include <QLocale>
#include <QPlainTextEdit>
#include <QVBoxLayout>

#include "widgets/panels/message.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

constexpr int kDetailLines = 8;
constexpr int kNarrowest = 420;

} // namespace

MessagePopup::MessagePopup(QWidget* parent) : QFrame(parent, Qt::Popup) {
    setFrameShape(QFrame::StyledPanel);
    m_head = new QLabel(this);
    m_head->setForegroundRole(QPalette::PlaceholderText);
    m_text = new QLabel(this);
    m_text->setWordWrap(true);
    m_text->setTextFormat(Qt::PlainText);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_details = new QPlainTextEdit(this);
    m_details->setReadOnly(true);
    m_details->setTabChangesFocus(true);
    m_details->setFont(tabularFont(font()));
    m_details->setAccessibleName(tr("Details of the message"));
    m_details->setFixedHeight(m_details->fontMetrics().lineSpacing() * kDetailLines + 12);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(12, 8, 12, 12);
    layout->setSpacing(8);
    layout->addWidget(m_head);
    layout->addWidget(m_text);
    layout->addWidget(m_details);
}

void MessagePopup::open(const Message& message, const QWidget* anchor) {
    m_head->setText(tr("%1, %2").arg(severityText(message.severity),
                                     QLocale().toString(message.time.time(), QLocale::ShortFormat)));
    m_text->setText(message.text);
    m_details->setPlainText(message.details);
    m_details->setVisible(!message.details.isEmpty());
    const QWidget* window = anchor->window();
    const int width = std::min(std::max(kNarrowest, anchor->width()), window->width());
    setFixedWidth(width);
    const int height = layout()->hasHeightForWidth() ? layout()->totalHeightForWidth(width) : 0;
    resize(width, std::max(height, layout()->totalMinimumSize().height()));
    const QPoint corner = anchor->mapToGlobal(QPoint(anchor->width() - width, -this->height()));
    move(std::max(corner.x(), window->mapToGlobal(QPoint(0, 0)).x()), corner.y());
    show();
    (message.details.isEmpty() ? static_cast<QWidget*>(m_text) : m_details)->setFocus(Qt::PopupFocusReason);
}

} // namespace bdq
