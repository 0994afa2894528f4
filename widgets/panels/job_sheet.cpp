#include "widgets/panels/job_sheet.h"

#include <QFormLayout>
#include <QKeyEvent>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

#include "widgets/panels/form_fields.h"
#include "widgets/theme.h"

namespace bdq {

JobSheet::JobSheet(const QString& title, const QString& lead, const QString& startText, QWidget* parent)
    : QWidget(parent) {
    auto* heading = new QLabel(title, this);
    heading->setFont(titleFont(font()));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(16, 16, 16, 16);
    layout->setSpacing(12);
    layout->addWidget(heading);
    if (!lead.isEmpty()) {
        auto* text = new QLabel(lead, this);
        text->setWordWrap(true);
        text->setForegroundRole(QPalette::PlaceholderText);
        layout->addWidget(text);
    }
    layout->addWidget(makeForm(), 1);
    m_problem = new FieldMessage(this);
    layout->addWidget(m_problem);
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(8);
    auto* cancel = new QPushButton(tr("Cancel"), this);
    m_start = new QPushButton(startText, this);
    m_start->setDefault(true);
    buttons->addStretch(1);
    buttons->addWidget(cancel);
    buttons->addWidget(m_start);
    layout->addLayout(buttons);
    connect(cancel, &QPushButton::clicked, this, &JobSheet::cancelRequested);
}

QWidget* JobSheet::makeForm() {
    auto* area = new QScrollArea(this);
    area->setWidgetResizable(true);
    area->setFrameShape(QFrame::NoFrame);
    auto* content = new QWidget(area);
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(0, 0, 8, 0);
    m_form = new QFormLayout;
    m_form->setHorizontalSpacing(16);
    m_form->setVerticalSpacing(8);
    m_form->setRowWrapPolicy(QFormLayout::WrapLongRows);
    m_form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    column->addLayout(m_form);
    column->addStretch(1);
    area->setWidget(content);
    return area;
}

void JobSheet::setProblem(const QString& text) {
    m_problem->setProblem(text);
}

void JobSheet::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape)
        emit cancelRequested();
    else if ((event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) && m_start->isEnabled())
        m_start->click();
    else
        QWidget::keyPressEvent(event);
}

} // namespace bdq
