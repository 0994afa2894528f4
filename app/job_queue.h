// The jobs of this window: which run, which wait, and how far they are.
#pragma once

#include <QElapsedTimer>
#include <QObject>

#include <map>
#include <memory>
#include <vector>

#include "app/job_channel.h"
#include "app/job_record.h"
#include "app/log_ring.h"
#include "app/process_mark.h"

namespace bdq {

/// Starts one process per job, at most one at a time on a device; "auto" may become any device, so it shares
/// with none. Jobs that do not compute (reports) start at once.
class JobQueue : public QObject {
    Q_OBJECT
public:
    explicit JobQueue(QString workerPath, QObject* parent = nullptr);

    /// Errors: InvalidSpec from validate(). The result is the job's id.
    Result<int> enqueue(const JobSpec& spec, const QString& title);
    /// Takes over a job that an earlier window left to itself; it has been running for `seconds`.
    int attach(const JobSpec& spec, const QString& title, const ProcessMark& worker, double seconds);
    /// Stops a running job, or takes a waiting one out of the queue.
    void cancel(int id);
    void cancelAll();
    /// Cancels a job as soon as the layer that it works on is on disk; at once when it works on none.
    void stopAfterLayer(int id);
    /// From now on nothing starts: what waits goes on waiting.
    void hold() { m_held = true; }
    /// hold(), and the running jobs go on without this window.
    void leave();
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
        JobChannel* channel = nullptr;
        QElapsedTimer clock;
        double earlierSeconds = 0; ///< before this window took it over
        LogRing log;
    };
    void startWaiting();
    void startJob(Entry& entry);
    void listenTo(Entry& entry);
    [[nodiscard]] static double secondsOf(const Entry& entry);
    [[nodiscard]] bool mayStart(const Entry& entry) const;
    void apply(Entry& entry, const JobEvent& event);
    void finish(Entry& entry, const JobOutcome& outcome);
    Entry* entryOf(int id);

    QString m_workerPath;
    int m_nextId = 1;
    bool m_held = false;
    std::map<int, Entry> m_entries;
};

} // namespace bdq
