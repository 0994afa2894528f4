#include "app/session_controller.h"

#include <QFileInfo>

#include <algorithm>

#include "app/background.h"

namespace bdq {

namespace {

constexpr int kLivePauseMs = 250;

PlanState planOfRun(const RunSpec& spec) {
    return {spec.plan, spec.method, spec.preset, spec.rounding, {}};
}

PlanState firstPlan() {
    PlanState state;
    state.plan.base = parseScheme("W4A4KV4").value_or(Scheme{});
    return state;
}

} // namespace

SessionController::SessionController(PlanController* plan, QObject* parent) : QObject(parent), m_plan(plan) {
    m_livePause.setSingleShot(true);
    m_livePause.setInterval(kLivePauseMs);
    connect(&m_livePause, &QTimer::timeout, this, &SessionController::publishLive);
    connect(m_plan->history(), &QUndoStack::indexChanged, this, [this] {
        if (isOpen() && m_plan->history()->count() > 0) setModified(true);
    });
}

void SessionController::open(const QString& path) {
    const quint64 generation = ++m_generation;
    m_opening = true;
    emit openStarted(path);
    runInPool(
        this, [name = path.toStdString()] { return loadContent(name); },
        [this, path, generation](Result<LoadedContent> content) {
            if (generation != m_generation) return;
            m_opening = false;
            if (content)
                show(std::move(*content));
            else
                emit openFailed(path, content.error());
        });
}

void SessionController::stopOpening() {
    ++m_generation;
    m_opening = false;
}

void SessionController::closeAll() {
    stopOpening();
    m_live.reset();
    m_model.reset();
    m_runs.clear();
    m_sessionPath.clear();
    m_plan->reset(firstPlan());
    emit runsCleared();
    emit modelChanged();
    setAnalysis({});
    setModified(false);
}

void SessionController::show(LoadedContent content) {
    m_live.reset();
    m_runs.clear();
    m_sessionPath = content.session ? QString::fromStdString(content.path) : QString();
    m_model = std::move(content.model);
    emit runsCleared();
    resetPlan(content);
    // Results carry the model's numbers themselves: model() may be empty when the file is gone.
    m_runs = content.runs;
    m_analysis = content.analysis.value_or(LoadedAnalysis{});
    emit modelChanged();
    setAnalysis(LoadedAnalysis(m_analysis));
    for (const LoadedRun& run : std::vector<LoadedRun>(m_runs))
        emit runAdded(run);
    setModified(false);
    emit opened(QString::fromStdString(content.path));
    for (const std::string& problem : content.problems)
        emit problemFound(QString::fromStdString(problem));
    if (!m_analysis.result) findEarlierAnalysis();
}

void SessionController::resetPlan(const LoadedContent& content) {
    PlanState state = firstPlan();
    if (content.session) {
        state = content.session->state;
    } else if (!content.runs.empty()) {
        state = planOfRun(content.runs.back().result->spec);
    }
    m_plan->reset(state);
}

void SessionController::findEarlierAnalysis() {
    if (!m_model) return;
    const std::string base = outputBase().toStdString();
    runInPool(
        this, [base, path = m_model->index.path] { return newestAnalysis(base, path); },
        [this, generation = m_generation](std::optional<LoadedAnalysis> found) {
            if (found && generation == m_generation && !m_analysis.result && !m_live) setAnalysis(*found);
        });
}

QString SessionController::modelPath() const {
    if (m_model) return QString::fromStdString(m_model->index.path);
    if (m_analysis.result) return QString::fromStdString(m_analysis.result->spec.modelPath);
    return m_runs.empty() ? QString() : QString::fromStdString(m_runs.back().result->spec.modelPath);
}

QString SessionController::modelName() const {
    const QString name = QString::fromStdString(modelConfig().name);
    return name.isEmpty() ? QFileInfo(modelPath()).completeBaseName() : name;
}

ModelConfig SessionController::modelConfig() const {
    if (m_model) return m_model->index.config;
    if (m_analysis.result) return m_analysis.result->model;
    return m_runs.empty() ? ModelConfig{} : m_runs.back().result->model;
}

std::int64_t SessionController::parameters() const {
    if (m_model) return m_model->index.parameters;
    if (m_analysis.result) return m_analysis.result->parameters;
    return m_runs.empty() ? 0 : m_runs.back().result->parameters;
}

void SessionController::setAnalysis(const LoadedAnalysis& analysis) {
    if (analysis.dir != m_analysis.dir || !analysis.result || !m_live) m_details.setSource(analysis.dir);
    m_analysis = analysis;
    emit analysisChanged();
    if (!m_analysis.problem.empty()) emit problemFound(QString::fromStdString(m_analysis.problem));
}

void SessionController::reloadAnalysis(const std::string& dir) {
    if (m_live || dir != m_analysis.dir) return;
    runInPool(
        this, [dir] { return loadAnalysis(dir); },
        [this, dir, generation = m_generation](Result<LoadedAnalysis> read) {
            if (generation != m_generation || m_live || dir != m_analysis.dir) return;
            if (read)
                setAnalysis(*read);
            else
                emit problemFound(QString::fromStdString(read.error().text()));
        });
}

void SessionController::beginLiveAnalysis(const AnalyzeSpec& spec) {
    m_live.emplace();
    m_live->spec = spec;
    m_live->model = modelConfig();
    m_live->parameters = parameters();
    m_live->text.source = spec.calibration.source;
    m_live->text.sequences = spec.calibration.sequences;
    m_live->text.sequenceLength = spec.calibration.sequenceLength;
    m_details.setSource(spec.outDir);
    m_analysis = {spec.outDir, nullptr, nullptr, {}};
    emit analysisChanged();
}

void SessionController::addLiveSite(const std::string& outDir, const SiteAnalysis& site) {
    if (!m_live || m_live->spec.outDir != outDir) return;
    m_live->text.tokens = site.tokens;
    const auto place = std::lower_bound(m_live->sites.begin(), m_live->sites.end(), site,
                                        [](const auto& a, const auto& b) { return a.key < b.key; });
    if (place != m_live->sites.end() && place->key == site.key)
        *place = site;
    else
        m_live->sites.insert(place, site);
    emit siteAdded(site);
    if (!m_livePause.isActive()) m_livePause.start();
}

void SessionController::publishLive() {
    if (!m_live) return;
    m_analysis.result = std::make_shared<const AnalysisResult>(*m_live);
    emit analysisChanged();
}

void SessionController::endLiveAnalysis(const std::string& outDir, bool finished) {
    if (!m_live || m_live->spec.outDir != outDir) return;
    publishLive();
    m_livePause.stop();
    m_live.reset();
    if (!finished) {
        emit analysisChanged();
        return;
    }
    runInPool(
        this, [outDir] { return loadAnalysis(outDir); },
        [this, generation = m_generation](Result<LoadedAnalysis> read) {
            if (generation != m_generation || m_live) return;
            if (!read) {
                emit problemFound(QString::fromStdString(read.error().text()));
                return;
            }
            setAnalysis(*read);
            setModified(true);
        });
}

void SessionController::adoptRun(const std::string& dir) {
    runInPool(
        this, [dir] { return loadRun(dir); },
        [this, dir, generation = m_generation](Result<LoadedRun> run) {
            if (generation != m_generation || !run) return;
            std::erase_if(m_runs, [&](const LoadedRun& old) { return old.dir == dir; });
            m_runs.push_back(*run);
            emit runAdded(*run);
            setModified(true);
        });
}

QString SessionController::outputBase() const {
    return resultsFolder(m_sessionPath, modelName(), m_model ? m_model->stamp : ModelStamp{});
}

QString SessionController::nextOutputFolder(const QString& kind) {
    return m_folders.next(outputBase(), kind);
}

SessionDocument SessionController::document() const {
    SessionDocument document;
    document.modelPath = QFileInfo(modelPath()).absoluteFilePath().toStdString();
    if (m_model) document.stamp = m_model->stamp;
    document.analysisDir = m_live ? std::string() : m_analysis.dir;
    for (const LoadedRun& run : m_runs)
        document.runDirs.push_back(run.dir);
    document.state = m_plan->state();
    return document;
}

void SessionController::save(const QString& path) {
    m_sessionPath = path;
    setModified(false);
    runInPool(
        this, [document = document(), path] { return saveSession(document, path.toStdString()); },
        [this, path](const Status& written) {
            if (written) {
                emit saved(path);
            } else {
                setModified(true);
                emit saveFailed(written.error());
            }
        });
}

Status SessionController::saveNow() {
    if (m_sessionPath.isEmpty() || !m_modified) return {};
    BDQ_CHECK(saveSession(document(), m_sessionPath.toStdString()));
    setModified(false);
    return {};
}

void SessionController::setModified(bool modified) {
    if (m_modified == modified) return;
    m_modified = modified;
    emit modifiedChanged(modified);
}

} // namespace bdq
