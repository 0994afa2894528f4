// The model as rows of (layer, site). Rows exist from the model's index alone; statistics arrive whole or row
// by row.
#pragma once

#include <memory>
#include <set>

#include <QAbstractTableModel>

#include "widgets/measured_sqnr.h"
#include "widgets/site_ranking.h"
#include "widgets/types.h"

namespace bdq {

class SiteTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column {
        LayerColumn,
        SiteColumn,
        BitsColumn,
        LossColumn, ///< of the whole model by the row alone: what rows are ranked by
        SqnrPredictedColumn,
        SqnrMeasuredColumn,    ///< of one kind: source()
        SqnrTokenMedianColumn, ///< of the analysis
        SqnrTokenLowColumn,
        FlatnessActivationBeforeColumn,
        FlatnessActivationAfterColumn,
        FlatnessWeightBeforeColumn,
        FlatnessWeightAfterColumn,
        OutlierShareColumn,
        KurtosisColumn,
        AbsmaxColumn,
        TopTokensColumn,
        ColumnCount
    };
    enum Role {
        SortRole = Qt::UserRole, ///< number; invalid when unknown
        BarRole,                 ///< 0..1 length of the bar in the cell; invalid = no bar
        SignRole,                ///< "!!", "!" or empty
        LockedRole,              ///< bool: the row's weights are fixed
        ColorRole,               ///< colour of the bar; invalid = the palette's highlight
        LayerRole,
        SiteNameRole,
        FilterTextRole, ///< "11.down"
        MetricRole      ///< id in metricTable(); empty for layer, site and bits
    };

    explicit SiteTableModel(QObject* parent = nullptr);
    ~SiteTableModel() override;

    void clear();
    /// Rows of all linear sites of `layers` layers, without statistics.
    void setLayerCount(int layers);
    /// Rows and statistics of a finished analysis. Null clears.
    void setAnalysis(std::shared_ptr<const AnalysisResult> analysis);
    /// Statistics of one row as they stream in; adds the row when it is new.
    void addOrUpdate(const SiteAnalysis& site);
    /// What the whole model loses by every row alone, under the plan that is shown.
    void setRanking(const SiteRanking& ranking);
    [[nodiscard]] const SiteRanking& ranking() const;
    void setPlan(const Plan& plan);
    /// Of the plan's weights: for predictions and live values.
    void setRounding(WeightRounding rounding);
    void setTransform(TransformKind fallback, const SiteTransforms& transforms = {});
    void setLocked(const std::set<SiteKey>& locked);
    [[nodiscard]] bool isLocked(SiteKey key) const;

    /// Answer of the resident worker to a request with `rounding`: a value of the kind "live".
    void addLive(const SiteAnswer& answer, WeightRounding rounding);
    void addRun(const QString& folder, const QString& title, const RunResult& run);
    void clearRuns();
    /// Everything measured beside the analysis; views that show it take part in the same store.
    [[nodiscard]] std::shared_ptr<const MeasuredSqnrStore> measured() const;
    /// Kinds of measured values that can be shown.
    [[nodiscard]] std::vector<MeasuredSource> sources() const;
    /// The kind that is shown: the analysis where there is one, until another one is chosen.
    [[nodiscard]] const MeasuredSource& source() const;
    void setSource(const MeasuredSource& source);

    [[nodiscard]] const SiteAnalysis* find(SiteKey key) const; ///< null when the row has no statistics
    [[nodiscard]] SiteKey keyAt(int row) const;
    [[nodiscard]] int rowOf(SiteKey key) const; ///< -1 when absent
    [[nodiscard]] TransformKind transformAt(SiteKey key) const;
    /// Tab-separated text with a header line, C locale, full precision, of the rows in the order given.
    [[nodiscard]] QString toTsv(const std::vector<int>& rows, const std::vector<int>& columns) const;

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

signals:
    /// Rows have come, or numbers that no edit of the plan explains: an order by them is outdated.
    void numbersArrived();
    void sourcesChanged();

private:
    void updateSources();
    void changed(int firstColumn, int lastColumn);
    [[nodiscard]] QString accessibleText(const QModelIndex& index) const;

    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace bdq
