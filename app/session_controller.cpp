#include "app/session_controller.h"

#include <QDir>
#include <QFileInfo>

#include "app/background.h"
#include "app/settings.h"

namespace bdq {

namespace {

constexpr int kLivePauseMs = 250;
constexpr int kKeepPauseMs = 1000; ///< edits follow each other: one file for all of them

PlanState planOfRun(const RunSpec& spec) {
    return {spec.plan, spec.method, spec.preset, spec.rounding, {}};
}

} // namespace

PlanState SessionController::firstPlan() {
    PlanState state;
    state.plan.base = parseScheme("W4A4KV4").value_or(Scheme{});
    return state;
}

SessionController::SessionController(PlanController* plan, const Settings* settings, QObject* parent)
    : QObject(parent), m_plan(plan), m_settings(settings) {
    m_livePause.setSingleShot(true);
    m_livePause.setInterval(kLivePauseMs);
    connect(&m_livePause, &QTimer::timeout, this, &SessionController::publishLive);
    m_keepPause.setSingleShot(true);
    m_keepPause.setInterval(kKeepPauseMs);
    m_saver.setMaxThreadCount(1);
    connect(&m_keepPause, &QTimer::timeout, this, &SessionController::keepEditsInPool);
    connect(m_plan->history(), &QUndoStack::indexChanged, this, [this] {
        if (isOpen() && m_plan->history()->count() > 0) noteEdit();
    });
}

SessionController::~SessionController() {
    m_saver.waitForDone();
}

void SessionController::noteEdit() {
    setModified(true);
    if (!m_sessionPath.isEmpty()) return;
    m_editsPending = true;
    m_keepPause.start();
}

void SessionController::open(const QString& path) {
    const quint64 generation = ++m_generation;
    m_opening = true;
    emit openStarted(path);
    // It may be the same model: its edits are read again.
    const Status kept = keepEdits();
    if (!kept) emit saveFailed(kept.error());
    runInPool(
        this,
        [name = path.toStdString(), places = LoadPlaces{resultPlaces(*m_settings), true}] {
            return loadContent(name, places);
        },
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
    ++m_content;
    for (const Status& kept : {saveNow(), keepEdits()})
        if (!kept) emit saveFailed(kept.error());
    m_live.reset();
    m_model.reset();
    m_analysis = {};
    m_runs.clear();
    m_sessionPath.clear();
    m_plan->reset(firstPlan());
    emit runsCleared();
    emit modelChanged();
    setAnalysis({});
    setModified(false);
    endSearch();
}

bool SessionController::addsToOpen(const LoadedContent& content) const {
    if (!isOpen() || content.session) return false;
    const ModelMark open = mark();
    const ModelMark other = content.mark();
    if (!open.fingerprint.empty() && !other.fingerprint.empty()) return open.fingerprint == other.fingerprint;
    return !open.path.empty() && open.path == other.path;
}

void SessionController::add(LoadedContent content) {
    const bool analysisItself = content.runs.empty() && content.analysis;
    if (content.analysis && (analysisItself || !m_analysis.result)) {
        m_live.reset();
        setAnalysis(*content.analysis);
    }
    for (const LoadedRun& run : content.runs) {
        std::erase_if(m_runs, [&](const LoadedRun& old) { return old.dir == run.dir; });
        m_runs.push_back(run);
        emit runAdded(run);
    }
    if (!content.runs.empty() || analysisItself) noteEdit();
    emit opened(QString::fromStdString(content.path));
    emitProblems(content.problems);
    searchResults();
}

void SessionController::show(LoadedContent content) {
    if (addsToOpen(content)) {
        add(std::move(content));
        return;
    }
    for (const Status& kept : {saveNow(), keepEdits()})
        if (!kept) emit saveFailed(kept.error());
    ++m_content;
    m_live.reset();
    m_runs.clear();
    m_sessionPath = content.session ? QString::fromStdString(content.path) : QString();
    m_model = std::move(content.model);
    emit runsCleared();
    const bool continues = resetPlan(content);
    // Results carry the model's numbers themselves: model() may be empty when the file is gone.
    m_runs = content.runs;
    m_analysis = content.analysis.value_or(LoadedAnalysis{});
    m_wantedAnalysis = content.earlier ? content.earlier->analysisDir : std::string();
    m_searching = true; // whoever asks now shall not be told that there is no analysis
    emit modelChanged();
    setAnalysis(LoadedAnalysis(m_analysis));
    for (const LoadedRun& run : std::vector<LoadedRun>(m_runs))
        emit runAdded(run);
    setModified(false);
    m_editsPending = false;
    emit opened(QString::fromStdString(content.path));
    if (continues) emit continued();
    emitProblems(content.problems);
    searchResults();
}

void SessionController::emitProblems(const std::vector<OpenProblem>& problems) {
    for (const OpenProblem& problem : problems)
        emit problemFound(problem);
}

bool SessionController::resetPlan(const LoadedContent& content) {
    const bool continues = !content.session && content.earlier && content.earlier->state != firstPlan();
    if (content.session)
        m_plan->reset(content.session->state);
    else if (continues)
        m_plan->reset(content.earlier->state);
    else if (!content.runs.empty())
        m_plan->reset(planOfRun(content.runs.back().result->spec));
    else
        m_plan->reset(firstPlan());
    return continues;
}

ModelMark SessionController::mark() const {
    if (m_model) return {m_model->stamp.fingerprint, m_model->index.path};
    return {{}, modelPath().toStdString()};
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
    if (!m_analysis.problem.empty()) emit problemFound({m_analysis.problem});
}

void SessionController::reloadAnalysis(const std::string& dir) {
    if (m_live || dir != m_analysis.dir) return;
    runInPool(
        this, [dir] { return loadAnalysis(dir); },
        [this, dir, content = m_content](Result<LoadedAnalysis> read) {
            if (content != m_content || m_live || dir != m_analysis.dir) return;
            if (read)
                setAnalysis(*read);
            else
                emit problemFound({read.error().text()});
        });
}

QString SessionController::outputBase() const {
    return resultsFolder(m_sessionPath, m_settings->resultsFolder(), modelName(),
                         m_model ? m_model->stamp : ModelStamp{});
}

QString SessionController::nextOutputFolder(const QString& kind) {
    return m_folders.next(outputBase(), kind);
}

SessionDocument SessionController::document() const {
    SessionDocument document;
    document.modelPath = QFileInfo(modelPath()).absoluteFilePath().toStdString();
    if (m_model) document.stamp = m_model->stamp;
    document.analysisDir = m_live ? m_beforeLive.dir : m_analysis.dir;
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

std::optional<std::function<Status()>> SessionController::takeEdits() {
    m_keepPause.stop();
    if (!m_editsPending || !m_sessionPath.isEmpty() || !isOpen()) return std::nullopt;
    m_editsPending = false;
    const ModelMark model = mark();
    return [document = document(), file = autosaveFile(model.fingerprint, model.path)] {
        QDir().mkpath(QFileInfo(file).absolutePath()); // writing says when that failed
        return saveSession(document, file.toStdString());
    };
}

void SessionController::keepEditsInPool() {
    const auto write = takeEdits();
    if (!write) return;
    m_saver.start([this, write] {
        const Status written = (*write)();
        // Delivered in this object's thread, or dropped with it: the destructor waits for the pool.
        if (!written)
            QMetaObject::invokeMethod(
                this, [this, error = written.error()] { emit saveFailed(error); }, Qt::QueuedConnection);
    });
}

Status SessionController::keepEdits() {
    const auto write = takeEdits();
    m_saver.waitForDone();
    return write ? (*write)() : Status();
}

void SessionController::setModified(bool modified) {
    if (m_modified == modified) return;
    m_modified = modified;
    emit modifiedChanged(modified);
}

} // namespace bdq
