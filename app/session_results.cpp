// Of the session: analyses while they are computed, and results that are found, added and removed.
#include <QFileInfo>

#include <algorithm>
#include <filesystem>

#include "app/background.h"
#include "app/session_controller.h"
#include "app/settings.h"

namespace bdq {

void SessionController::beginLiveAnalysis(const AnalyzeSpec& spec) {
    if (!m_live) m_beforeLive = m_analysis;
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
    m_livePause.stop();
    const auto giveUp = [this] {
        m_live.reset();
        setAnalysis(LoadedAnalysis(m_beforeLive));
    };
    if (!finished) return giveUp();
    runInPool(
        this, [outDir] { return loadAnalysis(outDir); },
        [this, giveUp, outDir, content = m_content](Result<LoadedAnalysis> read) {
            if (content != m_content || !m_live || m_live->spec.outDir != outDir) return;
            if (!read) {
                giveUp();
                emit problemFound({read.error().text()});
                return;
            }
            m_live.reset();
            setAnalysis(*read);
            noteEdit();
        });
}

void SessionController::adoptRun(const std::string& dir) {
    runInPool(
        this, [dir] { return loadRun(dir); },
        [this, dir, content = m_content](Result<LoadedRun> run) {
            if (content != m_content || !run) return;
            std::erase_if(m_runs, [&](const LoadedRun& old) { return old.dir == dir; });
            m_runs.push_back(*run);
            emit runAdded(*run);
            noteEdit();
        });
}

void SessionController::forgetResult(const std::string& dir) {
    std::erase_if(m_runs, [&](const LoadedRun& run) { return run.dir == dir; });
    if (m_live && m_beforeLive.dir == dir) m_beforeLive = {};
    if (!m_live && m_analysis.dir == dir) setAnalysis({});
    noteEdit();
}

void SessionController::relocateModel(const QString& path) {
    runInPool(
        this, [name = path.toStdString()] { return loadModel(name); },
        [this, path, content = m_content](Result<LoadedModel> model) {
            if (content != m_content) return;
            if (!model) {
                emit problemFound({model.error().text(), OpenProblem::Missing::Model});
                return;
            }
            m_model = std::move(*model);
            noteEdit();
            emit modelChanged();
            emit analysisChanged();
            searchResults();
        });
}

void SessionController::searchResults() {
    const ModelMark model = mark();
    if (model.path.empty() && model.fingerprint.empty()) return endSearch();
    m_searching = true;
    runInPool(
        this,
        [model, places = resultPlaces(*m_settings), own = outputBase().toStdString()]() mutable {
            places.insert(places.begin(), {own, 1});
            return findResults(places, model);
        },
        [this, content = m_content](const std::vector<FoundResult>& results) {
            if (content == m_content) takeResults(results);
        });
}

void SessionController::takeResults(const std::vector<FoundResult>& results) {
    emit resultsFound(results);
    if (m_analysis.result || m_live) return endSearch();
    std::string chosen;
    for (const FoundResult& found : results) { // the newest comes last
        const bool usable =
            std::holds_alternative<AnalyzeSpec>(found.note.spec) && found.note.state == JobState::Finished;
        if (usable && (chosen.empty() || chosen != m_wantedAnalysis)) chosen = found.folder;
    }
    if (chosen.empty()) return endSearch();
    loadEarlierAnalysis(chosen);
}

void SessionController::loadEarlierAnalysis(const std::string& dir) {
    runInPool(
        this, [dir] { return loadAnalysis(dir); },
        [this, content = m_content](const Result<LoadedAnalysis>& found) {
            if (content != m_content) return;
            if (found && !m_analysis.result && !m_live) setAnalysis(*found);
            if (!found) emit problemFound({found.error().text()});
            endSearch();
        });
}

void SessionController::endSearch() {
    m_searching = false;
    emit searchEnded();
}

} // namespace bdq
