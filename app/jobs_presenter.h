// Between the queue and the Runs dock: jobs of this window and runs opened from folders in one list.
#pragma once

#include <QObject>
#include <QTimer>

#include <map>

#include "app/file_loader.h"
#include "app/job_queue.h"

namespace bdq {

class RunListModel;
class RunPanel;
struct RunInfo;

/// Entries of the list are named by their output folder, so that a resumed run continues its entry. Reports
/// are not listed: their messages say all.
class JobsPresenter : public QObject {
    Q_OBJECT
public:
    JobsPresenter(JobQueue* queue, RunListModel* list, RunPanel* panel, QObject* parent = nullptr);

    /// A run read from its folder.
    void showRun(const LoadedRun& run);
    /// Takes everything out that is not a job of this window.
    void clearOpened();
    /// Job behind an entry; 0 = none.
    [[nodiscard]] int jobOf(const QString& listId) const;
    /// Description to start an interrupted entry again; empty = cannot be resumed.
    [[nodiscard]] std::optional<RunSpec> resumeSpec(const QString& listId) const;
    void remove(const QString& listId);

signals:
    void warningReceived(const QString& text);

private:
    void addJob(int jobId);
    void updateJob(int jobId);
    void handleEvent(int jobId, const JobEvent& event);
    void appendLog(int jobId, const QString& text);
    void tick();
    [[nodiscard]] RunInfo infoOf(const JobRecord& record) const;

    JobQueue* m_queue;
    RunListModel* m_list;
    RunPanel* m_panel;
    QTimer m_clock;
    std::map<int, QString> m_ids;          ///< job -> entry
    std::map<QString, QString> m_titles;   ///< entry -> "#3"
    std::map<QString, RunSpec> m_runSpecs; ///< entries that may be resumed
    int m_nextNumber = 1;
};

} // namespace bdq
