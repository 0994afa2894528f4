#include "widgets/panels/message_bar.h"

#include <algorithm>

#include <QAction>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLocale>
#include <QMenu>
#include <QPainter>
#include <QToolButton>

#include "widgets/panels/elided_label.h"
#include "widgets/panels/message_popup.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

constexpr int kIconSize = 16;
constexpr int kStripe = 4;
constexpr std::size_t kLongestHistory = 100;
constexpr int kListedWidth = 480; ///< of a text in the list

} // namespace

MessageBar::MessageBar(QWidget* parent) : QWidget(parent) {
    m_icon = new QLabel(this);
    m_text = new ElidedLabel(this);
    m_text->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
    m_text->installEventFilter(this);
    m_popup = new MessagePopup(this);
    m_buttons = new QHBoxLayout;
    m_buttons->setSpacing(4);
    setupButtons();
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(kStripe + 8, 2, 2, 2);
    row->setSpacing(6);
    row->addWidget(m_icon);
    row->addWidget(m_text, 1);
    row->addLayout(m_buttons);
    row->addWidget(m_details);
    row->addWidget(m_close);
    row->addWidget(m_all);
    reserveHeight();
    showFirst();
}

void MessageBar::setupButtons() {
    m_details = new QToolButton(this);
    m_details->setText(tr("Details"));
    m_details->setToolTip(tr("The whole message"));
    m_close = new QToolButton(this);
    m_close->setAutoRaise(true);
    m_close->setToolTip(tr("Dismiss (Esc)"));
    m_close->setAccessibleName(tr("Dismiss"));
    m_list = new QMenu(this);
    m_all = new QToolButton(this);
    m_all->setObjectName(QStringLiteral("allMessages"));
    m_all->setAutoRaise(true);
    m_all->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_all->setToolTip(tr("All messages since the start"));
    m_all->setAccessibleName(tr("All messages"));
    m_all->setMenu(m_list);
    m_all->setPopupMode(QToolButton::InstantPopup);
    for (QToolButton* button : {m_details, m_close, m_all})
        button->setFocusPolicy(Qt::StrongFocus);
    connect(m_close, &QToolButton::clicked, this, &MessageBar::dismiss);
    connect(m_details, &QToolButton::clicked, this, [this] {
        if (!m_messages.empty()) m_popup->open(m_messages.front(), this);
    });
    connect(m_list, &QMenu::aboutToShow, this, &MessageBar::fillHistory);
}

void MessageBar::showMessage(MessageSeverity severity, const QString& text, const QString& details,
                             const QList<QAction*>& actions) {
    for (QAction* action : actions)
        action->setParent(this);
    const Message message{severity, text, details, actions, QDateTime::currentDateTime()};
    const auto place = std::ranges::find_if(
        m_messages, [&](const Message& other) { return other.severity <= message.severity; });
    m_messages.insert(place, message);
    m_history.insert(m_history.begin(), Message{severity, text, details, {}, message.time});
    if (m_history.size() > kLongestHistory) m_history.pop_back();
    showFirst();
}

QString MessageBar::text() const {
    return m_messages.empty() ? QString() : m_messages.front().text;
}

void MessageBar::clearActions() {
    while (QLayoutItem* item = m_buttons->takeAt(0)) {
        item->widget()->hide();
        item->widget()->deleteLater(); // one of them may be what was clicked
        delete item;
    }
}

void MessageBar::showFirst() {
    clearActions();
    const bool any = !m_messages.empty();
    m_icon->setVisible(any);
    m_close->setVisible(any);
    m_text->setText(text());
    m_all->setText(count() > 0 ? QLocale().toString(count()) : QString());
    m_all->setEnabled(!m_history.empty());
    setAccessibleName(any ? tr("%1: %2").arg(severityText(m_messages.front().severity), text()) : QString());
    if (any) {
        const QString kind = severityText(m_messages.front().severity);
        m_icon->setAccessibleName(kind);
        m_icon->setToolTip(kind);
        for (QAction* action : m_messages.front().actions) {
            auto* button = new QToolButton(this);
            button->setDefaultAction(action);
            button->setToolButtonStyle(Qt::ToolButtonTextOnly);
            button->setFocusPolicy(Qt::StrongFocus);
            m_buttons->addWidget(button);
        }
    }
    paintIcons();
    updateDetails();
    update();
}

void MessageBar::dismiss() {
    if (m_messages.empty()) return;
    for (QAction* action : m_messages.front().actions)
        action->deleteLater();
    m_messages.erase(m_messages.begin());
    showFirst();
    emit dismissed();
}

void MessageBar::dismissAll() {
    while (!m_messages.empty())
        dismiss();
}

void MessageBar::fillHistory() {
    m_list->clear();
    for (const Message& message : m_history) {
        const QString when = QLocale().toString(message.time.time(), QLocale::ShortFormat);
        const QString text = fontMetrics().elidedText(message.text, Qt::ElideMiddle, kListedWidth);
        QAction* action = m_list->addAction(themedIcon(severityIcon(message.severity), palette()),
                                            QStringLiteral("%1  %2").arg(when, text).replace(u'&', "&&"));
        connect(action, &QAction::triggered, this, [this, message] { m_popup->open(message, this); });
    }
}

void MessageBar::paintIcons() {
    m_close->setIcon(themedIcon(QStringLiteral("close"), palette()));
    m_all->setIcon(themedIcon(QStringLiteral("messages"), palette()));
    if (m_messages.empty()) return;
    const QIcon icon = themedIcon(severityIcon(m_messages.front().severity), palette());
    m_icon->setPixmap(icon.pixmap(kIconSize, kIconSize));
}

/// The button is there when the line does not say all.
void MessageBar::updateDetails() {
    const bool more = !m_messages.empty() &&
                      (!m_messages.front().details.isEmpty() || m_text->shownText() != m_text->text());
    m_details->setVisible(more);
}

void MessageBar::reserveHeight() {
    setFixedHeight(std::max({m_details->sizeHint().height(), m_close->sizeHint().height(),
                             m_all->sizeHint().height(), fontMetrics().height()}) +
                   4);
}

void MessageBar::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (!m_all) return;
    if (event->type() == QEvent::PaletteChange) paintIcons();
    if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) reserveHeight();
}

bool MessageBar::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_text && event->type() == QEvent::Resize) updateDetails();
    return QWidget::eventFilter(watched, event);
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
