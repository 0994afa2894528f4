#include "widgets/panels/job_sheet.h"

#include <QFormLayout>
#include <QKeyEvent>
#include <QPushButton>
#include <QVBoxLayout>

#include "widgets/panels/column_area.h"
#include "widgets/panels/form_fields.h"
#include "widgets/theme.h"

namespace bdq {

JobSheet::JobSheet(const QString& title, const QString& lead, const QString& startText, QWidget* parent)
    : QWidget(parent) {
    auto* heading = new QLabel(title, this);
    heading->setFont(titleFont(font()));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(16, 12, 16, 12);
    layout->setSpacing(8);
    layout->addWidget(heading);
    layout->addWidget(makeForm(lead), 1);
    m_command = new CommandBox(this);
    m_command->hide();
    layout->addWidget(m_command);
    m_problem = new FieldMessage(this);
    layout->addWidget(m_problem);
    layout->addWidget(makeButtons(startText));
}

QWidget* JobSheet::makeForm(const QString& lead) {
    auto* area = new ColumnArea(this);
    auto* content = new QWidget(area);
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(0, 0, 8, 0);
    column->setSpacing(8);
    if (!lead.isEmpty()) {
        auto* text = new QLabel(lead, content);
        text->setWordWrap(true);
        text->setForegroundRole(QPalette::PlaceholderText);
        column->addWidget(text);
    }
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

QWidget* JobSheet::makeButtons(const QString& startText) {
    auto* box = new QWidget(this);
    m_estimate = new QLabel(box);
    m_estimate->setWordWrap(true);
    m_estimate->setForegroundRole(QPalette::PlaceholderText);
    auto* cancel = new QPushButton(tr("Cancel"), box);
    m_start = new QPushButton(startText, box);
    m_start->setDefault(true);
    auto* row = new QHBoxLayout(box);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    row->addWidget(m_estimate, 1);
    row->addWidget(cancel);
    row->addWidget(m_start);
    connect(cancel, &QPushButton::clicked, this, &JobSheet::cancelRequested);
    return box;
}

void JobSheet::setProblem(const QString& text) {
    m_problem->setProblem(text);
}

void JobSheet::setCommand(const QString& text) {
    m_command->setCommand(text);
    m_command->setVisible(!text.isEmpty());
}

void JobSheet::setEstimate(const QString& text, const QString& toolTip) {
    m_estimate->setText(text);
    m_estimate->setToolTip(toolTip);
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
