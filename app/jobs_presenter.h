// Between the queue and the Runs dock: jobs of this window, jobs and results that were found in folders, and
// results that were opened, in one list.
#pragma once

#include <QObject>
#include <QTimer>

#include <map>

#include "app/file_loader.h"
#include "app/job_ledger.h"
#include "app/job_queue.h"
#include "widgets/format.h"

namespace bdq {

class RunListModel;
class RunPanel;
struct RunInfo;

/// What the perplexities of a run were measured on.
PerplexitySize perplexitySizeOf(const RunResult& result);

/// Entries of the list are named by their folder, so that a resumed run continues its entry. Reports are not
/// listed: their messages say all.
class JobsPresenter : public QObject {
    Q_OBJECT
public:
    JobsPresenter(JobQueue* queue, JobLedger* ledger, RunListModel* list, RunPanel* panel,
                  QObject* parent = nullptr);

    /// A run read from its folder; becomes the selected one when `select` is set.
    void showRun(const LoadedRun& run, bool select);
    /// Results of the model that is open, from their folders. Jobs of this window know better; a job whose
    /// worker still works becomes one of them.
    void showFound(const std::vector<FoundResult>& results);
    /// Takes everything out that is not an unfinished job of this window.
    void clearOpened();
    /// Job behind an entry; 0 = none.
    [[nodiscard]] int jobOf(const QString& listId) const;
    /// Rows of this entry have not been read: whoever shows it loads the run.
    [[nodiscard]] bool wantsRows(const QString& listId) const;
    /// Description to start an interrupted or a waiting entry (again); empty = cannot be started.
    [[nodiscard]] std::optional<JobSpec> startSpec(const QString& listId) const;
    /// Entries that wait since an earlier day, oldest first.
    [[nodiscard]] QStringList waiting() const;
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
    [[nodiscard]] RunInfo infoOf(const FoundResult& found) const;
    [[nodiscard]] QString titleOf(const QString& listId) const;

    JobQueue* m_queue;
    JobLedger* m_ledger;
    RunListModel* m_list;
    RunPanel* m_panel;
    QTimer m_clock;
    std::map<int, QString> m_ids;       ///< job -> entry
    std::map<QString, JobSpec> m_specs; ///< of all entries
    std::map<QString, bool> m_rowsRead; ///< of entries that are runs
};

} // namespace bdq
