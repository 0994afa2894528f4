// What a plot offers beside its drawing: the context menu and the buttons in its corner, and beside its
// text while there is nothing to draw.
#include <QHBoxLayout>
#include <QMenu>
#include <QToolButton>
#include <qcustomplot.h>

#include "widgets/panels/empty_state.h"
#include "widgets/plots/plot_panel.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

constexpr int kToolIcon = 16;
constexpr const char* kIconProperty = "bdqIcon";

QToolButton* toolButton(const QString& icon, const QString& name, QWidget* parent) {
    auto* button = new QToolButton(parent);
    button->setProperty(kIconProperty, icon);
    button->setAutoRaise(true);
    button->setIconSize({kToolIcon, kToolIcon});
    button->setToolTip(name);
    button->setAccessibleName(name);
    // As in a tool bar: the menu key opens the same menu without three more stops for Tab.
    button->setFocusPolicy(Qt::NoFocus);
    return button;
}

} // namespace

QWidget* PlotPanel::makeTools() {
    auto* tools = new QWidget(m_plot);
    auto* row = new QHBoxLayout(tools);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    QToolButton* reset = toolButton(QStringLiteral("fit"), tr("Show all of the plot (Home)"), tools);
    QToolButton* copy = toolButton(QStringLiteral("copy"), tr("Copy the plot"), tools);
    QToolButton* save = toolButton(QStringLiteral("save"), tr("Save the plot"), tools);
    auto* copies = new QMenu(copy);
    copies->addAction(tr("Copy image"), this, &PlotPanel::copyImage);
    copies->addAction(tr("Copy data as CSV"), this, &PlotPanel::copyCsv);
    copy->setMenu(copies);
    auto* saves = new QMenu(save);
    addSaveActions(saves);
    save->setMenu(saves);
    for (QToolButton* button : {copy, save})
        button->setPopupMode(QToolButton::InstantPopup);
    for (QToolButton* button : {reset, copy, save})
        row->addWidget(button);
    connect(reset, &QToolButton::clicked, this, &PlotPanel::resetView);
    tools->adjustSize();
    return tools;
}

void PlotPanel::setEmptyActions(const QList<QAction*>& actions) {
    m_emptyActions = actions;
    m_emptyState->setActions(m_refusal.isEmpty() ? actions : QList<QAction*>());
}

void PlotPanel::setRefusal(const QString& reason) {
    if (reason == m_refusal) return; // its buttons may be what is being pressed
    m_refusal = reason;
    setEmptyActions(m_emptyActions);
    m_emptyState->setText(emptyStateText());
}

QString PlotPanel::emptyStateText() const {
    if (m_refusal.isEmpty() || m_emptyText.isEmpty()) return m_emptyText;
    // What the view is for stays; what would fill it does not.
    return m_emptyText.section(QStringLiteral("\n\n"), 0, 0) + QStringLiteral("\n\n") + m_refusal;
}

void PlotPanel::placeTools() {
    m_tools->move(m_plot->width() - m_tools->width(), 0);
}

void PlotPanel::paintTools() {
    for (QToolButton* button : m_tools->findChildren<QToolButton*>())
        button->setIcon(themedIcon(button->property(kIconProperty).toString(), palette()));
}

void PlotPanel::addSaveActions(QMenu* menu) {
    menu->addAction(tr("Save as PNG…"), this, [this] { requestSave(QStringLiteral("png")); });
    menu->addAction(tr("Save as SVG…"), this, [this] { requestSave(QStringLiteral("svg")); });
    menu->addAction(tr("Save as PDF…"), this, [this] { requestSave(QStringLiteral("pdf")); });
    menu->addAction(tr("Save data as CSV…"), this, [this] { requestSave(QStringLiteral("csv")); });
}

void PlotPanel::popUpMenu(const QPoint& globalPosition) {
    if (m_empty) return;
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->addAction(tr("Reset view"), this, &PlotPanel::resetView)->setShortcut(Qt::Key_Home);
    menu->addSeparator();
    menu->addAction(tr("Copy image"), this, &PlotPanel::copyImage);
    menu->addAction(tr("Copy data as CSV"), this, &PlotPanel::copyCsv)->setShortcut(QKeySequence::Copy);
    menu->addSeparator();
    addSaveActions(menu);
    menu->popup(globalPosition);
}

} // namespace bdq
