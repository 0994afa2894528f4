#include "app/jobs_presenter.h"

#include <QDateTime>
#include <QFileInfo>

#include <algorithm>

#include "widgets/format.h"
#include "widgets/models/run_list_model.h"
#include "widgets/panels/run_panel.h"

namespace bdq {

namespace {

constexpr int kTickMs = 1000;

RunState stateOf(JobState state) {
    switch (state) {
    case JobState::Queued:
        return RunState::Queued;
    case JobState::Running:
    case JobState::Cancelling:
        return RunState::Running;
    case JobState::Finished:
        return RunState::Finished;
    case JobState::Failed:
        return RunState::Failed;
    case JobState::Cancelled:
        return RunState::Cancelled;
    }
    return RunState::Failed;
}

void setSpec(const JobSpec& spec, RunInfo& info) {
    info.kind = toQString(jobName(spec));
    if (const auto* run = std::get_if<RunSpec>(&spec)) {
        info.method = toQString(methodInfo(run->method).title);
        info.scheme = toQString(formatScheme(run->plan.base));
    } else if (std::holds_alternative<AnalyzeSpec>(spec)) {
        info.method = JobsPresenter::tr("Analysis");
    } else {
        info.method = JobsPresenter::tr("Losses of single sites");
    }
}

int quantizedLayers(const RunSpec& spec, int layers) {
    return spec.layers.empty() ? layers : static_cast<int>(spec.layers.size());
}

double secondsSince(const JobNote& note) {
    const qint64 now = QDateTime::currentMSecsSinceEpoch();
    return static_cast<double>(std::max<qint64>(0, now - note.createdUnixMs)) / 1000.0;
}

void setPerplexity(const RunResult& result, RunInfo& info) {
    if (result.full) info.perplexityFull = result.full->perplexity;
    if (result.quantized) info.perplexity = result.quantized->perplexity;
    info.perplexitySize = perplexitySizeOf(result);
}

} // namespace

PerplexitySize perplexitySizeOf(const RunResult& result) {
    const auto& measured = result.quantized ? result.quantized : result.full;
    PerplexitySize size;
    if (measured) size.tokens = std::int64_t{measured->windows} * measured->sequenceLength;
    size.layers = result.model.layers;
    size.quantizedLayers = quantizedLayers(result.spec, size.layers);
    return size;
}

JobsPresenter::JobsPresenter(JobQueue* queue, JobLedger* ledger, RunListModel* list, RunPanel* panel,
                             QObject* parent)
    : QObject(parent), m_queue(queue), m_ledger(ledger), m_list(list), m_panel(panel) {
    connect(m_queue, &JobQueue::jobAdded, this, &JobsPresenter::addJob);
    connect(m_queue, &JobQueue::jobChanged, this, &JobsPresenter::updateJob);
    connect(m_queue, &JobQueue::jobEvent, this, &JobsPresenter::handleEvent);
    connect(m_queue, &JobQueue::logReceived, this, &JobsPresenter::appendLog);
    connect(&m_clock, &QTimer::timeout, this, &JobsPresenter::tick);
    m_clock.setInterval(kTickMs);
}

void JobsPresenter::addJob(int jobId) {
    const JobRecord* record = m_queue->find(jobId);
    if (!record || record->folder().isEmpty()) return;
    const QString id = record->folder();
    m_ids[jobId] = id;
    m_specs[id] = record->spec;
    m_rowsRead[id] = true; // they come with its events
    m_list->addOrUpdate(infoOf(*record));
    m_panel->select(id);
    m_clock.start();
}

void JobsPresenter::updateJob(int jobId) {
    const JobRecord* record = m_queue->find(jobId);
    if (record && m_ids.contains(jobId)) m_list->addOrUpdate(infoOf(*record));
}

void JobsPresenter::tick() {
    if (!m_queue->anyActive()) {
        m_clock.stop();
        return;
    }
    for (const JobRecord* record : m_queue->records())
        if (record->active()) updateJob(record->id);
}

QString JobsPresenter::titleOf(const QString& listId) const {
    const int number = m_ledger->numberOf(listId);
    return number > 0 ? QStringLiteral("#%1").arg(number) : QFileInfo(listId).fileName();
}

RunInfo JobsPresenter::infoOf(const JobRecord& record) const {
    RunInfo info;
    info.id = m_ids.at(record.id);
    info.title = titleOf(info.id);
    info.createdMs = m_ledger->createdMsOf(info.id);
    info.state = stateOf(record.state);
    setSpec(record.spec, info);
    const bool stopped = record.state == JobState::Cancelled || record.state == JobState::Failed;
    info.resumable = stopped && std::holds_alternative<RunSpec>(record.spec);
    info.stage = record.state == JobState::Cancelling ? tr("cancelling")
                 : record.stopAfterLayer              ? tr("%1, then it stops").arg(record.stage)
                                                      : record.stage;
    info.device = record.device;
    info.outDir = record.folder();
    info.detached = record.attached;
    if (record.state == JobState::Failed) info.error = toQString(record.error.text());
    info.progress = record.total > 0 ? record.done / record.total : -1;
    info.secondsLeft = record.secondsLeft;
    info.elapsedSeconds = record.seconds;
    if (record.state == JobState::Finished)
        if (const auto result = decodeRun(record.summaryJson.toStdString(), "run"))
            setPerplexity(*result, info);
    return info;
}

RunInfo JobsPresenter::infoOf(const FoundResult& found) const {
    RunInfo info;
    info.id = QString::fromStdString(found.folder);
    info.title = titleOf(info.id);
    info.createdMs = found.note.createdUnixMs;
    info.state = stateOf(found.note.state);
    setSpec(found.note.spec, info);
    info.device = QString::fromStdString(found.device);
    info.outDir = info.id;
    info.error = QString::fromStdString(found.note.error);
    info.resumable = found.resumable;
    info.held = found.note.state == JobState::Queued;
    info.perplexityFull = found.perplexityFull;
    info.perplexity = found.perplexity;
    info.perplexitySize.tokens = found.perplexityTokens;
    info.perplexitySize.layers = found.layers;
    if (const auto* run = std::get_if<RunSpec>(&found.note.spec))
        info.perplexitySize.quantizedLayers = quantizedLayers(*run, found.layers);
    if (found.note.seconds > 0) info.elapsedSeconds = found.note.seconds;
    return info;
}

void JobsPresenter::handleEvent(int jobId, const JobEvent& event) {
    const auto id = m_ids.find(jobId);
    if (id == m_ids.end()) return;
    if (const auto* row = std::get_if<RowEvent>(&event); row && row->kind == "run_site") {
        if (const auto site = decodeRunRow(row->json, "row"))
            m_panel->addRow(id->second, *site);
        else
            emit warningReceived(toQString(site.error().text()));
    } else if (const auto* warning = std::get_if<WarningEvent>(&event)) {
        m_panel->appendLog(id->second, tr("warning: %1").arg(toQString(warning->message)));
        emit warningReceived(toQString(warning->message));
    } else if (const auto* artifact = std::get_if<ArtifactEvent>(&event)) {
        m_panel->appendLog(id->second,
                           tr("wrote %1 (%2)").arg(toQString(artifact->path), formatBytes(artifact->bytes)));
    }
}

void JobsPresenter::appendLog(int jobId, const QString& text) {
    const auto id = m_ids.find(jobId);
    if (id == m_ids.end()) return;
    for (const QString& line : text.split(QLatin1Char('\n'), Qt::SkipEmptyParts))
        m_panel->appendLog(id->second, line);
}

void JobsPresenter::showFound(const std::vector<FoundResult>& results) {
    for (const FoundResult& found : results) {
        const QString id = QString::fromStdString(found.folder);
        if (jobOf(id) != 0) continue;
        m_ledger->learn(id, found.note);
        m_specs[id] = found.note.spec;
        if (found.alive) {
            m_queue->attach(found.note.spec, titleOf(id), found.note.worker, secondsSince(found.note));
            continue;
        }
        if (m_list->find(id) && m_rowsRead[id]) continue; // it was opened, and read as a whole
        m_list->addOrUpdate(infoOf(found));
    }
}

void JobsPresenter::showRun(const LoadedRun& run, bool select) {
    const QString id = QString::fromStdString(run.dir);
    const RunResult& result = *run.result;
    RunInfo info;
    if (const RunInfo* known = m_list->find(id)) info = *known;
    info.id = id;
    info.title = titleOf(id);
    setSpec(result.spec, info);
    if (info.createdMs == 0) info.createdMs = m_ledger->createdMsOf(id);
    if (info.createdMs == 0) info.createdMs = QFileInfo(id).lastModified().toMSecsSinceEpoch();
    const bool failed = result.status == "failed" || info.state == RunState::Failed;
    info.state = !run.interrupted ? RunState::Finished : failed ? RunState::Failed : RunState::Cancelled;
    info.device = QString::fromStdString(result.provenance.device);
    info.outDir = id;
    info.resumable = run.interrupted;
    setPerplexity(result, info);
    if (result.provenance.seconds > 0) info.elapsedSeconds = result.provenance.seconds;
    m_specs[id] = result.spec;
    m_rowsRead[id] = true;
    m_list->addOrUpdate(info);
    for (const RunSiteResult& row : result.perLayer)
        m_panel->addRow(id, row);
    if (select) m_panel->select(id);
}

void JobsPresenter::clearOpened() {
    for (int row = m_list->rowCount() - 1; row >= 0; --row) {
        const QString id = m_list->idAt(row);
        const JobRecord* record = m_queue->find(jobOf(id));
        if (!record || record->over()) remove(id);
    }
}

int JobsPresenter::jobOf(const QString& listId) const {
    int newest = 0;
    for (const auto& [job, id] : m_ids)
        if (id == listId) newest = job;
    return newest;
}

bool JobsPresenter::wantsRows(const QString& listId) const {
    const auto read = m_rowsRead.find(listId);
    const RunInfo* info = m_list->find(listId);
    return info && info->kind == QLatin1String("run") && info->state != RunState::Queued &&
           (read == m_rowsRead.end() || !read->second);
}

std::optional<JobSpec> JobsPresenter::startSpec(const QString& listId) const {
    const auto spec = m_specs.find(listId);
    const RunInfo* info = m_list->find(listId);
    if (spec == m_specs.end() || !info) return std::nullopt;
    const bool waits = info->state == RunState::Queued && info->held;
    if (!waits && !info->resumable) return std::nullopt;
    JobSpec again = spec->second;
    if (auto* run = std::get_if<RunSpec>(&again)) {
        run->outDir = listId.toStdString();
        run->resume = !waits;
    }
    return again;
}

QStringList JobsPresenter::waiting() const {
    QStringList ids;
    for (int row = m_list->rowCount() - 1; row >= 0; --row) {
        const RunInfo* info = m_list->find(m_list->idAt(row));
        if (info->state == RunState::Queued && info->held) ids << info->id;
    }
    return ids;
}

void JobsPresenter::remove(const QString& listId) {
    const int job = jobOf(listId);
    if (const JobRecord* record = m_queue->find(job); record && !record->over()) return;
    m_queue->remove(job);
    m_list->remove(listId);
    m_panel->forget(listId);
    m_specs.erase(listId);
    m_rowsRead.erase(listId);
    std::erase_if(m_ids, [&](const auto& item) { return item.second == listId; });
}

} // namespace bdq
