// The jobs of a session and their state.
#pragma once

#include <optional>
#include <vector>

#include <QAbstractTableModel>

#include "widgets/format.h"

namespace bdq {

enum class RunState { Queued, Running, Finished, Failed, Cancelled };

/// What the list shows of a job. The application fills it from worker events.
struct RunInfo {
    QString id;    ///< unique in the list, e.g. the run folder's name
    QString title; ///< "#3"
    RunState state = RunState::Queued;
    QString kind;   ///< "run", "analyze", ...
    QString method; ///< title of the method
    QString scheme; ///< "W4A4KV4"
    QString stage;  ///< "layer 12 · gptq"
    QString device; ///< "cpu", "cuda:0"
    QString outDir;
    QString error; ///< for failed jobs
    std::optional<double> perplexityFull;
    std::optional<double> perplexity;
    PerplexitySize perplexitySize;
    qint64 createdMs = 0;    ///< since 1970; the list is sorted by it, newest first
    double progress = -1;    ///< 0..1; < 0 = unknown
    double secondsLeft = -1; ///< < 0 = unknown
    double elapsedSeconds = -1;
    bool resumable = false;
    bool held = false;     ///< queued on an earlier day: it waits to be started
    bool detached = false; ///< goes on when the window closes
};

class RunListModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column {
        TitleColumn,
        StateColumn,
        MethodColumn,
        SchemeColumn,
        PerplexityColumn,
        ProgressColumn,
        TimeColumn,
        ColumnCount
    };
    enum Role { IdRole = Qt::UserRole, SortRole, ProgressRole };

    explicit RunListModel(QObject* parent = nullptr);
    void addOrUpdate(const RunInfo& run);
    void remove(const QString& id);
    void clear();
    [[nodiscard]] const RunInfo* find(const QString& id) const;
    [[nodiscard]] QString idAt(int row) const;
    [[nodiscard]] int rowOf(const QString& id) const;

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    std::vector<RunInfo> m_runs;
};

/// Word for a state, translated.
QString runStateText(RunState state);

} // namespace bdq
