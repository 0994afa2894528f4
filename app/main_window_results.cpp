// Results of the open model, wherever they lie: listed, opened, continued, removed, brought together.
#include <QAction>
#include <QDir>
#include <QDockWidget>
#include <QFile>
#include <QFileDialog>
#include <QFileInfo>
#include <QMessageBox>
#include <QPushButton>
#include <QTabWidget>

#include "app/background.h"
#include "app/main_window.h"
#include "app/session_bundle.h"
#include "app/workspace.h"
#include "engine/api/sensitivity.h"
#include "engine/io/model_config.h"
#include "widgets/format.h"
#include "widgets/models/run_list_model.h"
#include "widgets/models/site_table_model.h"
#include "widgets/panels/message_bar.h"
#include "widgets/panels/run_panel.h"

namespace bdq {

namespace {

bool areLosses(const QString& listId) {
    return QFileInfo(listId).fileName() == QLatin1String(kSensitivityFolderName);
}

/// What an entry of the list is on disk: losses are also a file in the folder of their analysis.
QStringList pathsOf(const QString& listId) {
    QStringList paths{listId};
    if (areLosses(listId)) paths << QFileInfo(listId).dir().filePath(QLatin1String(kSensitivityFileName));
    return paths;
}

bool removePaths(const QStringList& paths, bool toTrash) {
    for (const QString& path : paths) {
        if (!QFileInfo::exists(path)) continue;
        const bool folder = QFileInfo(path).isDir();
        const bool gone = toTrash  ? QFile::moveToTrash(path)
                          : folder ? QDir(path).removeRecursively()
                                   : QFile::remove(path);
        if (!gone) return false;
    }
    return true;
}

} // namespace

void MainWindow::connectRunPanel() {
    connect(m_runPanel, &RunPanel::cancelRequested, this,
            [this](const QString& id) { m_jobs.cancel(m_presenter->jobOf(id)); });
    connect(m_runPanel, &RunPanel::resumeRequested, this, &MainWindow::startListed);
    connect(m_runPanel, &RunPanel::openRequested, this, &MainWindow::openPath);
    connect(m_runPanel, &RunPanel::removeRequested, this, &MainWindow::askRemove);
    connect(m_runPanel, &RunPanel::openFolderRequested, this, &MainWindow::openFolder);
    connect(m_runPanel, &RunPanel::saveRequested, this, &MainWindow::savePlotFile);
    connect(m_runPanel, &RunPanel::runSelected, this, [this](const QString& id) {
        updateReportSource();
        if (m_presenter->wantsRows(id)) readRows(id);
    });
    connect(m_runPanel, &RunPanel::reportRequested, this, [this](const QString& id) {
        m_runPanel->select(id);
        m_workspace->showSheet(Workspace::Sheet::None);
        m_workspace->tabs()->setCurrentIndex(Workspace::ReportTab);
    });
}

void MainWindow::connectResults() {
    connect(&m_session, &SessionController::resultsFound, this,
            [this](const std::vector<FoundResult>& results) {
                m_presenter->showFound(results);
                announceWaiting();
                updateActions();
            });
    connect(&m_session, &SessionController::continued, this, [this] {
        if (!m_shownRun) announceContinued(); // else it is said that the plan is not the run's
    });
    connect(&m_session, &SessionController::searchEnded, this, &MainWindow::startWantedAnalysis);
}

void MainWindow::readRows(const QString& listId) {
    runInPool(
        this, [dir = listId.toStdString()] { return loadRun(dir); },
        [this, listId](const Result<LoadedRun>& run) {
            // One that cannot be read says so when it is opened.
            if (run && m_presenter->wantsRows(listId)) m_presenter->showRun(*run, false);
        });
}

void MainWindow::startListed(const QString& listId) {
    const auto spec = m_presenter->startSpec(listId);
    if (!spec) return;
    Status started;
    if (const auto* run = std::get_if<RunSpec>(&*spec))
        started = startRun(*run);
    else if (const auto* analyze = std::get_if<AnalyzeSpec>(&*spec))
        started = startAnalysis(*analyze);
    else
        started = startLosses(std::get<SensitivitySpec>(*spec));
    if (!started) showError(started.error(), tr("It was not started"));
}

void MainWindow::askRemove(const QString& listId) {
    const RunInfo* info = m_runList->find(listId);
    if (!info || findChild<QMessageBox*>(QStringLiteral("removeQuestion"))) return;
    auto* box = new QMessageBox(QMessageBox::Question, tr("Remove"),
                                tr("Move %1 to the trash?").arg(info->title), QMessageBox::NoButton, this);
    box->setObjectName(QStringLiteral("removeQuestion"));
    box->setInformativeText(tr("The folder %1 with everything in it.").arg(listId));
    box->setAttribute(Qt::WA_DeleteOnClose);
    QPushButton* move = box->addButton(tr("Move to &trash"), QMessageBox::AcceptRole);
    QPushButton* keep = box->addButton(tr("&Keep"), QMessageBox::RejectRole);
    box->setDefaultButton(keep);
    connect(box, &QMessageBox::finished, this, [this, box, move, listId] {
        if (box->clickedButton() == move) removeFolder(listId, true);
    });
    box->open();
}

void MainWindow::removeFolder(const QString& listId, bool toTrash) {
    if (const JobRecord* job = m_jobs.find(m_presenter->jobOf(listId)); job && job->state == JobState::Queued)
        m_jobs.cancel(job->id);
    m_ledger.forget(listId);
    runInPool(
        this, [paths = pathsOf(listId), toTrash] { return removePaths(paths, toTrash); },
        [this, listId, toTrash](bool gone) {
            if (gone) return forgetListed(listId);
            QList<QAction*> actions;
            if (toTrash)
                actions << messageAction(tr("Delete for good"), [this, listId] {
                    m_workspace->messages()->dismiss();
                    removeFolder(listId, false);
                });
            m_workspace->messages()->showMessage(
                MessageSeverity::Error,
                toTrash ? tr("%1 cannot be moved to the trash: there is none on its disk").arg(listId)
                        : tr("%1 cannot be deleted as a whole").arg(listId),
                {}, actions);
        });
}

void MainWindow::forgetListed(const QString& listId) {
    m_presenter->remove(listId);
    const std::string dir = listId.toStdString();
    if (m_shownRun && m_shownRun->dir == dir) {
        m_shownRun.reset();
        m_workspace->sites()->clearRuns();
    }
    if (areLosses(listId))
        m_session.reloadAnalysis(QFileInfo(listId).absolutePath().toStdString());
    else
        m_session.forgetResult(dir);
    m_reportedDir.clear();
    updateHeader();
    updateActions();
    updateReportSource();
}

void MainWindow::announceWaiting() {
    const QStringList waiting = m_presenter->waiting();
    if (waiting.isEmpty()) return;
    const auto count = static_cast<int>(waiting.size());
    m_workspace->messages()->showMessage(
        MessageSeverity::Info,
        count == 1 ? tr("A job waits since this model was open last")
                   : tr("%n jobs wait since this model was open last", nullptr, count),
        {}, {messageAction(count == 1 ? tr("Start it") : tr("Start them"), [this, waiting] {
            m_workspace->messages()->dismiss();
            for (const QString& id : waiting)
                startListed(id);
        })});
}

void MainWindow::announceContinued() {
    const Plan& plan = m_plan.state().plan;
    const auto rows = static_cast<int>(plan.overrides.size());
    QString text = tr("Continued where you left: %1").arg(toQString(formatScheme(plan.base)));
    if (rows == 1)
        text += tr(", 1 row with bits of its own");
    else if (rows > 1)
        text += tr(", %n rows with bits of their own", nullptr, rows);
    m_workspace->messages()->showMessage(
        MessageSeverity::Info, text, {}, {messageAction(tr("Start fresh"), [this] {
            m_workspace->messages()->dismiss();
            m_plan.replace(tr("Start fresh"), SessionController::firstPlan());
        })});
}

void MainWindow::announceRunPlan(const LoadedRun& run) {
    const RunSpec& spec = run.result->spec;
    const PlanState state{spec.plan, spec.method, spec.preset, spec.rounding, {}};
    if (state == m_plan.state()) return;
    m_workspace->messages()->showMessage(MessageSeverity::Info,
                                         tr("The run is shown; your plan stays as it is"), {},
                                         {messageAction(tr("Take over its plan"), [this, state] {
                                             m_workspace->messages()->dismiss();
                                             m_plan.replace(tr("Plan of a run"), state);
                                         })});
}

void MainWindow::showProblem(const OpenProblem& problem) {
    QList<QAction*> actions;
    if (problem.missing == OpenProblem::Missing::Model)
        actions << messageAction(tr("Locate…"), [this] {
            m_workspace->messages()->dismiss();
            askPath(QStringLiteral("model"), tr("Locate the Model"),
                    tr("Models (*.gguf *.safetensors *.safetensors.index.json);;All files (*)"), false,
                    [this](const QString& path) { m_session.relocateModel(path); });
        });
    else if (problem.missing == OpenProblem::Missing::Result)
        actions << messageAction(tr("Locate…"), [this] {
            m_workspace->messages()->dismiss();
            askPath(QStringLiteral("folder"), tr("Locate the Analysis or Run Folder"), {}, true,
                    [this](const QString& path) { openPath(path); });
        });
    m_workspace->messages()->showMessage(MessageSeverity::Warning, QString::fromStdString(problem.text), {},
                                         actions);
}

QString MainWindow::whyNotComputed() const {
    const auto& model = m_session.model();
    if (!model || model->notComputed == NotComputed::Nothing) return {};
    const QString known = QString::fromStdString(io::computedArchitecturesText());
    if (model->notComputed == NotComputed::RopeScaling)
        return tr("This model is listed only: its RoPE scaling “%1” is not computed.")
            .arg(QString::fromStdString(model->index.config.ropeScaling));
    const QString name = QString::fromStdString(model->index.config.architecture);
    if (model->experts.count == 0)
        return tr("This model is listed only: its architecture “%1” is not computed. Computed are %2.")
            .arg(name, known);
    return tr("This model is listed only: a mixture of experts (“%1”) is not computed. A row “gate, up” or "
              "“down” "
              "stands for the %2 experts of its layer. Computed are %3.")
        .arg(name, formatCount(model->experts.count), known);
}

void MainWindow::chooseResultsFolder() {
    auto* dialog = new QFileDialog(this, tr("Folder for Results"), m_settings.resultsFolder());
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& folder) {
        m_settings.setResultsFolder(folder);
        m_workspace->messages()->showMessage(
            MessageSeverity::Info,
            tr("New results go to %1; those so far stay where they are").arg(m_settings.resultsFolder()));
        if (m_session.isOpen()) m_session.searchResults();
    });
    dialog->open();
}

