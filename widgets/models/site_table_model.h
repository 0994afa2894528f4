// The model as rows of (layer, site). Rows exist from the model's index alone; statistics arrive whole or row
// by row.
#pragma once

#include <map>
#include <memory>

#include <QAbstractTableModel>

#include "engine/api/sensitivity.h"
#include "widgets/types.h"

namespace bdq {

class SiteTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column {
        LayerColumn,
        SiteColumn,
        BitsColumn,
        SqnrPredictedColumn,
        SqnrMeasuredColumn,
        LossColumn, ///< of the whole model; known with a sensitivity
        FlatnessActivationBeforeColumn,
        FlatnessActivationAfterColumn,
        FlatnessWeightBeforeColumn,
        FlatnessWeightAfterColumn,
        OutlierShareColumn,
        KurtosisColumn,
        AbsmaxColumn,
        ColumnCount
    };
    enum Role {
        SortRole = Qt::UserRole, ///< number; invalid when unknown
        BarRole,                 ///< 0..1 length of the bar in the cell; invalid = no bar
        SignRole,                ///< "!!", "!" or empty
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
    /// What the whole model loses by every row alone, shown where it was measured with the row's bits and
    /// transform. Null clears.
    void setSensitivity(std::shared_ptr<const SensitivityResult> sensitivity);
    void setPlan(const Plan& plan);
    void setTransform(TransformKind fallback, const SiteTransforms& transforms = {});
    /// Measured SQNR of the resident worker; shown while the row's scheme and transform are the ones it was
    /// measured with.
    void setMeasured(const SiteAnswer& answer);
    /// What was measured belongs to an analysis or a run that is no longer shown.
    void clearMeasured();

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

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace bdq
