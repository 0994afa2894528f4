// The jobs of this window: which run, which wait, and how far they are.
#pragma once

#include <QElapsedTimer>
#include <QObject>

#include <map>
#include <memory>
#include <vector>

#include "app/job_client.h"

namespace bdq {

enum class JobState { Queued, Running, Cancelling, Finished, Failed, Cancelled };

/// What is known about one job of this window.
struct JobRecord {
    int id = 0;
    QString title;
    JobSpec spec;
    JobState state = JobState::Queued;
    QString stage;
    int layer = -1;
    double done = 0;
    double total = 0;
    QString unit;
    double secondsLeft = -1; ///< < 0 = unknown
    double seconds = 0;      ///< running time; final once the job ended
    QString device;          ///< what "auto" became; empty until accepted
    int checkpointLayer = -1;
    Error error;         ///< when failed
    QString summaryJson; ///< when finished
    [[nodiscard]] bool active() const { return state == JobState::Running || state == JobState::Cancelling; }
    [[nodiscard]] bool over() const { return state >= JobState::Finished; }
    [[nodiscard]] QString outDir() const;
};

/// Starts one process per job, at most one at a time on a device; "auto" may become any device, so it shares
/// with none. Jobs that do not compute (reports) start at once.
class JobQueue : public QObject {
    Q_OBJECT
public:
    explicit JobQueue(QString workerPath, QObject* parent = nullptr);

    /// Errors: InvalidSpec from validate(). The result is the job's id.
    Result<int> enqueue(const JobSpec& spec, const QString& title);
    /// Stops a running job, or takes a waiting one out of the queue.
    void cancel(int id);
    void cancelAll();
    /// Forgets a job that is over.
    void remove(int id);

    [[nodiscard]] const JobRecord* find(int id) const;
    [[nodiscard]] std::vector<const JobRecord*> records() const;
    [[nodiscard]] bool anyActive() const;
    [[nodiscard]] QString log(int id) const;

signals:
    void jobAdded(int id);
    void jobChanged(int id);
    void jobEvent(int id, const bdq::JobEvent& event);
    void jobEnded(int id);
    void logReceived(int id, const QString& text);

private:
    struct Entry {
        JobRecord record;
        JobClient* client = nullptr;
        QElapsedTimer clock;
        LogRing log;
    };
    void startWaiting();
    void startJob(Entry& entry);
    [[nodiscard]] bool mayStart(const Entry& entry) const;
    void apply(Entry& entry, const JobEvent& event);
    void finish(Entry& entry, const JobOutcome& outcome);
    Entry* entryOf(int id);

    QString m_workerPath;
    int m_nextId = 1;
    std::map<int, Entry> m_entries;
};

} // namespace bdq
