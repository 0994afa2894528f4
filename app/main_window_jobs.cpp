// Analyses, runs and reports: from the sheets through the queue to the messages.
#include <QAction>
#include <QDesktopServices>
#include <QDir>
#include <QDockWidget>
#include <QFileInfo>
#include <QPlainTextEdit>
#include <QTabWidget>
#include <QUrl>

#include <algorithm>

#include "app/background.h"
#include "app/main_window.h"
#include "app/report_preview.h"
#include "app/workspace.h"
#include "engine/api/atomic_file.h"
#include "widgets/format.h"
#include "widgets/models/run_list_model.h"
#include "widgets/panels/analyze_sheet.h"
#include "widgets/panels/message_bar.h"
#include "widgets/panels/plan_panel.h"
#include "widgets/panels/report_panel.h"
#include "widgets/panels/run_panel.h"
#include "widgets/panels/run_sheet.h"
#include "widgets/save_format.h"

namespace bdq {

namespace {
constexpr std::size_t kMaxPreviewBytes = 4 << 20;
}

void MainWindow::connectJobs() {
    connect(&m_jobs, &JobQueue::jobEvent, this, &MainWindow::handleJobEvent);
    connect(&m_jobs, &JobQueue::jobEnded, this, &MainWindow::handleJobEnd);
    connect(&m_jobs, &JobQueue::jobChanged, this, &MainWindow::updateStatus);
    connect(&m_jobs, &JobQueue::logReceived, this,
            [this](int, const QString& text) { m_log->appendPlainText(text.trimmed()); });
    connect(&m_measure, &MeasureController::logReceived, this,
            [this](const QString& text) { m_log->appendPlainText(text.trimmed()); });
    connect(m_presenter, &JobsPresenter::warningReceived, this, [this](const QString& text) {
        m_workspace->messages()->showMessage(MessageSeverity::Warning, text);
    });
    connect(&m_probe, &DeviceProbe::devicesFound, this, [this](const std::vector<DeviceInfo>& devices) {
        m_workspace->runSheet()->setDevices(devices);
        m_workspace->analyzeSheet()->setDevices(devices);
    });
}

void MainWindow::connectSheets() {
    RunSheet* run = m_workspace->runSheet();
    AnalyzeSheet* analyze = m_workspace->analyzeSheet();
    connect(m_planPanel, &PlanPanel::runRequested, this, &MainWindow::showRunSheet);
    connect(run, &RunSheet::cancelRequested, this,
            [this] { m_workspace->showSheet(Workspace::Sheet::None); });
    connect(analyze, &AnalyzeSheet::cancelRequested, this,
            [this] { m_workspace->showSheet(Workspace::Sheet::None); });
    connect(run, &RunSheet::startRequested, this, [this, run](const RunSpec& spec) {
        const Status started = startRun(spec);
        run->setProblem(started ? QString() : toQString(started.error().text()));
    });
    connect(analyze, &AnalyzeSheet::startRequested, this, [this, analyze](const AnalyzeSpec& spec) {
        const Status started = startAnalysis(spec);
        analyze->setProblem(started ? QString() : toQString(started.error().text()));
    });
    connect(run, &RunSheet::browseRequested, this, [this, run](RunSheet::PathField field) {
        const bool folder = field == RunSheet::PathField::OutDir;
        askPath(folder ? QStringLiteral("output") : QStringLiteral("text"),
                folder ? tr("Output Folder") : tr("Text File"),
                folder ? QString() : tr("Text (*.txt *.md *.raw);;All files (*)"), folder,
                [run, field](const QString& path) { run->setPath(field, path); });
    });
    connect(analyze, &AnalyzeSheet::browseRequested, this, [this, analyze] {
        askPath(QStringLiteral("text"), tr("Text File"), tr("Text (*.txt *.md *.raw);;All files (*)"), false,
                [analyze](const QString& path) { analyze->setCalibrationPath(path); });
    });
    connect(m_workspace, &Workspace::saveRequested, this, &MainWindow::savePlotFile);
    connect(m_workspace, &Workspace::analysisOptionsRequested, this, &MainWindow::showAnalyzeSheet);
    connect(m_workspace, &Workspace::analysisRequested, this, [this] {
        const Status started = startAnalysis(proposedAnalysis());
        if (!started) showError(started.error(), tr("The analysis was not started"));
    });
    connect(m_workspace, &Workspace::selectionChanged, this, [this](const SiteKeys& keys) {
        if (!m_session.analysisIsLive()) m_measure.request(keys);
    });
    connect(m_workspace->tabs(), &QTabWidget::currentChanged, this, &MainWindow::updateReportSource);
    connect(m_workspace->report(), &ReportPanel::saveRequested, this, &MainWindow::requestReport);
    connect(m_workspace->report(), &ReportPanel::previewRequested, this, &MainWindow::requestPreview);
}

AnalyzeSpec MainWindow::proposedAnalysis() {
    AnalyzeSpec spec = m_settings.analyzeOptions();
    spec.modelPath = m_session.modelPath().toStdString();
    spec.outDir = m_session.nextOutputFolder(QStringLiteral("analysis")).toStdString();
    spec.layers.clear();
    return spec;
}

RunSpec MainWindow::proposedRun() {
    RunSpec spec = m_settings.runOptions();
    const PlanState& state = m_plan.state();
    spec.modelPath = m_session.modelPath().toStdString();
    spec.outDir = m_session.nextOutputFolder(QStringLiteral("run")).toStdString();
    spec.plan = state.plan;
    spec.method = state.method;
    spec.preset = state.preset;
    spec.rounding = state.rounding;
    spec.layers.clear();
    spec.resume = false;
    return spec;
}

void MainWindow::showRunSheet() {
    if (!m_session.isOpen()) return;
    m_probe.start();
    RunSheet* sheet = m_workspace->runSheet();
    sheet->setModel(m_session.modelConfig(), m_session.parameters());
    sheet->setSpec(proposedRun());
    sheet->setProblem({});
    m_workspace->showSheet(Workspace::Sheet::Run);
}

void MainWindow::showAnalyzeSheet() {
    if (!m_session.isOpen()) return;
    m_probe.start();
    m_workspace->analyzeSheet()->setSpec(proposedAnalysis());
    m_workspace->analyzeSheet()->setProblem({});
    m_workspace->showSheet(Workspace::Sheet::Analyze);
}

Status MainWindow::startAnalysis(const AnalyzeSpec& spec) {
    BDQ_TRY(const int id, m_jobs.enqueue(spec, tr("Analysis of %1").arg(m_session.modelName())));
    m_settings.setAnalyzeOptions(spec);
    rememberPlace(QString::fromStdString(spec.outDir));
    m_workspace->messages()->dismissAll();
    m_workspace->showSheet(Workspace::Sheet::None);
    const JobRecord* record = m_jobs.find(id);
    if (record && record->active()) m_session.beginLiveAnalysis(spec);
    return {};
}

Status MainWindow::startRun(const RunSpec& spec) {
    BDQ_CHECK(m_jobs.enqueue(
        spec, tr("Run %1 %2")
                  .arg(toQString(methodInfo(spec.method).title), toQString(formatScheme(spec.plan.base)))));
    m_settings.setRunOptions(spec);
    rememberPlace(QString::fromStdString(spec.outDir));
    m_workspace->showSheet(Workspace::Sheet::None);
    m_runsDock->show();
    m_runsDock->raise();
    return {};
}

void MainWindow::handleJobEvent(int id, const JobEvent& event) {
    const JobRecord* record = m_jobs.find(id);
    if (!record) return;
    const auto* analyze = std::get_if<AnalyzeSpec>(&record->spec);
    if (std::holds_alternative<AcceptedEvent>(event) && analyze && !m_session.analysisIsLive() &&
        analyze->modelPath == m_session.modelPath().toStdString())
        m_session.beginLiveAnalysis(*analyze); // it had to wait in the queue
    if (const auto* hello = std::get_if<HelloEvent>(&event)) {
        m_workspace->runSheet()->setDevices(hello->devices);
        m_workspace->analyzeSheet()->setDevices(hello->devices);
    }
    const auto* row = std::get_if<RowEvent>(&event);
    if (!row || !analyze || row->kind != "analysis_site") return;
    if (const auto site = decodeSiteRow(row->json, "row"))
        m_session.addLiveSite(analyze->outDir, *site);
    else
        showError(site.error(), tr("A row of the analysis cannot be read"));
}

void MainWindow::handleJobEnd(int id) {
    const JobRecord* found = m_jobs.find(id);
    if (!found) return;
    const JobRecord record = *found;
    const auto* analyze = std::get_if<AnalyzeSpec>(&record.spec);
    const auto* run = std::get_if<RunSpec>(&record.spec);
    const auto* report = std::get_if<ReportSpec>(&record.spec);
    const auto* sensitivity = std::get_if<SensitivitySpec>(&record.spec);
    if (analyze) m_session.endLiveAnalysis(analyze->outDir, record.state == JobState::Finished);
    if (run && record.state == JobState::Finished && run->modelPath == m_session.modelPath().toStdString())
        m_session.adoptRun(run->outDir);
    if (record.state == JobState::Failed)
        announceFailure(record);
    else if (run && record.state == JobState::Finished)
        announceRun(record, *run);
    else if (report && record.state == JobState::Finished)
        announceReport(*report);
    else if (sensitivity && record.state == JobState::Finished)
        announceSensitivity(record, *sensitivity);
    if (record.folder().toStdString() == m_reportedDir) m_reportedDir.clear();
    if (report) {
        m_workspace->report()->setBusy(false);
        m_jobs.remove(id);
    }
    updateStatus();
    if (m_closing == Closing::WhenStopped && jobsThatWouldStop().empty()) close();
}

void MainWindow::announceRun(const JobRecord& record, const RunSpec& spec) {
    const auto result = decodeRun(record.summaryJson.toStdString(), "run");
    QString text = tr("%1 finished in %2").arg(record.title, formatDuration(record.seconds));
    if (result && result->full && result->quantized) {
        const QString figures = perplexityText(result->full->perplexity, result->quantized->perplexity,
                                               perplexitySizeOf(*result));
        text = tr("Perplexity %1, %2").arg(figures, formatDuration(record.seconds));
        if (jobModelPath(record.spec) == m_session.modelPath().toStdString())
            m_settings.addRecent(
                {m_session.modelPath(), m_session.modelName(), tr("perplexity %1").arg(figures)});
    }
    const QString dir = QString::fromStdString(spec.outDir);
    m_workspace->messages()->showMessage(
        MessageSeverity::Success, text, {},
        {messageAction(tr("Report…"),
                       [this, dir] {
                           m_workspace->messages()->dismiss(); // what is said about the report comes next
                           m_runPanel->select(dir);
                           m_workspace->showSheet(Workspace::Sheet::None);
                           m_workspace->tabs()->setCurrentIndex(Workspace::ReportTab);
                       }),
         messageAction(tr("Compare with…"),
                       [this, dir] {
                           m_workspace->messages()->dismiss();
                           compareRun(dir);
                       }),
         messageAction(tr("Open folder"), [this, dir] { openFolder(dir); })});
}

void MainWindow::announceReport(const ReportSpec& spec) {
    const QString file = QString::fromStdString(spec.outFile);
    if (file == previewFile()) {
        runInPool(
            this, [path = spec.outFile] { return readTextFile(path, kMaxPreviewBytes); },
            [this](const Result<std::string>& text) {
                if (text)
                    m_workspace->report()->setPreview(
                        toQString(previewOf(*text, tr("*%1 more rows in the saved report*").toStdString())));
                else
                    showError(text.error(), tr("No preview"));
            });
        return;
    }
    m_workspace->messages()->showMessage(
        MessageSeverity::Success, tr("Report saved as %1").arg(QFileInfo(file).fileName()), file,
        {messageAction(tr("Open"), [file] { QDesktopServices::openUrl(QUrl::fromLocalFile(file)); }),
         messageAction(tr("Open folder"), [this, file] { openFolder(QFileInfo(file).absolutePath()); })});
}

void MainWindow::announceFailure(const JobRecord& record) {
    QString advice;
    if (record.error.code == ErrorCode::DeviceOom || record.error.code == ErrorCode::HostOom)
        advice = tr("Fewer or shorter calibration sequences need less memory; so does the CPU instead of a "
                    "small GPU.");
    else if (record.error.code == ErrorCode::MissingCalibration)
        advice =
            tr("Choose a longer text, fewer or shorter sequences, or let the model write the text itself.");
    else if (record.error.code == ErrorCode::DiskFull)
        advice = tr("Free some space or choose another output folder; a run can then be resumed.");
    QStringList details;
    if (!advice.isEmpty()) details << advice;
    const QString log = m_jobs.log(record.id).trimmed();
    if (!log.isEmpty()) details << log;
    QList<QAction*> actions;
    if (m_presenter->startSpec(record.folder()))
        actions << messageAction(tr("Resume"), [this, dir = record.folder()] { startListed(dir); });
    m_workspace->messages()->showMessage(
        MessageSeverity::Error, QStringLiteral("%1: %2").arg(record.title, toQString(record.error.text())),
        details.join(QStringLiteral("\n\n")), actions);
}

std::string MainWindow::reportDir() const {
    const RunInfo* run = m_runList->find(m_runPanel->selectedRun());
    const bool reported = run && run->kind != QLatin1String("sensitivity");
    if (reported && run->state == RunState::Finished) return run->outDir.toStdString();
    if (m_session.analysis() && !m_session.analysisIsLive()) return m_session.analysisDir();
    return m_shownRun && !m_shownRun->interrupted ? m_shownRun->dir : std::string();
}

void MainWindow::updateReportSource() {
    updateActions();
    const std::string dir = reportDir();
    // Naming a source asks for its preview, which takes a worker: only when somebody looks, and once.
    if (m_workspace->tabs()->currentIndex() != Workspace::ReportTab || dir == m_reportedDir) return;
    m_reportedDir = dir;
    const RunInfo* run = m_runList->find(QString::fromStdString(dir));
    QString title;
    const bool ofRun = run && run->kind == QLatin1String("run");
    if (ofRun)
        title = QStringLiteral("%1 %2 %3").arg(run->title, run->method, run->scheme);
    else if (!dir.empty())
        title = tr("analysis of %1").arg(m_session.modelName());
    m_workspace->report()->setPreview({});
    m_workspace->report()->setSource(title, ofRun);
}

void MainWindow::requestReport(ReportFormat format) {
    const std::string dir = reportDir();
    if (dir.empty()) return;
    const QString chosen = reportSuffix(format);
    askSavePath(QStringLiteral("report"), tr("Save Report"), QStringLiteral("report.") + chosen,
                [this, dir, chosen](const QString& path) {
                    const auto target = saveTarget(path, chosen, reportSuffixes());
                    if (!target) return showError(target.error(), tr("The report was not written"));
                    const auto id = m_jobs.enqueue(ReportSpec{dir, reportFormatOf(target->suffix),
                                                              target->path.toStdString(),
                                                              m_workspace->report()->leaveOut()},
                                                   tr("Report"));
                    if (id)
                        m_workspace->report()->setBusy(true);
                    else
                        showError(id.error(), tr("The report was not written"));
                });
}

void MainWindow::requestPreview() {
    const std::string dir = reportDir();
    if (dir.empty()) return;
    const QString file = previewFile();
    const auto id = m_jobs.enqueue(
        ReportSpec{dir, ReportFormat::Markdown, file.toStdString(), m_workspace->report()->leaveOut()},
        tr("Report preview"));
    if (!id) {
        showError(id.error(), tr("No preview"));
        return;
    }
    m_workspace->report()->setBusy(true);
}

QString MainWindow::previewFile() const {
    return m_previewDir.filePath(QStringLiteral("preview.md"));
}

void MainWindow::openFolder(const QString& path) {
    QDesktopServices::openUrl(QUrl::fromLocalFile(path));
}

QAction* MainWindow::messageAction(const QString& text, std::function<void()> act) {
    auto* action = new QAction(text);
    connect(action, &QAction::triggered, this, [act = std::move(act)] { act(); });
    return action;
}

} // namespace bdq
