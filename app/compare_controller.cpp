#include "app/compare_controller.h"

#include <algorithm>

#include <QFileInfo>

#include "app/background.h"
#include "app/file_loader.h"
#include "widgets/format.h"
#include "widgets/models/run_list_model.h"

namespace bdq {

namespace {

QString choiceTitle(const QString& name, const QString& method, const QString& scheme) {
    return QStringLiteral("%1 %2 %3").arg(name, method, scheme);
}

bool contains(const std::vector<RunChoice>& choices, const QString& id) {
    return std::ranges::find(choices, id, &RunChoice::id) != choices.end();
}

Result<LoadedRun> loadFinishedRun(const std::string& dir) {
    BDQ_TRY(LoadedRun run, loadRun(dir));
    if (run.interrupted)
        return fail(ErrorCode::InvalidSpec,
                    dir + ": the run is " + run.result->status + "; expected a finished run");
    return run;
}

} // namespace

CompareController::CompareController(ComparePanel* panel, RunListModel* list, QObject* parent)
    : QObject(parent), m_panel(panel), m_list(list) {
    connect(m_list, &QAbstractItemModel::dataChanged, this, &CompareController::updateChoices);
    connect(m_list, &QAbstractItemModel::rowsInserted, this, &CompareController::updateChoices);
    connect(m_list, &QAbstractItemModel::rowsRemoved, this, &CompareController::updateChoices);
    connect(m_list, &QAbstractItemModel::modelReset, this, &CompareController::updateChoices);
    connect(m_panel, &ComparePanel::runWanted, this, &CompareController::load);
}

void CompareController::updateChoices() {
    m_listed.clear();
    for (int row = m_list->rowCount() - 1; row >= 0; --row) { // the list begins with the newest
        const RunInfo* run = m_list->find(m_list->idAt(row));
        if (run->state == RunState::Finished && run->kind == QLatin1String("run"))
            m_listed.push_back({run->id, choiceTitle(run->title, run->method, run->scheme)});
    }
    std::vector<RunChoice> all = m_listed;
    for (const RunChoice& choice : m_added)
        if (!contains(m_listed, choice.id)) all.push_back(choice);
    m_panel->setChoices(all);
}

bool CompareController::hasOther(const QString& dir) const {
    return std::ranges::any_of(m_listed, [&](const RunChoice& run) { return run.id != dir; });
}

QString CompareController::newest() const {
    return m_listed.empty() ? QString() : m_listed.back().id;
}

void CompareController::compare(const QString& dir) {
    const auto other =
        std::find_if(m_listed.rbegin(), m_listed.rend(), [&](const RunChoice& run) { return run.id != dir; });
    // A run that was chosen as A on purpose stays what others are compared with.
    if (other != m_listed.rend() && (m_panel->chosen(0).isEmpty() || m_panel->chosen(0) == dir))
        m_panel->choose(0, other->id);
    m_panel->choose(1, dir);
}

void CompareController::addFolder(const QString& dir) {
    runInPool(
        this, [path = dir.toStdString()] { return loadFinishedRun(path); },
        [this, dir](const Result<LoadedRun>& run) {
            if (!run) {
                emit failed(run.error());
                return;
            }
            const RunSpec& spec = run->result->spec;
            if (!contains(m_added, dir))
                m_added.push_back(
                    {dir, choiceTitle(QFileInfo(dir).fileName(), toQString(methodInfo(spec.method).title),
                                      toQString(formatScheme(spec.plan.base)))});
            updateChoices();
            const bool onlyFirst = !m_panel->chosen(0).isEmpty() && m_panel->chosen(1).isEmpty();
            m_panel->choose(onlyFirst ? 1 : 0, dir);
        });
}

void CompareController::load(int side, const QString& dir) {
    const auto index = static_cast<std::size_t>(side);
    const quint64 generation = ++m_generation[index];
    runInPool(
        this, [path = dir.toStdString()] { return loadFinishedRun(path); },
        [this, side, index, dir, generation](const Result<LoadedRun>& run) {
            // Another run may have been chosen, or the sides swapped, while this one was read.
            if (generation != m_generation[index] || m_panel->chosen(side) != dir) return;
            if (run)
                m_panel->setRun(side, run->result);
            else
                emit failed(run.error());
        });
}

} // namespace bdq
