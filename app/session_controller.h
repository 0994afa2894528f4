// What is open: model, analysis, runs, and the session that holds them together. Opening happens in the
// thread pool.
#pragma once

#include <QObject>
#include <QTimer>

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

/// A newer open() outdates an older one that is still reading. What was open stays open until the new content
/// is there: a file that cannot be read costs nothing.
class SessionController : public QObject {
    Q_OBJECT
public:
    SessionController(PlanController* plan, QObject* parent = nullptr);

    /// Model file or folder, analysis folder, run folder or session file.
    void open(const QString& path);
    [[nodiscard]] bool opening() const { return m_opening; }
    void stopOpening();
    void closeAll();

    [[nodiscard]] bool isOpen() const { return m_model || m_analysis.result || !m_runs.empty(); }
    [[nodiscard]] const std::optional<LoadedModel>& model() const { return m_model; }
    [[nodiscard]] QString modelPath() const;
    [[nodiscard]] QString modelName() const;
    /// From the model's header, else from the results.
    [[nodiscard]] ModelConfig modelConfig() const;
    [[nodiscard]] std::int64_t parameters() const;
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
    /// Reads the finished folder, or drops the live rows when it failed before the first one.
    void endLiveAnalysis(const std::string& outDir, bool finished);
    /// Reads the folder of the shown analysis again: a sensitivity has been written into it.
    void reloadAnalysis(const std::string& dir);
    /// A run folder that has just been written; does not change what is shown otherwise.
    void adoptRun(const std::string& dir);

    [[nodiscard]] QString sessionPath() const { return m_sessionPath; }
    [[nodiscard]] bool modified() const { return m_modified; }
    /// Writes in the pool; saved() or saveFailed() follows.
    void save(const QString& path);
    /// Writes at once: for the moment before the program ends.
    Status saveNow();
    /// Unused folder for the results of a job: kind "run" or "analysis".
    QString nextOutputFolder(const QString& kind);
    [[nodiscard]] QString outputBase() const;

signals:
    void openStarted(const QString& path);
    void opened(const QString& path);
    void openFailed(const QString& path, const bdq::Error& error);
    void problemFound(const QString& text);
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
    void showRun(const LoadedRun& run);
    void resetPlan(const LoadedContent& content);
    void findEarlierAnalysis();
    void setAnalysis(const LoadedAnalysis& analysis);
    void publishLive();
    [[nodiscard]] SessionDocument document() const;
    void setModified(bool modified);

    PlanController* m_plan;
    SiteDetailStore m_details;
    OutputFolders m_folders;
    quint64 m_generation = 0;
    bool m_opening = false;
    std::optional<LoadedModel> m_model;
    LoadedAnalysis m_analysis;
    std::vector<LoadedRun> m_runs;
    std::optional<AnalysisResult> m_live;
    QTimer m_livePause;
    QString m_sessionPath;
    bool m_modified = false;
};

} // namespace bdq
