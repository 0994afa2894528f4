// Opening, showing what was opened, saving.
#include <QAction>
#include <QCoreApplication>
#include <QDir>
#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QStackedWidget>
#include <QStandardPaths>
#include <QTabWidget>

#include <utility>

#include "app/background.h"
#include "app/main_window.h"
#include "app/workspace.h"
#include "engine/api/atomic_file.h"
#include "widgets/format.h"
#include "widgets/models/run_list_model.h"
#include "widgets/models/site_table_model.h"
#include "widgets/panels/message_bar.h"
#include "widgets/panels/site_table_panel.h"
#include "widgets/panels/start_page.h"
#include "widgets/save_format.h"

namespace bdq {

namespace {
constexpr const char* kDemoFile = "SmolLM2-135M-Instruct.Q4_1.gguf";
}

void MainWindow::askPath(const QString& purpose, const QString& title, const QString& filter, bool folder,
                         std::function<void(const QString&)> chosen) {
    auto* dialog = new QFileDialog(this, title, m_settings.lastFolder(purpose), filter);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(folder ? QFileDialog::Directory : QFileDialog::ExistingFile);
    if (folder) dialog->setOption(QFileDialog::ShowDirsOnly);
    connect(dialog, &QFileDialog::fileSelected, this,
            [this, purpose, chosen = std::move(chosen)](const QString& path) {
                m_settings.setLastFolder(purpose, QFileInfo(path).absolutePath());
                chosen(path);
            });
    dialog->open();
}

void MainWindow::askSavePath(const QString& purpose, const QString& title, const QString& suggested,
                             std::function<void(const QString&)> chosen) {
    auto* dialog = new QFileDialog(this, title, m_settings.lastFolder(purpose));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(QFileInfo(suggested).suffix());
    dialog->selectFile(suggested);
    connect(dialog, &QFileDialog::fileSelected, this,
            [this, purpose, chosen = std::move(chosen)](const QString& path) {
                m_settings.setLastFolder(purpose, QFileInfo(path).absolutePath());
                chosen(path);
            });
    dialog->open();
}

void MainWindow::openModel() {
    askPath(QStringLiteral("model"), tr("Open Model"),
            tr("Models (*.gguf *.safetensors *.safetensors.index.json);;All files (*)"), false,
            [this](const QString& path) { openPath(path); });
}

void MainWindow::openResult() {
    askPath(QStringLiteral("folder"), tr("Open Model, Analysis or Run Folder"), {}, true,
            [this](const QString& path) { openPath(path); });
}

void MainWindow::openSession() {
    askPath(QStringLiteral("session"), tr("Open Session"), tr("BDQ Studio sessions (*.bdqsession)"), false,
            [this](const QString& path) { openPath(path); });
}

QString MainWindow::demoPath() {
    const QString chosen = qEnvironmentVariable("BDQ_DEMO_MODEL");
    const QDir program(QCoreApplication::applicationDirPath());
    const QStringList candidates{chosen,
                                 program.filePath(QStringLiteral("../../models/") +
                                                  QLatin1String(kDemoFile)), // bin/ of a build folder
                                 QDir(QStandardPaths::writableLocation(QStandardPaths::AppDataLocation))
                                     .filePath(QLatin1String(kDemoFile))};
    for (const QString& path : candidates)
        if (!path.isEmpty() && QFileInfo::exists(path)) return QDir::cleanPath(path);
    return {};
}

void MainWindow::openDemo() {
    const QString path = demoPath();
    if (path.isEmpty()) {
        showError(Error{ErrorCode::NotFound,
                        tr("The demo model %1 is not here yet. Running “bash resources/demo.sh” in "
                           "the source "
                           "folder fetches it; or set BDQ_DEMO_MODEL to its path.")
                            .arg(QLatin1String(kDemoFile))
                            .toStdString(),
                        {}},
                  tr("No demo model"));
        return;
    }
    openPath(path);
    m_analyzeWhenOpen = true;
}

void MainWindow::openPath(const QString& path) {
    m_analyzeWhenOpen = false;
    m_session.open(path);
}

void MainWindow::updateStartPage() {
    std::vector<RecentItem> items;
    for (const RecentEntry& entry : m_settings.recent())
        items.push_back({entry.path, entry.title, entry.detail});
    m_start->setRecent(items);
    const bool available = !demoPath().isEmpty();
    m_start->setDemo(available,
                     available ? tr("SmolLM2-135M: opens the model and analyses it on text it writes itself")
                               : tr("SmolLM2-135M is fetched by resources/demo.sh"));
    updateTitle();
    updateStatus();
}

void MainWindow::showOpened(const QString& path) {
    m_workspace->messages()->dismissAll();
    m_workspace->showSheet(Workspace::Sheet::None);
    if (m_stack->currentWidget() != m_workspace) {
        m_stack->setCurrentWidget(m_workspace);
        restoreDocks();
    }
    QString detail;
    if (m_shownRun && m_shownRun->result->full && m_shownRun->result->quantized)
        detail = tr("perplexity %1")
                     .arg(perplexityText(m_shownRun->result->full->perplexity,
                                         m_shownRun->result->quantized->perplexity,
                                         perplexitySizeOf(*m_shownRun->result)));
    m_settings.addRecent({path, m_session.modelName(), detail});
    updateTitle();
    updateStatus();
    updateActions();
    updateReportSource();
    m_workspace->table()->setFocus();
    if (m_session.analysis()) rememberPlace(QString::fromStdString(m_session.analysisDir()));
    for (const LoadedRun& run : m_session.runs())
        rememberPlace(QString::fromStdString(run.dir));
    if (const QString refusal = whyNotComputed(); !refusal.isEmpty())
        m_workspace->messages()->showMessage(MessageSeverity::Warning, refusal);
    if (m_shownRun && path == QString::fromStdString(m_shownRun->dir)) announceRunPlan(*m_shownRun);
}

void MainWindow::startWantedAnalysis() {
    const bool wanted = std::exchange(m_analyzeWhenOpen, false);
    if (!wanted || !m_session.isOpen() || !whyNotComputed().isEmpty() || m_session.analysis() ||
        m_session.analysisIsLive())
        return;
    const Status started = startAnalysis(proposedAnalysis());
    if (!started) showError(started.error(), tr("The analysis was not started"));
}

void MainWindow::showAnalysis() {
    const AnalysisPtr& analysis = m_session.analysis();
    if (m_session.analysisIsLive()) {
        // Its first row is yet to come: what is still shown belongs to another one.
        if (!analysis) m_workspace->showModel(m_session.modelConfig().layers);
        m_workspace->showLiveAnalysis(analysis);
    } else if (analysis) {
        m_workspace->showAnalysis(analysis, currentRanking());
        m_measure.setSource(m_session.modelPath().toStdString(), m_session.analysisDir(), analysis);
        showRunValues();
    } else {
        m_workspace->showModel(m_session.modelConfig().layers);
        m_measure.setSource({}, {});
        showRunValues(); // its rows are measured with or without an analysis
    }
    const LoadedAnalysis whole = m_session.analysisIsLive() ? LoadedAnalysis{} : m_session.loadedAnalysis();
    m_budget.setAnalysis(whole);
    updateAnalysisCost();
    updateHeader();
    updateActions();
    updateReportSource();
}

void MainWindow::showRun(const LoadedRun& run) {
    m_presenter->showRun(run, true);
    m_shownRun = run;
    showRunValues();
    updateHeader();
    updateActions();
    updateReportSource();
}

void MainWindow::showRunValues() {
    if (!m_shownRun) return;
    const QString folder = QString::fromStdString(m_shownRun->dir);
    const RunInfo* listed = m_runList->find(folder);
    m_workspace->sites()->addRun(folder, listed ? listed->title : QString(), *m_shownRun->result);
}

void MainWindow::saveSession(bool askName) {
    if (!askName && !m_session.sessionPath().isEmpty()) {
        m_session.save(m_session.sessionPath());
        return;
    }
    askSavePath(QStringLiteral("session"), tr("Save Session"),
                m_session.modelName() + QStringLiteral(".bdqsession"),
                [this](const QString& path) { m_session.save(path); });
}

void MainWindow::savePlotFile(const QString& suggestedName, const PlotContent& content) {
    const QString chosen = QFileInfo(suggestedName).suffix();
    askSavePath(
        QStringLiteral("plot"), tr("Save Plot"), suggestedName, [this, content, chosen](const QString& path) {
            const auto target = saveTarget(path, chosen, plotSuffixes());
            if (!target) return showError(target.error(), tr("The plot was not saved"));
            runInPool(
                this,
                [file = target->path.toStdString(), bytes = content(target->suffix)] {
                    return writeFileAtomically(
                        file, std::string_view(bytes.constData(), static_cast<std::size_t>(bytes.size())));
                },
                [this](const Status& written) {
                    if (!written) showError(written.error(), tr("The plot was not saved"));
                });
        });
}

void MainWindow::showError(const Error& error, const QString& what) {
    const QString text = toQString(error.text());
    m_workspace->messages()->showMessage(MessageSeverity::Error, QStringLiteral("%1: %2").arg(what, text));
}

} // namespace bdq
