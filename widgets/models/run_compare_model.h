// Two runs side by side, one row per (layer, site) that either of them has. Differences are second minus
// first.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include <QAbstractTableModel>

#include "engine/api/results.h"

namespace bdq {

using RunPtr = std::shared_ptr<const RunResult>;

class RunCompareModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column {
        LayerColumn,
        SiteColumn,
        FirstSqnrColumn,
        SecondSqnrColumn,
        DifferenceColumn,
        FirstSchemeColumn,
        SecondSchemeColumn,
        ColumnCount
    };
    enum Role { SortRole = Qt::UserRole };

    explicit RunCompareModel(QObject* parent = nullptr);
    /// Null = that side is not chosen.
    void setRuns(RunPtr first, RunPtr second);
    [[nodiscard]] const RunPtr& run(int side) const { return m_runs[static_cast<std::size_t>(side)]; }
    [[nodiscard]] SiteKey keyAt(int row) const;
    [[nodiscard]] int rowOf(SiteKey key) const; ///< -1 = none
    /// Rows as lines of tab-separated fields in C locale, header line first.
    [[nodiscard]] QString toTsv(const std::vector<int>& rows) const;

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    struct Row {
        SiteKey key;
        std::array<QString, 2> scheme;
        std::array<double, 2> sqnrDb; ///< NaN where a run has no such row
    };
    [[nodiscard]] static double number(const Row& row, int column);
    [[nodiscard]] static QString text(const Row& row, int column);

    std::array<RunPtr, 2> m_runs;
    std::vector<Row> m_rows; ///< by layer, then site
};

/// One figure of the runs as wholes.
struct RunFigure {
    QString name;
    QString toolTip;
    std::array<QString, 2> values;
    QString difference; ///< empty for what has none
};
/// Method, scheme, bits, perplexity before and after, mean SQNR and time; empty where a run is null.
std::vector<RunFigure> runFigures(const RunPtr& first, const RunPtr& second);
/// What must be equal for the numbers to compare and is not, in sentences.
QStringList comparisonWarnings(const RunResult& first, const RunResult& second);

} // namespace bdq
