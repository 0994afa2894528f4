// The window: start page or workspace, docks, menus. Wires sessions, plan, jobs and views together.
#pragma once

#include <QMainWindow>
#include <QTemporaryDir>

#include <functional>
#include <optional>

#include "app/budget_controller.h"
#include "app/compare_controller.h"
#include "app/device_probe.h"
#include "app/job_ledger.h"
#include "app/job_queue.h"
#include "app/jobs_presenter.h"
#include "app/measure_controller.h"
#include "app/plan_controller.h"
#include "app/session_controller.h"
#include "app/settings.h"
#include "widgets/plots/plot_content.h"
#include "widgets/site_ranking.h"

class QAction;
class QDockWidget;
class QLabel;
class QMenu;
class QPlainTextEdit;
class QStackedWidget;

namespace bdq {

class CommandPalette;
class ComparePanel;
class PlanPanel;
class RunListModel;
class RunPanel;
class StartPage;
class Workspace;

class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    /// `settings` must outlive the window.
    MainWindow(Settings& settings, const QString& workerPath, QWidget* parent = nullptr);
    ~MainWindow() override;

    void openPath(const QString& path);
    [[nodiscard]] Workspace* workspace() const { return m_workspace; }
    [[nodiscard]] SessionController* session() { return &m_session; }
    [[nodiscard]] PlanController* plan() { return &m_plan; }
    [[nodiscard]] JobQueue* jobs() { return &m_jobs; }
    [[nodiscard]] JobLedger* ledger() { return &m_ledger; }
    [[nodiscard]] RunListModel* runList() const { return m_runList; }
    [[nodiscard]] ComparePanel* comparePanel() const { return m_comparePanel; }

