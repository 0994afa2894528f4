#include "widgets/panels/message_bar.h"

#include <QAction>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPainter>
#include <QPlainTextEdit>
#include <QToolButton>
#include <QVBoxLayout>

#include "widgets/theme.h"

namespace bdq {

namespace {

constexpr int kIconSize = 20;
constexpr int kStripe = 4;
constexpr int kDetailLines = 6;

QString iconName(MessageSeverity severity) {
    switch (severity) {
    case MessageSeverity::Info:
        return QStringLiteral("info");
    case MessageSeverity::Success:
        return QStringLiteral("success");
    case MessageSeverity::Warning:
        return QStringLiteral("warning");
    case MessageSeverity::Error:
        return QStringLiteral("error");
    }
    return {};
}

QString severityText(MessageSeverity severity) {
    switch (severity) {
    case MessageSeverity::Info:
        return MessageBar::tr("Information");
    case MessageSeverity::Success:
        return MessageBar::tr("Done");
    case MessageSeverity::Warning:
        return MessageBar::tr("Warning");
    case MessageSeverity::Error:
        return MessageBar::tr("Error");
    }
    return {};
}

QColor severityColor(MessageSeverity severity, const PlotTheme& theme) {
    switch (severity) {
    case MessageSeverity::Info:
        return theme.after;
    case MessageSeverity::Success:
        return theme.series(2);
    case MessageSeverity::Warning:
        return theme.warning;
    case MessageSeverity::Error:
        return theme.error;
    }
    return theme.text;
}

} // namespace

MessageBar::MessageBar(QWidget* parent) : QWidget(parent) {
    m_icon = new QLabel(this);
    m_text = new QLabel(this);
    m_text->setWordWrap(true);
    m_text->setTextFormat(Qt::PlainText);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_more = new QLabel(this);
    m_more->setForegroundRole(QPalette::PlaceholderText);
    m_detailsButton = new QToolButton(this);
    m_detailsButton->setText(tr("Details"));
    m_detailsButton->setCheckable(true);
    m_close = new QToolButton(this);
    m_close->setAutoRaise(true);
    m_close->setToolTip(tr("Dismiss (Esc)"));
    m_close->setAccessibleName(tr("Dismiss"));
    m_details = new QPlainTextEdit(this);
    m_details->setReadOnly(true);
    m_details->setTabChangesFocus(true);
    m_details->setFont(tabularFont(font()));
    m_details->setAccessibleName(tr("Details of the message"));
    m_details->setFixedHeight(m_details->fontMetrics().lineSpacing() * kDetailLines + 12);
    m_details->hide();

    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addWidget(m_icon, 0, Qt::AlignTop);
    row->addWidget(m_text, 1);
    row->addWidget(m_more);
    m_buttons = new QHBoxLayout;
    m_buttons->setSpacing(8);
    row->addLayout(m_buttons);
    row->addWidget(m_detailsButton);
    row->addWidget(m_close);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(12 + kStripe, 8, 8, 8);
    layout->setSpacing(8);
    layout->addLayout(row);
    layout->addWidget(m_details);
    connect(m_close, &QToolButton::clicked, this, &MessageBar::dismiss);
    connect(m_detailsButton, &QToolButton::toggled, m_details, &QWidget::setVisible);
    hide();
}

void MessageBar::showMessage(MessageSeverity severity, const QString& text, const QString& details,
                             const QList<QAction*>& actions) {
    for (QAction* action : actions)
        action->setParent(this);
    m_messages.push_back(Message{severity, text, details, actions});
    if (m_messages.size() == 1)
        showFront();
    else
        m_more->setText(tr("and %n more", nullptr, count() - 1));
}

void MessageBar::showFront() {
    while (QLayoutItem* item = m_buttons->takeAt(0)) {
        item->widget()->deleteLater();
        delete item;
    }
    m_detailsButton->setChecked(false);
    if (m_messages.empty()) {
        hide();
        return;
    }
    const Message& message = m_messages.front();
    m_text->setText(message.text);
    setAccessibleName(tr("%1: %2").arg(severityText(message.severity), message.text));
    m_icon->setAccessibleName(severityText(message.severity));
    m_icon->setToolTip(severityText(message.severity));
    m_details->setPlainText(message.details);
    m_detailsButton->setVisible(!message.details.isEmpty());
    m_more->setText(count() > 1 ? tr("and %n more", nullptr, count() - 1) : QString());
    for (QAction* action : message.actions) {
        auto* button = new QToolButton(this);
        button->setDefaultAction(action);
        button->setToolButtonStyle(Qt::ToolButtonTextOnly);
        m_buttons->addWidget(button);
    }
    QPalette painted = palette();
    m_icon->setPixmap(themedIcon(iconName(message.severity), painted).pixmap(kIconSize, kIconSize));
    m_close->setIcon(themedIcon(QStringLiteral("close"), painted));
    show();
    update();
}

void MessageBar::dismiss() {
    if (m_messages.empty()) return;
    for (QAction* action : m_messages.front().actions)
        action->deleteLater();
    m_messages.pop_front();
    showFront();
    emit dismissed();
}

void MessageBar::dismissAll() {
    while (!m_messages.empty())
        dismiss();
}

void MessageBar::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() != QEvent::PaletteChange || m_messages.empty() || !m_close) return;
    m_icon->setPixmap(
        themedIcon(iconName(m_messages.front().severity), palette()).pixmap(kIconSize, kIconSize));
    m_close->setIcon(themedIcon(QStringLiteral("close"), palette()));
}

void MessageBar::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape) return dismiss();
    QWidget::keyPressEvent(event);
}

void MessageBar::paintEvent(QPaintEvent* event) {
    QWidget::paintEvent(event);
    if (m_messages.empty()) return;
    QPainter painter(this);
    const QColor color = severityColor(m_messages.front().severity, PlotTheme::from(palette()));
    QColor ground = color;
    ground.setAlphaF(0.12F);
    painter.fillRect(rect(), ground);
    painter.fillRect(QRect(0, 0, kStripe, height()), color);
}

} // namespace bdq
