#include "app/main_window.h"

#include <QCloseEvent>
#include <QLabel>
#include <QMenuBar>
#include <QMessageBox>
#include <QMimeData>
#include <QPushButton>
#include <QStackedWidget>
#include <QStatusBar>
#include <QVBoxLayout>

#include "app/workspace.h"
#include "widgets/format.h"
#include "widgets/models/run_list_model.h"
#include "widgets/models/site_table_model.h"
#include "widgets/panels/budget_row.h"
#include "widgets/panels/command_palette.h"
#include "widgets/panels/header_strip.h"
#include "widgets/panels/inspector_panel.h"
#include "widgets/panels/message_bar.h"
#include "widgets/panels/plan_panel.h"
#include "widgets/panels/run_panel.h"
#include "widgets/panels/site_table_panel.h"
#include "widgets/panels/start_page.h"
#include "widgets/stacked_pages.h"

namespace bdq {

MainWindow::MainWindow(Settings& settings, const QString& workerPath, QWidget* parent)
    : QMainWindow(parent), m_settings(settings), m_jobs(workerPath), m_measure(workerPath, &m_plan),
      m_probe(workerPath) {
    setObjectName(QStringLiteral("mainWindow"));
    setAcceptDrops(true);
    setupCentre();
    setupDocks();
    setupActions();
    connectSession();
    connectPlan();
    connectBudget();
    connectJobs();
    connectSheets();
    connectRunPanel();
    connectResults();
    connectCompare();
    defaultDockLayout();
    restoreLayout();
    m_session.closeAll();
    updateStartPage();
    updateActions();
}

MainWindow::~MainWindow() {
    // The workers' last signals must not find a half-destroyed window.
    m_jobs.disconnect(this);
    m_measure.disconnect(this);
    m_budget.disconnect(this);
    m_plan.disconnect(this);
    m_plan.history()->disconnect(this);
    m_session.disconnect(this);
}

void MainWindow::setupCentre() {
    m_start = new StartPage;
    m_workspace = new Workspace;
    m_stack = new QStackedWidget;
    m_stack->addWidget(m_start);
    m_stack->addWidget(m_workspace);
    claimRoomForShownPage(m_stack);
    auto* centre = new QWidget;
    auto* layout = new QVBoxLayout(centre);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_stack, 1);
    setCentralWidget(centre);
    m_palette = new CommandPalette(this);
    m_status = new QLabel;
    m_status->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred); // a long text widens no window
    statusBar()->addWidget(m_status, 2);
    statusBar()->addPermanentWidget(m_workspace->messages(), 3);
    connect(m_palette, &CommandPalette::siteChosen, m_workspace, [this](const SiteKey& key) {
        m_workspace->select({key});
        m_workspace->table()->setFocus();
    });
    connect(m_start, &StartPage::openModelRequested, this, &MainWindow::openModel);
    connect(m_start, &StartPage::openResultRequested, this, &MainWindow::openResult);
    connect(m_start, &StartPage::demoRequested, this, &MainWindow::openDemo);
    connect(m_start, &StartPage::recentActivated, this, &MainWindow::openPath);
    connect(m_start, &StartPage::pathsDropped, this, [this](const QStringList& paths) {
        if (!paths.isEmpty()) openPath(paths.front());
    });
    connect(m_start, &StartPage::recentRemoveRequested, this, [this](const QString& path) {
        m_settings.removeRecent(path);
        updateStartPage();
    });
}

