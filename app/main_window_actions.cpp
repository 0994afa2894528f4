// Menus, shortcuts and the command palette.
#include <QAction>
#include <QActionGroup>
#include <QApplication>
#include <QDockWidget>
#include <QFileInfo>
#include <QMenu>
#include <QMenuBar>
#include <QMessageBox>
#include <QPlainTextEdit>
#include <QShortcut>
#include <QStackedWidget>
#include <QTabWidget>
#include <QTextBrowser>

#include "app/main_window.h"
#include "app/translations.h"
#include "app/workspace.h"
#include "engine/api/version.h"
#include "widgets/format.h"
#include "widgets/models/site_table_model.h"
#include "widgets/panels/command_palette.h"
#include "widgets/panels/inspector_panel.h"
#include "widgets/panels/message_bar.h"
#include "widgets/panels/plan_panel.h"
#include "widgets/panels/run_panel.h"
#include "widgets/panels/site_table_panel.h"
#include "widgets/plots/plot_panel.h"
#include "widgets/theme.h"

namespace bdq {

QAction* MainWindow::addAction(QMenu* menu, const QString& text, const QKeySequence& shortcut,
                               std::function<void()> act, const QString& icon) {
    auto* action = new QAction(text, this);
    action->setShortcut(shortcut);
    // The palette shows where an action lives.
    action->setStatusTip(menu->title().remove(QLatin1Char('&')));
    if (!icon.isEmpty()) action->setIcon(themedIcon(icon, palette()));
    connect(action, &QAction::triggered, this, [act = std::move(act)] { act(); });
    menu->addAction(action);
    m_allActions.append(action);
    return action;
}

void MainWindow::setupActions() {
    setupFileMenu();
    setupEditMenu();
    setupViewMenu();
    setupPlanMenu();
    setupRunMenu();
    setupCompareMenu();
    setupWindowMenu();
    setupHelpMenu();
    auto* escape = new QShortcut(QKeySequence(Qt::Key_Escape), this);
    connect(escape, &QShortcut::activated, this, &MainWindow::cancelNearest);
    m_palette->setActions(m_allActions);
}

void MainWindow::setupFileMenu() {
    QMenu* menu = menuBar()->addMenu(tr("&File"));
    addAction(menu, tr("&Open Model File…"), QKeySequence::Open, [this] { openModel(); });
    addAction(menu, tr("Open &Folder (Model, Analysis, Run)…"),
              QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O), [this] { openResult(); });
    addAction(menu, tr("Open &Session…"), QKeySequence(Qt::CTRL | Qt::ALT | Qt::Key_O),
              [this] { openSession(); });
    addAction(menu, tr("Open &Demo"), QKeySequence(Qt::CTRL | Qt::Key_D), [this] { openDemo(); });
    m_recentMenu = menu->addMenu(tr("Open &Recent"));
    connect(m_recentMenu, &QMenu::aboutToShow, this, &MainWindow::fillRecentMenu);
    menu->addSeparator();
    m_modelActions << addAction(menu, tr("&Save Session"), QKeySequence::Save,
                                [this] { saveSession(false); });
    m_modelActions << addAction(menu, tr("Save Session &As…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_S),
                                [this] { saveSession(true); });
    m_modelActions << addAction(menu, tr("Save Session &with Results…"), {},
                                [this] { saveSessionWithResults(); });
    addAction(menu, tr("Results Fol&der…"), {}, [this] { chooseResultsFolder(); });
    m_reportActions << addAction(menu, tr("&Report…"), QKeySequence(Qt::CTRL | Qt::Key_E), [this] {
        m_workspace->showSheet(Workspace::Sheet::None);
        m_workspace->tabs()->setCurrentIndex(Workspace::ReportTab);
    });
    menu->addSeparator();
    m_modelActions << addAction(menu, tr("&Close"), QKeySequence::Close, [this] { closeModel(); });
    addAction(menu, tr("&Quit"), QKeySequence::Quit, [this] { close(); });
}

void MainWindow::setupEditMenu() {
    QMenu* menu = menuBar()->addMenu(tr("&Edit"));
    QAction* undo = m_plan.history()->createUndoAction(this, tr("&Undo"));
    undo->setShortcut(QKeySequence::Undo);
    undo->setIcon(themedIcon(QStringLiteral("undo"), palette()));
    QAction* redo = m_plan.history()->createRedoAction(this, tr("&Redo"));
    redo->setShortcut(QKeySequence::Redo);
    redo->setIcon(themedIcon(QStringLiteral("redo"), palette()));
    menu->addActions({undo, redo});
    for (QAction* action : {undo, redo}) {
        action->setStatusTip(tr("Edit"));
        m_allActions.append(action);
    }
    m_planPanel->setUndoActions(undo, redo);
    menu->addSeparator();
    m_modelActions << addAction(menu, tr("Edit &Bits of Selected Rows"), QKeySequence(Qt::Key_F2),
                                [this] { m_workspace->inspector()->focusBits(); });
    m_modelActions << addAction(menu, tr("&Filter Layers"), QKeySequence::Find,
                                [this] { m_workspace->table()->focusFilter(); });
    QMenu* select = menu->addMenu(tr("Select All &of Site"));
    for (const Site site : kLinearSites)
        m_modelActions << addAction(select, siteTitle(site), {},
                                    [this, site] { m_workspace->table()->selectAllOfSite(site); });
}

void MainWindow::setupViewMenu() {
    QMenu* menu = menuBar()->addMenu(tr("&View"));
    for (int tab = 0; tab < Workspace::TabCount; ++tab)
        m_modelActions << addAction(menu, m_workspace->tabs()->tabText(tab),
                                    QKeySequence(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_1 + tab)),
                                    [this, tab] {
                                        m_workspace->showSheet(Workspace::Sheet::None);
                                        m_workspace->tabs()->setCurrentIndex(tab);
                                    });
    menu->addSeparator();
    m_modelActions << addAction(menu, tr("&Next Row"), QKeySequence(Qt::ALT | Qt::Key_Down),
                                [this] { m_workspace->selectNeighbour(1); });
    m_modelActions << addAction(menu, tr("&Previous Row"), QKeySequence(Qt::ALT | Qt::Key_Up),
                                [this] { m_workspace->selectNeighbour(-1); });
    menu->addSeparator();
    const auto plot = [this](void (PlotPanel::*act)()) {
        return [this, act] {
            if (PlotPanel* current = m_workspace->currentPlot()) (current->*act)();
        };
    };
    m_modelActions << addAction(menu, tr("&Reset Zoom"), QKeySequence(Qt::CTRL | Qt::Key_0),
                                plot(&PlotPanel::resetView));
    m_modelActions << addAction(menu, tr("Copy Plot as &Image"),
                                QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_C), plot(&PlotPanel::copyImage));
    m_modelActions << addAction(menu, tr("Copy Plot as &CSV"), QKeySequence(Qt::CTRL | Qt::ALT | Qt::Key_C),
                                plot(&PlotPanel::copyCsv));
    menu->addSeparator();
    setupLanguageMenu(menu->addMenu(tr("&Language")));
}

