#include "app/job_ledger.h"

#include <QDateTime>

#include "app/job_queue.h"
#include "app/settings.h"

namespace bdq {

JobLedger::JobLedger(JobQueue* queue, Settings* settings, QObject* parent)
    : QObject(parent), m_queue(queue), m_settings(settings) {
    m_writer.setMaxThreadCount(1);
    connect(m_queue, &JobQueue::jobAdded, this, &JobLedger::noteJob);
    connect(m_queue, &JobQueue::jobChanged, this, &JobLedger::updateNote);
}

JobLedger::~JobLedger() {
    flush();
}

void JobLedger::setModel(const std::string& path, const std::string& fingerprint) {
    m_modelPath = path;
    m_fingerprint = fingerprint;
}

void JobLedger::learn(const QString& folder, const JobNote& note) {
    m_notes.emplace(folder, note);
    m_settings->keepRunNumber(note.number);
}

void JobLedger::forget(const QString& folder) {
    flush(); // or it would be made again
    m_notes.erase(folder);
}

int JobLedger::numberOf(const QString& folder) const {
    const auto found = m_notes.find(folder);
    return found == m_notes.end() ? 0 : found->second.number;
}

qint64 JobLedger::createdMsOf(const QString& folder) const {
    const auto found = m_notes.find(folder);
    return found == m_notes.end() ? 0 : found->second.createdUnixMs;
}

void JobLedger::noteJob(int jobId) {
    const JobRecord* record = m_queue->find(jobId);
    if (!record || record->folder().isEmpty()) return;
    JobNote& note = m_notes[record->folder()];
    if (note.number == 0) note.number = m_settings->takeRunNumber();
    if (!record->attached) note.createdUnixMs = QDateTime::currentMSecsSinceEpoch();
    note.spec = record->spec;
    if (jobModelPath(record->spec) == m_modelPath) note.fingerprint = m_fingerprint;
    note.state = record->state;
    note.error.clear();
    if (!record->attached) write(record->folder(), note);
}

void JobLedger::updateNote(int jobId) {
    const JobRecord* record = m_queue->find(jobId);
    const auto found = record ? m_notes.find(record->folder()) : m_notes.end();
    if (found == m_notes.end()) return;
    JobNote& note = found->second;
    const JobState state = record->state == JobState::Cancelling ? JobState::Running : record->state;
    if (state == note.state && record->processId == note.worker.id) return;
    note.state = state;
    if (record->processId != note.worker.id) note.worker = ProcessMark::of(record->processId);
    note.error = record->state == JobState::Failed ? record->error.text() : std::string();
    note.seconds = record->over() ? record->seconds : 0;
    write(record->folder(), note);
}

void JobLedger::write(const QString& folder, const JobNote& note) {
    m_writer.start([path = folder.toStdString(), note] {
        const Status written = saveJobNote(path, note);
        // The job itself says when its folder cannot be written.
        if (!written) qWarning("%s", written.error().text().c_str());
    });
}

} // namespace bdq