    /// The same as the sheets do.
    Status startAnalysis(const AnalyzeSpec& spec);
    Status startRun(const RunSpec& spec);
    /// What the sheets are filled with.
    [[nodiscard]] AnalyzeSpec proposedAnalysis();
    [[nodiscard]] RunSpec proposedRun();
    /// What "Measure losses" starts.
    [[nodiscard]] SensitivitySpec proposedSensitivity();

protected:
    void closeEvent(QCloseEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    // main_window.cpp
    void setupCentre();
    void connectSession();
    void showModel();
    void connectPlan();
    void updateTitle();
    void updateStatus();
    void updateSummary();
    void updateHeader();
    /// Why the model can be listed only; empty = it can be computed.
    [[nodiscard]] QString whyNotComputed() const;
    void cancelNearest();

    // main_window_close.cpp
    [[nodiscard]] std::vector<const JobRecord*> jobsThatWouldStop() const;
    void askBeforeClosing();
    void leaveInBackground();
    void stopAndLeave();
    void stopNow();
    void closeModel();

    // main_window_actions.cpp
    QAction* addAction(QMenu* menu, const QString& text, const QKeySequence& shortcut,
                       std::function<void()> act, const QString& icon = {});
    void setupActions();
    void setupFileMenu();
    void setupEditMenu();
    void setupViewMenu();
    void setupLanguageMenu(QMenu* menu);
    void setupPlanMenu();
    void setupRunMenu();
    void setupWindowMenu();
    void setupHelpMenu();
    void fillRecentMenu();
    void fillPalette();
    void updateActions();
    void showMetrics();
    void showAbout();

    // main_window_docks.cpp
    void setupDocks();
    QDockWidget* addDock(const QString& name, const QString& title, QWidget* content);
    void defaultDockLayout();
    void placeDocks(bool narrow);
    void arrangeForWidth();
    void saveLayout();
    void restoreLayout();
    void restoreDefaultLayout();
    void restoreDocks();
    [[nodiscard]] QList<QDockWidget*> docks() const {
        return {m_planDock, m_runsDock, m_compareDock, m_logDock};
    }

    // main_window_open.cpp
    void askPath(const QString& purpose, const QString& title, const QString& filter, bool folder,
                 std::function<void(const QString&)> chosen);
    void askSavePath(const QString& purpose, const QString& title, const QString& suggested,
                     std::function<void(const QString&)> chosen);
    void openModel();
    void openResult();
    void openSession();
    void openDemo();
    [[nodiscard]] static QString demoPath();
    void updateStartPage();
    void showOpened(const QString& path);
    void startWantedAnalysis();
    void showAnalysis();
    void showRun(const LoadedRun& run);
    void showRunValues();
    void saveSession(bool askName);
    void saveSessionWithResults();
    void savePlotFile(const QString& suggestedName, const bdq::PlotContent& content);
    void showError(const Error& error, const QString& what);

    // main_window_compare.cpp
    void setupCompareMenu();
    void connectCompare();
    void showCompare();
    void compareRun(const QString& dir);
    void askCompareFolder();

    // main_window_budget.cpp
    void connectBudget();
    void updateBudget();
    [[nodiscard]] const JobRecord* sensitivityJob() const;
    void measureSensitivity();
    Status startLosses(const SensitivitySpec& spec);
    void announceSensitivity(const JobRecord& record, const SensitivitySpec& spec);
    /// What the sites cost the model under the plan as it is.
    [[nodiscard]] SiteRanking currentRanking() const;
    [[nodiscard]] bool isAnalysed(TransformKind transform) const;
    /// The analysis sheet, filled in with the layers of these rows and one more transform.
    void proposeTransform(const SiteKeys& keys, TransformKind transform);
    void updateAnalysisCost();

    // main_window_results.cpp
    void connectRunPanel();
    void connectResults();
    void readRows(const QString& listId);
    void startListed(const QString& listId);
    void askRemove(const QString& listId);
    void removeFolder(const QString& listId, bool toTrash);
    void forgetListed(const QString& listId);
    void announceWaiting();
    void announceContinued();
    void announceRunPlan(const LoadedRun& run);
    void showProblem(const OpenProblem& problem);
    void chooseResultsFolder();
    void rememberPlace(const QString& folder);

    // main_window_jobs.cpp
    void connectJobs();
    void connectSheets();
    void showRunSheet();
    void showAnalyzeSheet();
    void handleJobEvent(int id, const JobEvent& event);
    void handleJobEnd(int id);
    void announceRun(const JobRecord& record, const RunSpec& spec);
    void announceReport(const ReportSpec& spec);
    void announceFailure(const JobRecord& record);
    void requestReport(ReportFormat format);
    void requestPreview();
    [[nodiscard]] std::string reportDir() const;
    void updateReportSource();
    [[nodiscard]] QString previewFile() const;
    void openFolder(const QString& path);
    QAction* messageAction(const QString& text, std::function<void()> act);

    Settings& m_settings;
    PlanController m_plan;
    BudgetController m_budget{&m_plan};
    SessionController m_session{&m_plan, &m_settings};
    JobQueue m_jobs;
    JobLedger m_ledger{&m_jobs, &m_settings};
    MeasureController m_measure;
    DeviceProbe m_probe;
    QTemporaryDir m_previewDir;
    std::string m_reportedDir; ///< what the report tab is about
    bool m_measuring = false;
    bool m_analyzeWhenOpen = false;
    enum class Closing { Not, WhenStopped, Background, WithoutSaving };
    Closing m_closing = Closing::Not;
    bool m_docksJoined = false; ///< all behind each other, for want of width
    TransformKind m_shownTransform = TransformKind::Bdq;
    std::optional<LoadedRun> m_shownRun;

    QStackedWidget* m_stack = nullptr;
    StartPage* m_start = nullptr;
    Workspace* m_workspace = nullptr;
    CommandPalette* m_palette = nullptr;
    PlanPanel* m_planPanel = nullptr;
    RunListModel* m_runList = nullptr;
    RunPanel* m_runPanel = nullptr;
    JobsPresenter* m_presenter = nullptr;
    ComparePanel* m_comparePanel = nullptr;
    CompareController* m_compare = nullptr;
    QPlainTextEdit* m_log = nullptr;
    QDockWidget* m_planDock = nullptr;
    QDockWidget* m_runsDock = nullptr;
    QDockWidget* m_compareDock = nullptr;
    QDockWidget* m_logDock = nullptr;
    QLabel* m_status = nullptr;
    QMenu* m_recentMenu = nullptr;
    QList<QAction*> m_modelActions;   ///< need something open
    QList<QAction*> m_computeActions; ///< need a model that can be computed
    QList<QAction*> m_reportActions;  ///< need results
    QList<QAction*> m_allActions;
};

} // namespace bdq