void MainWindow::setupLanguageMenu(QMenu* menu) {
    auto* group = new QActionGroup(this);
    std::vector<Language> choices{{QString(), tr("&System Language")}};
    for (const Language& language : languages())
        choices.push_back(language);
    for (const Language& choice : choices) {
        QAction* action = addAction(menu, choice.name, {}, [this, code = choice.code] {
            m_settings.setLanguage(code);
            m_workspace->messages()->showMessage(
                MessageSeverity::Info, tr("The language changes when the program starts the next time."));
        });
        action->setCheckable(true);
        action->setChecked(choice.code == m_settings.language());
        group->addAction(action);
    }
}

void MainWindow::setupPlanMenu() {
    QMenu* menu = menuBar()->addMenu(tr("&Plan"));
    m_modelActions << addAction(menu, tr("&Clear Edits of Rows"),
                                QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Backspace),
                                [this] { m_plan.clearOverrides(); });
    m_modelActions << addAction(menu, tr("&Lock Selected Rows"), QKeySequence(Qt::CTRL | Qt::Key_L),
                                [this] { m_plan.setLocked(m_workspace->selection(), true); });
    m_modelActions << addAction(menu, tr("&Unlock Selected Rows"),
                                QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_L),
                                [this] { m_plan.setLocked(m_workspace->selection(), false); });
    QMenu* method = menu->addMenu(tr("&Method"));
    for (const MethodInfo& info : methodTable()) {
        QAction* action = addAction(method, toQString(info.title), {},
                                    [this, chosen = info.method] { m_plan.setMethod(chosen); });
        action->setToolTip(toQString(info.explanation));
        m_modelActions << action;
    }
    QMenu* scheme = menu->addMenu(tr("&Scheme"));
    for (const char* text : {"W8A8", "W4A8KV8", "W4A4KV4", "W4A16", "W3A16", "W2A4KV16"})
        m_modelActions << addAction(scheme, QString::fromLatin1(text), {}, [this, text] {
            if (const auto parsed = parseScheme(text)) m_plan.setBase(*parsed);
        });
}

void MainWindow::setupRunMenu() {
    QMenu* menu = menuBar()->addMenu(tr("&Run"));
    m_computeActions << addAction(menu, tr("&Analyse Activations…"),
                                  QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_A),
                                  [this] { showAnalyzeSheet(); });
    m_computeActions << addAction(menu, tr("&Quantize…"), QKeySequence(Qt::CTRL | Qt::Key_R),
                                  [this] { showRunSheet(); });
    menu->addSeparator();
    m_computeActions << addAction(menu, tr("&Measure Selected Rows"), QKeySequence(Qt::CTRL | Qt::Key_M),
                                  [this] { m_measure.request(m_workspace->selection()); });
    m_computeActions << addAction(menu, tr("Measure &Losses of Single Sites…"),
                                  QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_M),
                                  [this] { measureSensitivity(); });
    menu->addSeparator();
    addAction(menu, tr("&Cancel Running Job"), QKeySequence(Qt::CTRL | Qt::Key_Period), [this] {
        for (const JobRecord* record : m_jobs.records())
            if (record->active()) m_jobs.cancel(record->id);
    });
    addAction(menu, tr("R&esume Selected Run"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_R),
              [this] { startListed(m_runPanel->selectedRun()); });
}

