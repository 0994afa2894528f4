#include "app/job_queue.h"

#include <algorithm>

#include "app/job_client.h"
#include "app/job_follower.h"

namespace bdq {
namespace {

/// Device a job occupies; empty = none.
std::string deviceOf(const JobSpec& spec) {
    if (const auto* analyze = std::get_if<AnalyzeSpec>(&spec)) return analyze->device.device;
    if (const auto* run = std::get_if<RunSpec>(&spec)) return run->device.device;
    if (const auto* eval = std::get_if<EvalSpec>(&spec)) return eval->device.device;
    if (const auto* sensitivity = std::get_if<SensitivitySpec>(&spec)) return sensitivity->device.device;
    return {};
}

bool conflict(const std::string& a, const std::string& b) {
    return !a.empty() && !b.empty() && (a == b || a == "auto" || b == "auto");
}

} // namespace

JobQueue::JobQueue(QString workerPath, QObject* parent)
    : QObject(parent), m_workerPath(std::move(workerPath)) {}

Result<int> JobQueue::enqueue(const JobSpec& spec, const QString& title) {
    BDQ_CHECK(validate(spec));
    const int id = m_nextId++;
    Entry& entry = m_entries[id];
    entry.record.id = id;
    entry.record.title = title;
    entry.record.spec = spec;
    emit jobAdded(id);
    startWaiting();
    return id;
}

int JobQueue::attach(const JobSpec& spec, const QString& title, const ProcessMark& worker, double seconds) {
    const int id = m_nextId++;
    Entry& entry = m_entries[id];
    entry.record.id = id;
    entry.record.title = title;
    entry.record.spec = spec;
    entry.record.state = JobState::Running;
    entry.record.attached = true;
    entry.record.processId = worker.id;
    entry.record.seconds = seconds;
    entry.earlierSeconds = seconds;
    entry.clock.start();
    auto* follower = new JobFollower(entry.record.folder(), worker, this);
    entry.channel = follower;
    listenTo(entry);
    emit jobAdded(id);
    follower->start();
    return id;
}

void JobQueue::stopAfterLayer(int id) {
    Entry* entry = entryOf(id);
    if (!entry || !entry->record.active()) return;
    if (entry->record.layer >= 0 && std::holds_alternative<RunSpec>(entry->record.spec)) {
        entry->record.stopAfterLayer = true;
        emit jobChanged(id);
    } else
        cancel(id);
}

void JobQueue::leave() {
    hold();
    for (auto& [id, entry] : m_entries)
        if (entry.channel) entry.channel->detach();
}

void JobQueue::cancel(int id) {
    Entry* entry = entryOf(id);
    if (!entry || entry->record.over()) return;
    if (entry->channel)
        entry->channel->cancel();
    else
        finish(*entry, CancelledEvent{});
}

void JobQueue::cancelAll() {
    std::vector<int> ids;
    for (const auto& [id, entry] : m_entries)
        ids.push_back(id);
    // Waiting jobs first, so that none of them starts when a running one ends.
    std::stable_partition(ids.begin(), ids.end(),
                          [this](int id) { return m_entries.at(id).record.state == JobState::Queued; });
    for (const int id : ids)
        cancel(id);
}

void JobQueue::remove(int id) {
    const Entry* entry = entryOf(id);
    if (entry && entry->record.over()) m_entries.erase(id);
}

const JobRecord* JobQueue::find(int id) const {
    const auto found = m_entries.find(id);
    return found == m_entries.end() ? nullptr : &found->second.record;
}

std::vector<const JobRecord*> JobQueue::records() const {
    std::vector<const JobRecord*> all;
    for (const auto& [id, entry] : m_entries)
        all.push_back(&entry.record);
    return all;
}

bool JobQueue::anyActive() const {
    return std::any_of(m_entries.begin(), m_entries.end(),
                       [](const auto& item) { return item.second.record.active(); });
}

QString JobQueue::log(int id) const {
    const auto found = m_entries.find(id);
    return found == m_entries.end() ? QString() : QString::fromUtf8(found->second.log.text());
}

void JobQueue::startWaiting() {
    if (m_held) return;
    for (auto& [id, entry] : m_entries)
        if (entry.record.state == JobState::Queued && mayStart(entry)) startJob(entry);
}

bool JobQueue::mayStart(const Entry& entry) const {
    const std::string device = deviceOf(entry.record.spec);
    return std::none_of(m_entries.begin(), m_entries.end(), [&](const auto& item) {
        return item.second.record.active() && conflict(device, deviceOf(item.second.record.spec));
    });
}

void JobQueue::startJob(Entry& entry) {
    auto* client = new JobClient(m_workerPath, this);
    entry.channel = client;
    entry.clock.start();
    entry.record.state = JobState::Running;
    listenTo(entry);
    const Status started = client->start(entry.record.spec);
    if (!started) {
        finish(entry, FailedEvent{started.error()});
        return;
    }
    entry.record.processId = client->processId();
    emit jobChanged(entry.record.id);
}

void JobQueue::listenTo(Entry& entry) {
    const int id = entry.record.id;
    connect(entry.channel, &JobChannel::eventReceived, this, [this, id](const JobEvent& event) {
        if (Entry* running = entryOf(id)) apply(*running, event);
    });
    connect(entry.channel, &JobChannel::logReceived, this, [this, id](const QString& text) {
        if (Entry* running = entryOf(id)) running->log.append(text.toUtf8());
        emit logReceived(id, text);
    });
    connect(entry.channel, &JobChannel::stateChanged, this, [this, id](JobChannel::State state) {
        Entry* running = entryOf(id);
        if (running && state == JobChannel::State::Cancelling) {
            running->record.state = JobState::Cancelling;
            emit jobChanged(id);
        }
    });
    connect(
        entry.channel, &JobChannel::ended, this,
        [this, id](const JobOutcome& outcome) {
            if (Entry* running = entryOf(id)) finish(*running, outcome);
        },
        Qt::QueuedConnection);
}

double JobQueue::secondsOf(const Entry& entry) {
    return entry.earlierSeconds + static_cast<double>(entry.clock.elapsed()) / 1000.0;
}

void JobQueue::apply(Entry& entry, const JobEvent& event) {
    JobRecord& record = entry.record;
    record.seconds = secondsOf(entry);
    if (const auto* accepted = std::get_if<AcceptedEvent>(&event)) {
        record.device = QString::fromStdString(accepted->device);
    } else if (const auto* stage = std::get_if<StageEvent>(&event)) {
        record.stage = QString::fromStdString(stage->name);
        record.layer = stage->layer;
        if (stage->secondsLeft >= 0) record.secondsLeft = stage->secondsLeft;
    } else if (const auto* progress = std::get_if<ProgressEvent>(&event)) {
        record.done = progress->done;
        record.total = progress->total;
        record.unit = QString::fromStdString(progress->unit);
        record.secondsLeft = progress->secondsLeft;
    } else if (const auto* checkpoint = std::get_if<CheckpointEvent>(&event)) {
        record.checkpointLayer = checkpoint->layer;
    }
    const int id = record.id;
    if (record.stopAfterLayer && std::holds_alternative<CheckpointEvent>(event)) cancel(id);
    emit jobEvent(id, event);
    emit jobChanged(id);
}

void JobQueue::finish(Entry& entry, const JobOutcome& outcome) {
    JobRecord& record = entry.record;
    if (record.over()) return;
    if (entry.clock.isValid()) record.seconds = secondsOf(entry);
    record.processId = 0;
    record.secondsLeft = -1;
    if (const auto* finished = std::get_if<FinishedEvent>(&outcome)) {
        record.state = JobState::Finished;
        record.summaryJson = QString::fromStdString(finished->summaryJson);
    } else if (const auto* failed = std::get_if<FailedEvent>(&outcome)) {
        record.state = failed->error.code == ErrorCode::Cancelled ? JobState::Cancelled : JobState::Failed;
        record.error = failed->error;
    } else {
        record.state = JobState::Cancelled;
    }
    if (entry.channel) entry.channel->deleteLater();
    entry.channel = nullptr;
    const int id = record.id;
    emit jobChanged(id);
    emit jobEnded(id);
    startWaiting();
}

JobQueue::Entry* JobQueue::entryOf(int id) {
    const auto found = m_entries.find(id);
    return found == m_entries.end() ? nullptr : &found->second;
}

} // namespace bdq
