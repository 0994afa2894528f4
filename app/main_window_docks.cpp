// Docks and the remembered layout.
#include <QDockWidget>
#include <QFontDatabase>
#include <QHeaderView>
#include <QPlainTextEdit>
#include <QScreen>
#include <QSplitter>
#include <QStackedWidget>
#include <QStyle>
#include <QTabWidget>

#include <algorithm>

#include "app/main_window.h"
#include "app/workspace.h"
#include "widgets/models/run_list_model.h"
#include "widgets/panels/compare_panel.h"
#include "widgets/panels/plan_panel.h"
#include "widgets/panels/run_panel.h"
#include "widgets/panels/site_table_panel.h"

namespace bdq {

namespace {
/// Changes when docks or splitters change so that an old layout would not fit.
constexpr int kLayoutVersion = 2;
constexpr int kLogLines = 5000;
constexpr QSize kFirstSize{1440, 900};
constexpr int kLeastDockHeight = 180; ///< what the plan needs
constexpr double kDockShare = 0.28;   ///< of the window, once that is more: the plot of a run uses it
constexpr double kPlanShare = 0.4;    ///< of the window's width, beside the other docks
constexpr int kSideBySide = 1270;     ///< width of a window in which the plan fits beside the other docks
constexpr int kSeparator = 16;        ///< at least what a style puts between docks

/// The screen may be smaller than the one on which the window was closed.
void keepOnScreen(QWidget* window) {
    if (!window->screen() || window->isMaximized() || window->isFullScreen()) return;
    const QRect room = window->screen()->availableGeometry();
    // Before it is shown a window does not know its frame; the title takes about as much as this.
    const int title = window->style()->pixelMetric(QStyle::PM_TitleBarHeight, nullptr, window);
    window->resize(window->size().boundedTo(room.size() - QSize(0, title)));
    const QPoint last = room.bottomRight() - QPoint(window->width(), window->height()) + QPoint(1, 1);
    const QPoint place(std::clamp(window->x(), room.left(), std::max(room.left(), last.x())),
                       std::clamp(window->y(), room.top(), std::max(room.top(), last.y())));
    if (place != window->pos()) window->move(place);
}

} // namespace

void MainWindow::setupDocks() {
    m_planPanel = new PlanPanel;
    m_runList = new RunListModel(this);
    m_runPanel = new RunPanel(m_runList);
    m_presenter = new JobsPresenter(&m_jobs, &m_ledger, m_runList, m_runPanel, this);
    m_comparePanel = new ComparePanel;
    m_compare = new CompareController(m_comparePanel, m_runList, this);
    m_log = new QPlainTextEdit;
    m_log->setReadOnly(true);
    m_log->setMaximumBlockCount(kLogLines);
    m_log->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    m_log->setPlaceholderText(tr("What the workers write while they work appears here."));
    m_log->setFrameShape(QFrame::NoFrame);
    m_planDock = addDock(QStringLiteral("planDock"), tr("Plan"), m_planPanel);
    m_runsDock = addDock(QStringLiteral("runsDock"), tr("Runs"), m_runPanel);
    m_compareDock = addDock(QStringLiteral("compareDock"), tr("Compare"), m_comparePanel);
    m_logDock = addDock(QStringLiteral("logDock"), tr("Log"), m_log);
}

QDockWidget* MainWindow::addDock(const QString& name, const QString& title, QWidget* content) {
    auto* dock = new QDockWidget(title, this);
    dock->setObjectName(name);
    dock->setWidget(content);
    addDockWidget(Qt::BottomDockWidgetArea, dock);
    return dock;
}

void MainWindow::placeDocks(bool narrow) {
    if (narrow)
        tabifyDockWidget(m_planDock, m_runsDock);
    else
        splitDockWidget(m_planDock, m_runsDock, Qt::Horizontal);
    tabifyDockWidget(m_runsDock, m_compareDock);
    tabifyDockWidget(m_compareDock, m_logDock);
    m_docksJoined = narrow;
}

void MainWindow::defaultDockLayout() {
    for (QDockWidget* dock : docks()) {
        dock->setFloating(false);
        removeDockWidget(dock);
        addDockWidget(Qt::BottomDockWidgetArea, dock);
    }
    const bool narrow = width() < kSideBySide;
    placeDocks(narrow);
    const bool open = m_stack->currentWidget() == m_workspace;
    for (QDockWidget* dock : docks())
        dock->setVisible(open);
    if (!narrow) {
        // Shares, not pixels: a sum beyond the window's width would make the window grow.
        const int planWidth = qRound(width() * kPlanShare);
        resizeDocks({m_planDock, m_runsDock}, {planWidth, width() - planWidth - kSeparator}, Qt::Horizontal);
    }
    resizeDocks({m_planDock}, {std::max(kLeastDockHeight, qRound(height() * kDockShare))}, Qt::Vertical);
    (narrow ? m_planDock : m_runsDock)->raise();
}

/// Docks beside each other would keep the window from becoming narrow: they go behind each other before that,
/// and back when there is room again.
void MainWindow::arrangeForWidth() {
    if (!isVisible() || m_stack->currentWidget() != m_workspace) return;
    const bool narrow = width() < kSideBySide;
    for (QDockWidget* dock : docks())
        if (dock->isFloating() || dockWidgetArea(dock) != Qt::BottomDockWidgetArea)
            return; // placed by the user
    const bool beside = !tabifiedDockWidgets(m_planDock).contains(m_runsDock);
    if (narrow == m_docksJoined || (narrow && !beside)) return;
    placeDocks(narrow);
    resizeDocks({m_planDock}, {std::max(kLeastDockHeight, qRound(height() * kDockShare))}, Qt::Vertical);
    m_planDock->raise();
}

void MainWindow::resizeEvent(QResizeEvent* event) {
    QMainWindow::resizeEvent(event);
    arrangeForWidth();
}

void MainWindow::saveLayout() {
    m_settings.setLayout(QStringLiteral("geometry"), saveGeometry());
    if (m_stack->currentWidget() != m_workspace)
        return; // the start page hides the docks: not a layout anyone chose
    m_settings.setLayout(QStringLiteral("docks"), saveState(kLayoutVersion));
    m_settings.setLayout(QStringLiteral("splitter"), m_workspace->splitter()->saveState());
    m_settings.setLayout(QStringLiteral("columns"), m_workspace->table()->saveColumns());
    m_settings.setLayout(QStringLiteral("tab"), QByteArray::number(m_workspace->tabs()->currentIndex()));
}

void MainWindow::restoreLayout() {
    const QByteArray geometry = m_settings.layout(QStringLiteral("geometry"));
    if (geometry.isEmpty() || !restoreGeometry(geometry)) resize(kFirstSize);
    keepOnScreen(this);
    m_workspace->splitter()->restoreState(m_settings.layout(QStringLiteral("splitter")));
    const QByteArray columns = m_settings.layout(QStringLiteral("columns"));
    if (!columns.isEmpty()) m_workspace->table()->restoreColumns(columns);
    m_workspace->tabs()->setCurrentIndex(m_settings.layout(QStringLiteral("tab")).toInt());
}

void MainWindow::restoreDocks() {
    const QByteArray docks = m_settings.layout(QStringLiteral("docks"));
    defaultDockLayout();
    if (docks.isEmpty() || !restoreState(docks, kLayoutVersion)) return;
    // A layout of a wider window would make this one grow, perhaps beyond its screen.
    if (minimumSizeHint().width() > width()) defaultDockLayout();
}

void MainWindow::restoreDefaultLayout() {
    m_settings.clearLayout();
    m_workspace->restoreDefaultSizes();
    defaultDockLayout();
}

} // namespace bdq