void MainWindow::rememberPlace(const QString& folder) {
    const QString place = QFileInfo(folder).absolutePath();
    if (!folder.isEmpty() &&
        !(place + QLatin1Char('/')).startsWith(m_settings.resultsFolder() + QLatin1Char('/')))
        m_settings.addKnownFolder(place);
}

void MainWindow::saveSessionWithResults() {
    askSavePath(QStringLiteral("session"), tr("Save Session with Results"),
                m_session.modelName() + QStringLiteral(".bdqsession"), [this](const QString& path) {
                    std::vector<std::string> folders;
                    for (int row = 0; row < m_runList->rowCount(); ++row) {
                        const RunInfo* info = m_runList->find(m_runList->idAt(row));
                        const bool whole =
                            info->state != RunState::Running && info->state != RunState::Queued;
                        // Losses lie in the folder of their analysis.
                        if (whole && info->kind != QLatin1String("sensitivity"))
                            folders.push_back(info->id.toStdString());
                    }
                    runInPool(
                        this,
                        [document = m_session.document(), folders, path] {
                            return saveWithResults(document, folders, path.toStdString());
                        },
                        [this, path](const Status& saved) {
                            if (saved)
                                openPath(path);
                            else
                                showError(saved.error(), tr("The session was not saved"));
                        });
                });
}

} // namespace bdq
