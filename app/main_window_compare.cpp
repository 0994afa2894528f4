// Comparing two runs: the Compare menu and its dock.
#include <QDockWidget>
#include <QMenu>
#include <QMenuBar>

#include "app/main_window.h"
#include "app/workspace.h"
#include "widgets/models/run_list_model.h"
#include "widgets/panels/run_panel.h"

namespace bdq {

void MainWindow::setupCompareMenu() {
    QMenu* menu = menuBar()->addMenu(tr("&Compare"));
    m_modelActions << addAction(menu, tr("&Compare Runs"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_D),
                                [this] { showCompare(); });
    m_modelActions << addAction(menu, tr("Compare with Run &Folder…"),
                                QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_F),
                                [this] { askCompareFolder(); });
    m_modelActions << addAction(menu, tr("&Swap Runs"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_X),
                                [this] { m_comparePanel->swapSides(); });
}

void MainWindow::connectCompare() {
    connect(m_comparePanel, &ComparePanel::browseRequested, this, &MainWindow::askCompareFolder);
    connect(m_comparePanel, &ComparePanel::saveRequested, this, &MainWindow::savePlotFile);
    connect(m_comparePanel, &ComparePanel::siteActivated, m_workspace,
            [this](const SiteKey& key) { m_workspace->select({key}); });
    connect(m_compare, &CompareController::failed, this,
            [this](const Error& error) { showError(error, tr("The run cannot be compared")); });
}

void MainWindow::showCompare() {
    m_compareDock->show();
    m_compareDock->raise();
    if (!m_comparePanel->chosen(0).isEmpty() && !m_comparePanel->chosen(1).isEmpty()) return;
    const RunInfo* selected = m_runList->find(m_runPanel->selectedRun());
    const bool finished =
        selected && selected->state == RunState::Finished && selected->kind == QLatin1String("run");
    const QString dir = finished ? selected->id : m_compare->newest();
    if (!dir.isEmpty()) m_compare->compare(dir);
}

void MainWindow::compareRun(const QString& dir) {
    m_compareDock->show();
    m_compareDock->raise();
    m_compare->compare(dir);
    if (!m_compare->hasOther(dir)) askCompareFolder();
}

void MainWindow::askCompareFolder() {
    m_compareDock->show();
    m_compareDock->raise();
    askPath(QStringLiteral("folder"), tr("Run Folder to Compare With"), {}, true,
            [this](const QString& path) { m_compare->addFolder(path); });
}

} // namespace bdq