void MainWindow::connectSession() {
    connect(&m_session, &SessionController::openStarted, this, &MainWindow::updateStatus);
    connect(&m_session, &SessionController::opened, this, &MainWindow::showOpened);
    connect(&m_session, &SessionController::openFailed, this, [this](const QString&, const Error& error) {
        m_analyzeWhenOpen = false;
        updateStatus();
        showError(error, tr("Cannot open it"));
    });
    connect(&m_session, &SessionController::problemFound, this, &MainWindow::showProblem);
    connect(&m_session, &SessionController::modelChanged, this, &MainWindow::showModel);
    connect(&m_session, &SessionController::analysisChanged, this, &MainWindow::showAnalysis);
    connect(&m_session, &SessionController::siteAdded, m_workspace, &Workspace::showSite);
    connect(&m_session, &SessionController::runAdded, this, &MainWindow::showRun);
    connect(&m_session, &SessionController::runsCleared, this, [this] {
        m_shownRun.reset();
        m_workspace->sites()->clearRuns();
        m_presenter->clearOpened();
    });
    connect(&m_session, &SessionController::modifiedChanged, this,
            [this](bool modified) { setWindowModified(modified && !m_session.sessionPath().isEmpty()); });
    connect(&m_session, &SessionController::saved, this, [this](const QString& path) {
        m_settings.addRecent({path, m_session.modelName(), {}});
        statusBar()->showMessage(tr("Saved %1").arg(path), 5000);
        updateTitle();
    });
    connect(&m_session, &SessionController::saveFailed, this,
            [this](const Error& error) { showError(error, tr("The session was not saved")); });
    SiteDetailStore* details = m_session.details();
    connect(details, &SiteDetailStore::loaded, m_workspace, &Workspace::showDetail);
    connect(details, &SiteDetailStore::failed, this, [this](const SiteKey& key, const Error& error) {
        // While an analysis runs, the row may be known before its file is on disk.
        if (!m_session.analysisIsLive()) showError(error, tr("%1 cannot be shown").arg(siteText(key)));
    });
    connect(m_workspace, &Workspace::detailWanted, this,
            [this, details](const SiteAnalysis& site, const std::vector<SiteAnalysis>& neighbours) {
                m_workspace->showDetail(site.key, details->request(site));
                details->prefetch(neighbours);
            });
}

void MainWindow::showModel() {
    const ModelMark model = m_session.mark();
    m_ledger.setModel(model.path, model.fingerprint);
    m_workspace->showModel(m_session.modelConfig().layers);
    updateHeader();
}

void MainWindow::connectPlan() {
    connect(&m_plan, &PlanController::changed, this, [this] {
        const PlanState& state = m_plan.state();
        m_planPanel->setPlan(state.plan);
        m_planPanel->setMethod(state.method);
        m_planPanel->setPreset(state.preset);
        m_planPanel->setRounding(state.rounding);
        m_workspace->showPlan(state);
        const SiteKeys selected = m_workspace->selection();
        const TransformKind wanted =
            selected.empty() ? state.fallback() : state.transformAt(selected.front());
        // Curves of a transform that was not analysed do not exist; the last ones stay.
        if (wanted != m_shownTransform && isAnalysed(wanted)) {
            m_shownTransform = wanted;
            m_workspace->showTransforms(TransformKind::None, wanted);
        }
        updateSummary();
        m_measure.request(selected);
    });
    connect(m_planPanel, &PlanPanel::baseSchemeEdited, &m_plan, &PlanController::setBase);
    connect(m_planPanel, &PlanPanel::layersEdited, &m_plan, &PlanController::editLayers);
    connect(m_planPanel, &PlanPanel::overridesClearRequested, &m_plan, &PlanController::clearOverrides);
    connect(m_planPanel, &PlanPanel::methodChosen, &m_plan, &PlanController::setMethod);
    connect(m_planPanel, &PlanPanel::presetChosen, &m_plan, &PlanController::setPreset);
    connect(m_planPanel, &PlanPanel::roundingChosen, &m_plan, &PlanController::setRounding);
    InspectorPanel* inspector = m_workspace->inspector();
    connect(inspector, &InspectorPanel::planEdited, &m_plan, &PlanController::editSchemes);
    connect(inspector, &InspectorPanel::transformChosen, &m_plan, &PlanController::setTransform);
    connect(inspector, &InspectorPanel::analysisWanted, this, &MainWindow::proposeTransform);
    connect(m_workspace->table(), &SiteTablePanel::lockRequested, &m_plan, &PlanController::setLocked);
    connect(inspector, &InspectorPanel::measureRequested, &m_measure, &MeasureController::request);
    connect(&m_measure, &MeasureController::measured, m_workspace, &Workspace::showMeasured);
    connect(&m_measure, &MeasureController::busyChanged, this, [this, inspector](bool busy) {
        m_measuring = busy;
        inspector->setMeasuring(busy);
        updateStatus();
    });
    connect(&m_measure, &MeasureController::failed, this,
            [this](const Error& error) { showError(error, tr("The row could not be measured")); });
}

