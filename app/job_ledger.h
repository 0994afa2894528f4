// Keeps the note of every job in its folder up to date, and the numbers that jobs are called by.
#pragma once

#include <QObject>
#include <QThreadPool>

#include <map>

#include "app/job_note.h"

namespace bdq {

class JobQueue;
class Settings;

/// Notes are written one after the other by a thread of their own.
class JobLedger : public QObject {
    Q_OBJECT
public:
    /// `queue` and `settings` must outlive it.
    JobLedger(JobQueue* queue, Settings* settings, QObject* parent = nullptr);
    ~JobLedger() override;

    /// The model that is open: jobs that name its path get its fingerprint.
    void setModel(const std::string& path, const std::string& fingerprint);
    /// A job that was found in its folder keeps its number and its time.
    void learn(const QString& folder, const JobNote& note);
    void forget(const QString& folder);
    /// 0 = the folder is not one of a noted job.
    [[nodiscard]] int numberOf(const QString& folder) const;
    [[nodiscard]] qint64 createdMsOf(const QString& folder) const;
    /// Returns when everything is written.
    void flush() { m_writer.waitForDone(); }

private:
    void noteJob(int jobId);
    void updateNote(int jobId);
    void write(const QString& folder, const JobNote& note);

    JobQueue* m_queue;
    Settings* m_settings;
    std::string m_modelPath;
    std::string m_fingerprint;
    QThreadPool m_writer;
    std::map<QString, JobNote> m_notes;
};

} // namespace bdq
