// Runs dock: the list, and of the chosen run its progress, rows as they arrive and the end of its log.
#pragma once

#include <memory>

#include <QWidget>

#include "engine/api/results.h"
#include "widgets/plots/plot_content.h"

namespace bdq {

class RunListModel;

class RunPanel : public QWidget {
    Q_OBJECT
public:
    /// `model` must outlive the panel.
    explicit RunPanel(RunListModel* model, QWidget* parent = nullptr);
    ~RunPanel() override;

    void addRow(const QString& runId, const RunSiteResult& row);
    void appendLog(const QString& runId, const QString& line);
    void forget(const QString& runId); ///< drops rows and log of a removed run
    void select(const QString& runId);
    [[nodiscard]] QString selectedRun() const;

signals:
    void runSelected(const QString& runId);
    void cancelRequested(const QString& runId);
    void resumeRequested(const QString& runId);
    void openRequested(const QString& runId); ///< its results shall be shown in the views
    void reportRequested(const QString& runId);
    void openFolderRequested(const QString& runId);
    void removeRequested(const QString& runId);
    void saveRequested(const QString& suggestedName, const bdq::PlotContent& content); ///< from the plot

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace bdq
