#include "widgets/panels/disclosure.h"

#include <QLabel>
#include <QToolButton>
#include <QVBoxLayout>

namespace bdq {

Disclosure::Disclosure(QWidget* parent) : QWidget(parent) {
    m_button = new QToolButton(this);
    m_button->setCheckable(true);
    m_button->setAutoRaise(true);
    m_button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_button->setFocusPolicy(Qt::StrongFocus);
    m_text = new QLabel(this);
    m_text->setWordWrap(true);
    m_text->setForegroundRole(QPalette::PlaceholderText);
    m_text->setMargin(4);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_button, 0, Qt::AlignLeft);
    layout->addWidget(m_text);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Maximum);
    connect(m_button, &QToolButton::toggled, this, &Disclosure::setOpen);
    setOpen(false);
}

void Disclosure::setContent(const QString& title, const QString& text) {
    m_button->setText(title);
    m_text->setText(text);
}

void Disclosure::setOpen(bool open) {
    m_button->setChecked(open);
    m_button->setArrowType(open ? Qt::DownArrow : Qt::RightArrow);
    m_text->setVisible(open);
}

bool Disclosure::isOpen() const {
    return m_button->isChecked();
}

} // namespace bdq
