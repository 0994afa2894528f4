// Closing: the model, and the window while jobs run.
#include <QCloseEvent>
#include <QDockWidget>
#include <QMessageBox>
#include <QPushButton>
#include <QStackedWidget>

#include <algorithm>

#include "app/main_window.h"
#include "app/workspace.h"
#include "widgets/panels/message_bar.h"

namespace bdq {

namespace {

bool isResumable(const JobRecord* record) {
    return std::holds_alternative<RunSpec>(record->spec);
}

} // namespace

std::vector<const JobRecord*> MainWindow::jobsThatWouldStop() const {
    std::vector<const JobRecord*> jobs = m_jobs.records();
    // Those of an earlier window go on by themselves; reports take a second and have no folder.
    std::erase_if(jobs, [](const JobRecord* record) {
        return !record->active() || record->attached || record->folder().isEmpty();
    });
    return jobs;
}

void MainWindow::closeEvent(QCloseEvent* event) {
    const bool undecided = m_closing == Closing::Not || m_closing == Closing::WhenStopped;
    if (undecided && !jobsThatWouldStop().empty()) {
        event->ignore();
        if (m_closing == Closing::WhenStopped)
            stopNow(); // whoever closes again does not want to wait for the layer
        else
            askBeforeClosing();
        return;
    }
    saveLayout();
    Status written = m_session.saveNow();
    if (written) written = m_session.keepEdits();
    if (!written && m_closing != Closing::WithoutSaving) {
        m_closing = Closing::WithoutSaving; // a second attempt to close gives the changes up
        event->ignore();
        showError(written.error(), tr("The session was not saved; close again to leave without it"));
        return;
    }
    m_measure.setSource({}, {});
    m_jobs.leave();
    m_ledger.flush();
    QMainWindow::closeEvent(event);
}

void MainWindow::askBeforeClosing() {
    if (findChild<QMessageBox*>(QStringLiteral("closeQuestion"))) return;
    const std::vector<const JobRecord*> running = jobsThatWouldStop();
    QStringList names;
    for (const JobRecord* record : running)
        names << record->title;
    const auto waiting = std::ranges::count(m_jobs.records(), JobState::Queued, &JobRecord::state);
    QStringList advice;
    if (std::ranges::any_of(running, isResumable))
        advice << tr("A run that is stopped keeps its finished layers and can be resumed.");
    if (!std::ranges::all_of(running, isResumable))
        advice << tr(
            "An analysis or a measurement of losses cannot be resumed: stopping gives up what it has "
            "done.");
    if (waiting == 1)
        advice << tr("One more job waits. It stays in the list of runs and can be started from there.");
    else if (waiting > 1)
        advice << tr("%n more jobs wait. They stay in the list of runs and can be started from there.",
                     nullptr, static_cast<int>(waiting));
    auto* box = new QMessageBox(QMessageBox::Question, tr("A job is running"),
                                tr("Still running: %1").arg(names.join(QStringLiteral(", "))),
                                QMessageBox::NoButton, this);
    box->setObjectName(QStringLiteral("closeQuestion"));
    box->setInformativeText(advice.join(QStringLiteral("\n\n")));
    box->setAttribute(Qt::WA_DeleteOnClose);
    QPushButton* keep = box->addButton(tr("&Keep running in the background"), QMessageBox::AcceptRole);
    QPushButton* stop = box->addButton(tr("Stop &after this layer"), QMessageBox::DestructiveRole);
    QPushButton* stay = box->addButton(tr("Stay &here"), QMessageBox::RejectRole);
    box->setDefaultButton(stay);
    box->setEscapeButton(stay);
    connect(box, &QMessageBox::finished, this, [this, box, keep, stop] {
        if (box->clickedButton() == keep)
            leaveInBackground();
        else if (box->clickedButton() == stop)
            stopAndLeave();
    });
    box->open();
}

void MainWindow::leaveInBackground() {
    m_closing = Closing::Background;
    close();
}

void MainWindow::stopAndLeave() {
    m_closing = Closing::WhenStopped;
    m_jobs.hold();
    for (const JobRecord* record : jobsThatWouldStop())
        m_jobs.stopAfterLayer(record->id);
    if (jobsThatWouldStop().empty()) close();
}

void MainWindow::stopNow() {
    for (const JobRecord* record : jobsThatWouldStop())
        m_jobs.cancel(record->id);
}

void MainWindow::closeModel() {
    saveLayout();
    m_session.closeAll();
    m_workspace->messages()->dismissAll();
    m_workspace->showSheet(Workspace::Sheet::None);
    m_stack->setCurrentIndex(0);
    for (QDockWidget* dock : docks())
        dock->hide();
    updateStartPage();
    updateActions();
}

} // namespace bdq
