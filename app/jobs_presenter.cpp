#include "app/jobs_presenter.h"

#include <QDir>
#include <QFileInfo>

#include "widgets/format.h"
#include "widgets/models/run_list_model.h"
#include "widgets/panels/run_panel.h"

namespace bdq {

namespace {

constexpr int kTickMs = 1000;

bool listed(const JobSpec& spec) {
    return std::holds_alternative<AnalyzeSpec>(spec) || std::holds_alternative<RunSpec>(spec);
}

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

} // namespace

JobsPresenter::JobsPresenter(JobQueue* queue, RunListModel* list, RunPanel* panel, QObject* parent)
    : QObject(parent), m_queue(queue), m_list(list), m_panel(panel) {
    connect(m_queue, &JobQueue::jobAdded, this, &JobsPresenter::addJob);
    connect(m_queue, &JobQueue::jobChanged, this, &JobsPresenter::updateJob);
    connect(m_queue, &JobQueue::jobEvent, this, &JobsPresenter::handleEvent);
    connect(m_queue, &JobQueue::logReceived, this, &JobsPresenter::appendLog);
    connect(&m_clock, &QTimer::timeout, this, &JobsPresenter::tick);
    m_clock.setInterval(kTickMs);
}

void JobsPresenter::addJob(int jobId) {
    const JobRecord* record = m_queue->find(jobId);
    if (!record || !listed(record->spec)) return;
    const QString id = record->outDir();
    m_ids[jobId] = id;
    if (!m_titles.contains(id)) m_titles[id] = QStringLiteral("#%1").arg(m_nextNumber++);
    if (const auto* run = std::get_if<RunSpec>(&record->spec)) m_runSpecs[id] = *run;
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

RunInfo JobsPresenter::infoOf(const JobRecord& record) const {
    RunInfo info;
    info.id = m_ids.at(record.id);
    info.title = m_titles.at(info.id);
    info.state = stateOf(record.state);
    info.kind = toQString(jobName(record.spec));
    if (const auto* run = std::get_if<RunSpec>(&record.spec)) {
        info.method = toQString(methodInfo(run->method).title);
        info.scheme = toQString(formatScheme(run->plan.base));
        info.resumable = record.state == JobState::Cancelled || record.state == JobState::Failed;
    } else {
        info.method = tr("Analysis");
    }
    info.stage = record.state == JobState::Cancelling ? tr("cancelling") : record.stage;
    info.device = record.device;
    info.outDir = record.outDir();
    if (record.state == JobState::Failed) info.error = toQString(record.error.text());
    info.progress = record.total > 0 ? record.done / record.total : -1;
    info.secondsLeft = record.secondsLeft;
    info.elapsedSeconds = record.seconds;
    if (record.state == JobState::Finished) {
        if (const auto result = decodeRun(record.summaryJson.toStdString(), "run")) {
            if (result->full) info.perplexityFull = result->full->perplexity;
            if (result->quantized) info.perplexity = result->quantized->perplexity;
        }
    }
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

void JobsPresenter::showRun(const LoadedRun& run) {
    const QString id = QString::fromStdString(run.dir);
    const RunResult& result = *run.result;
    RunInfo info;
    if (const RunInfo* known = m_list->find(id)) info = *known;
    info.id = id;
    info.title = m_titles.contains(id) ? m_titles[id] : QFileInfo(id).fileName();
    info.kind = QStringLiteral("run");
    info.state = run.interrupted ? (result.status == "failed" ? RunState::Failed : RunState::Cancelled)
                                 : RunState::Finished;
    info.method = toQString(methodInfo(result.spec.method).title);
    info.scheme = toQString(formatScheme(result.spec.plan.base));
    info.device = QString::fromStdString(result.provenance.device);
    info.outDir = id;
    info.resumable = run.interrupted;
    if (result.full) info.perplexityFull = result.full->perplexity;
    if (result.quantized) info.perplexity = result.quantized->perplexity;
    if (result.provenance.seconds > 0) info.elapsedSeconds = result.provenance.seconds;
    m_titles[id] = info.title;
    m_runSpecs[id] = result.spec;
    m_list->addOrUpdate(info);
    for (const RunSiteResult& row : result.perLayer)
        m_panel->addRow(id, row);
    m_panel->select(id);
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

std::optional<RunSpec> JobsPresenter::resumeSpec(const QString& listId) const {
    const auto spec = m_runSpecs.find(listId);
    const RunInfo* info = m_list->find(listId);
    if (spec == m_runSpecs.end() || !info || !info->resumable) return std::nullopt;
    RunSpec again = spec->second;
    again.outDir = listId.toStdString();
    again.resume = true;
    return again;
}

void JobsPresenter::remove(const QString& listId) {
    const int job = jobOf(listId);
    if (const JobRecord* record = m_queue->find(job); record && !record->over()) return;
    m_queue->remove(job);
    m_list->remove(listId);
    m_panel->forget(listId);
    m_runSpecs.erase(listId);
    std::erase_if(m_ids, [&](const auto& item) { return item.second == listId; });
}

} // namespace bdq
