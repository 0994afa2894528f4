// What is open: model, analysis, runs, and the session that holds them together. Opening happens in the
// thread pool.
#pragma once

#include <QObject>
#include <QThreadPool>
#include <QTimer>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "app/file_loader.h"
#include "app/output_folders.h"
#include "app/plan_controller.h"
#include "app/site_detail_store.h"

namespace bdq {

using AnalysisPtr = std::shared_ptr<const AnalysisResult>;
using RunPtr = std::shared_ptr<const RunResult>;

class Settings;

/// A newer open() outdates an older one that is still reading. What was open stays open until the new content
/// is there: a file that cannot be read costs nothing. Results of the model that is open are added to it.
/// Edits without a session are kept in one without a name, one a model, and come back with the model.
class SessionController : public QObject {
    Q_OBJECT
public:
    /// `plan` and `settings` must outlive it.
    SessionController(PlanController* plan, const Settings* settings, QObject* parent = nullptr);
    ~SessionController() override;

    /// Model file or folder, analysis folder, run folder or session file.
    void open(const QString& path);
    [[nodiscard]] bool opening() const { return m_opening; }
    void stopOpening();
    void closeAll();

    [[nodiscard]] bool isOpen() const { return m_model || m_analysis.result || !m_runs.empty(); }
    [[nodiscard]] const std::optional<LoadedModel>& model() const { return m_model; }
    [[nodiscard]] QString modelPath() const;
    [[nodiscard]] ModelMark mark() const;
    /// The plan of a model that nobody has edited.
    [[nodiscard]] static PlanState firstPlan();
    [[nodiscard]] QString modelName() const;
    /// From the model's header, else from the results.
    [[nodiscard]] ModelConfig modelConfig() const;
    [[nodiscard]] std::int64_t parameters() const;
    /// Of a mixture of experts whose file is there.
    [[nodiscard]] Experts experts() const { return m_model ? m_model->experts : Experts{}; }
    [[nodiscard]] const AnalysisPtr& analysis() const { return m_analysis.result; }
    [[nodiscard]] const std::string& analysisDir() const { return m_analysis.dir; }
    /// With its sensitivity, where there is one; the rows so far while it is live.
    [[nodiscard]] const LoadedAnalysis& loadedAnalysis() const { return m_analysis; }
    [[nodiscard]] bool analysisIsLive() const { return m_live.has_value(); }
    [[nodiscard]] const std::vector<LoadedRun>& runs() const { return m_runs; }
    SiteDetailStore* details() { return &m_details; }

    /// Rows of an analysis that is being computed; analysisChanged() follows at most four times a second.
    void beginLiveAnalysis(const AnalyzeSpec& spec);
    void addLiveSite(const std::string& outDir, const SiteAnalysis& site);
    /// Reads the finished folder; of one that did not finish nothing is left, and what was shown before it is
    /// there again.
    void endLiveAnalysis(const std::string& outDir, bool finished);
    /// Reads the folder of the shown analysis again: a sensitivity has been written into it.
    void reloadAnalysis(const std::string& dir);
    /// A run folder that has just been written; does not change what is shown otherwise.
    void adoptRun(const std::string& dir);
    /// A result folder that is gone: what was shown of it goes, too.
    void forgetResult(const std::string& dir);
    /// Reads the model from its new place.
    void relocateModel(const QString& path);

    /// Looks for results of the model; resultsFound() follows.
    void searchResults();
    /// It is not known yet whether the model was analysed earlier.
    [[nodiscard]] bool searching() const { return m_searching; }

    [[nodiscard]] QString sessionPath() const { return m_sessionPath; }
    [[nodiscard]] bool modified() const { return m_modified; }
    /// Writes in the pool; saved() or saveFailed() follows.
    void save(const QString& path);
    /// Writes at once: for the moment before the program ends.
    Status saveNow();
    /// The same for edits without a session.
    Status keepEdits();
    [[nodiscard]] SessionDocument document() const;
    /// Unused folder for the results of a job: kind "run" or "analysis".
    QString nextOutputFolder(const QString& kind);
    [[nodiscard]] QString outputBase() const;

signals:
    void openStarted(const QString& path);
    void opened(const QString& path);
    void openFailed(const QString& path, const bdq::Error& error);
    void problemFound(const bdq::OpenProblem& problem);
    /// All of the model, oldest first; an analysis among them may be shown after that.
    void resultsFound(const std::vector<bdq::FoundResult>& results);
    /// After opened(): the plan is that of an earlier day.
    void continued();
    /// searching() has become false.
    void searchEnded();
    void modelChanged();
    void analysisChanged();
    /// One more row of the live analysis, at once.
    void siteAdded(const bdq::SiteAnalysis& site);
    /// A run was opened, or adopted after it ended.
    void runAdded(const bdq::LoadedRun& run);
    void runsCleared();
    void saved(const QString& path);
    void saveFailed(const bdq::Error& error);
    void modifiedChanged(bool modified);

private:
    void show(LoadedContent content);
    [[nodiscard]] bool addsToOpen(const LoadedContent& content) const;
    void add(LoadedContent content);
    /// True when the plan is that of an earlier day.
    bool resetPlan(const LoadedContent& content);
    void takeResults(const std::vector<FoundResult>& results);
    void loadEarlierAnalysis(const std::string& dir);
    void endSearch();
    void noteEdit();
    /// What writes the edits that are not on disk yet; nothing when there are none.
    std::optional<std::function<Status()>> takeEdits();
    void keepEditsInPool();
    void emitProblems(const std::vector<OpenProblem>& problems);
    void setAnalysis(const LoadedAnalysis& analysis);
    void publishLive();
    void setModified(bool modified);

    PlanController* m_plan;
    const Settings* m_settings;
    SiteDetailStore m_details;
    OutputFolders m_folders;
    quint64 m_generation = 0; ///< of open()
    quint64 m_content = 0;    ///< of what is open: answers about something else are dropped
    QThreadPool m_saver;
    bool m_opening = false;
    std::optional<LoadedModel> m_model;
    LoadedAnalysis m_analysis;
    std::vector<LoadedRun> m_runs;
    std::optional<AnalysisResult> m_live;
    LoadedAnalysis m_beforeLive;  ///< what was shown when the live one began
    std::string m_wantedAnalysis; ///< the one that was shown when the model was closed
    bool m_searching = false;
    bool m_editsPending = false; ///< edits without a session that are not on disk
    QTimer m_keepPause;
    QTimer m_livePause;
    QString m_sessionPath;
    bool m_modified = false;
};

} // namespace bdq