void MainWindow::setupWindowMenu() {
    QMenu* menu = menuBar()->addMenu(tr("&Window"));
    const std::pair<QDockWidget*, Qt::Key> docks[] = {
        {m_planDock, Qt::Key_P}, {m_runsDock, Qt::Key_R}, {m_compareDock, Qt::Key_D}, {m_logDock, Qt::Key_L}};
    for (const auto& [dock, key] : docks) {
        QAction* action = dock->toggleViewAction();
        action->setShortcut(QKeySequence(Qt::CTRL | Qt::ALT | key));
        action->setStatusTip(tr("Window"));
        menu->addAction(action);
        m_allActions.append(action);
    }
    menu->addSeparator();
    addAction(menu, tr("Restore &Default Layout"), {}, [this] { restoreDefaultLayout(); });
    addAction(menu, tr("&Full Screen"), QKeySequence(Qt::Key_F11),
              [this] { setWindowState(windowState() ^ Qt::WindowFullScreen); });
}

void MainWindow::setupHelpMenu() {
    QMenu* menu = menuBar()->addMenu(tr("&Help"));
    addAction(menu, tr("&Find Layer or Action…"), QKeySequence(Qt::CTRL | Qt::Key_K),
              [this] { fillPalette(); });
    addAction(menu, tr("&Metrics and Methods"), QKeySequence::HelpContents, [this] { showMetrics(); });
    addAction(menu, tr("&About BDQ Studio"), {}, [this] { showAbout(); });
}

void MainWindow::fillRecentMenu() {
    m_recentMenu->clear();
    int number = 0;
    for (const RecentEntry& entry : m_settings.recent()) {
        QAction* action = m_recentMenu->addAction(
            QStringLiteral("&%1  %2").arg(++number).arg(QFileInfo(entry.path).fileName()), this,
            [this, path = entry.path] { openPath(path); });
        action->setToolTip(entry.path);
        action->setStatusTip(entry.path);
    }
    if (number == 0) m_recentMenu->addAction(tr("Nothing opened yet"))->setEnabled(false);
}

void MainWindow::fillPalette() {
    SiteKeys keys;
    for (int row = 0; row < m_workspace->sites()->rowCount(); ++row)
        keys.push_back(m_workspace->sites()->keyAt(row));
    m_palette->setSites(keys);
    m_palette->popUp();
}

void MainWindow::updateActions() {
    const bool open = m_session.isOpen();
    for (QAction* action : m_modelActions)
        action->setEnabled(open);
    const QString refusal = whyNotComputed();
    m_workspace->setRefusal(refusal);
    for (QAction* action : m_computeActions) {
        action->setEnabled(open && refusal.isEmpty());
        action->setToolTip(refusal.isEmpty() ? action->text().remove(QLatin1Char('&'))
                                             : plainToolTip(refusal));
    }
    for (QAction* action : m_reportActions)
        action->setEnabled(!reportDir().empty());
    for (QDockWidget* dock : docks())
        dock->toggleViewAction()->setEnabled(open);
    m_planPanel->setRunEnabled(open && refusal.isEmpty(), open ? refusal : tr("Open a model first"));
}

void MainWindow::showMetrics() {
    QString html = QStringLiteral("<h2>%1</h2>").arg(tr("Metrics"));
    for (const MetricInfo& info : metricTable())
        html += metricToolTip(info.id);
    html += QStringLiteral("<h2>%1</h2>").arg(tr("Transforms"));
    for (const TransformInfo& info : transformTable())
        html += explanationToolTip(info.title, info.explanation, info.citation);
    html += QStringLiteral("<h2>%1</h2>").arg(tr("Methods"));
    for (const MethodInfo& info : methodTable())
        html += explanationToolTip(info.title, info.explanation, info.citation);
    auto* browser = new QTextBrowser(this);
    browser->setWindowFlag(Qt::Window);
    browser->setAttribute(Qt::WA_DeleteOnClose);
    browser->setWindowTitle(tr("Metrics and methods"));
    browser->setHtml(html);
    browser->resize(640, 720);
    browser->show();
}

void MainWindow::showAbout() {
    auto* box =
        new QMessageBox(QMessageBox::NoIcon, tr("About BDQ Studio"),
                        tr("<h3>BDQ Studio %1</h3><p>Sees what quantization does to the layers of a language "
                           "model, and quantizes it.</p><p>GPL-3.0-or-later. Uses Qt %2 and QCustomPlot.</p>")
                            .arg(toQString(version()), QString::fromLatin1(qVersion())),
                        QMessageBox::Close, this);
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setModal(false);
    box->show();
}

} // namespace bdq