void MainWindow::updateTitle() {
    QString title = m_session.isOpen() ? m_session.modelName() : QString();
    if (!m_session.sessionPath().isEmpty()) title = QFileInfo(m_session.sessionPath()).completeBaseName();
    setWindowTitle(title.isEmpty() ? tr("BDQ Studio") : tr("%1[*] — BDQ Studio").arg(title));
    setWindowFilePath(m_session.sessionPath());
    setWindowModified(m_session.modified() && !m_session.sessionPath().isEmpty());
}

void MainWindow::updateStatus() {
    QString text = tr("Ready");
    if (m_session.opening())
        text = tr("Opening …");
    else if (m_measuring)
        text = tr("Measuring the selected rows …");
    for (const JobRecord* record : m_jobs.records()) {
        if (!record->active()) continue;
        text =
            record->state == JobState::Cancelling ? tr("%1: cancelling").arg(record->title) : record->title;
        if (record->state == JobState::Running && !record->stage.isEmpty())
            text += QStringLiteral(": ") + record->stage;
        if (record->stopAfterLayer) text += tr(", then it stops");
        if (record->secondsLeft >= 0) text += tr(", %1 left").arg(formatDuration(record->secondsLeft));
    }
    m_status->setText(text);
}

void MainWindow::updateSummary() {
    const PlanState& state = m_plan.state();
    // An analysis may hold some layers only; the plan is about all of them.
    const PlanSummary summary = summarizePlan(
        state.plan, listedSites(m_session.modelConfig(), m_session.experts()), m_session.parameters());
    const SiteRanking ranking = currentRanking();
    m_workspace->showRanking(ranking);
    m_planPanel->setSummary(summary, ranking);
    m_planPanel->budget()->setBits(state.budget.value_or(summary.plannedBits));
    m_planPanel->budget()->setCandidates(state.candidateBits);
    m_workspace->header()->setPlan(state.plan.base, summary, ranking);
}

void MainWindow::updateHeader() {
    HeaderStrip* header = m_workspace->header();
    if (!m_session.isOpen()) {
        header->clear();
        return;
    }
    const ModelConfig model = m_session.modelConfig();
    header->setModel(m_session.modelName(), model.layers, m_session.parameters(), m_session.modelPath());
    const AnalysisPtr& analysis = m_session.analysis();
    header->setText(analysis ? std::optional(analysis->text) : std::nullopt,
                    whyNotComputed().isEmpty() ? QString() : tr("listed only"));
    std::optional<double> full;
    std::optional<double> quantized;
    if (m_shownRun && m_shownRun->result->full) full = m_shownRun->result->full->perplexity;
    if (m_shownRun && m_shownRun->result->quantized) quantized = m_shownRun->result->quantized->perplexity;
    header->setPerplexity(full, quantized,
                          m_shownRun ? perplexitySizeOf(*m_shownRun->result) : PerplexitySize{});
    m_planPanel->setLayerCount(model.layers);
    updateSummary();
}

void MainWindow::cancelNearest() {
    if (m_session.opening()) {
        m_session.stopOpening();
        m_analyzeWhenOpen = false;
        updateStatus();
    } else if (m_stack->currentWidget() == m_workspace && m_workspace->sheetOpen()) {
        m_workspace->showSheet(Workspace::Sheet::None);
    } else if (m_workspace->messages()->count() > 0) {
        m_workspace->messages()->dismiss();
    }
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (event->mimeData()->hasUrls() && event->mimeData()->urls().front().isLocalFile())
        event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
    openPath(event->mimeData()->urls().front().toLocalFile());
    event->acceptProposedAction();
}

} // namespace bdq
