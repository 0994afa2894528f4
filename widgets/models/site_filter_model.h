// Sorting and filtering of the layer table: a regular expression on "layer.site", a threshold on one column,
// and a set of rows that a plot lets through; a row must pass all of them.
//
// Rows keep their places while numbers change, until the model is sorted again: an edit must not carry the
// row away from under the hands that edit it.
#pragma once

#include <optional>
#include <set>

#include <QSortFilterProxyModel>

#include "widgets/types.h"

namespace bdq {

class SiteFilterModel : public QSortFilterProxyModel {
    Q_OBJECT
public:
    explicit SiteFilterModel(QObject* parent = nullptr);
    /// Returns false and changes nothing when `pattern` is not a regular expression.
    bool setPattern(const QString& pattern);
    /// Keeps rows whose number in `column` is at least (keepAbove) or at most `value`; rows without a number
    /// go.
    void setThreshold(int column, double value, bool keepAbove);
    void clearThreshold();
    /// Keeps these rows only; empty optional = all.
    void setOnly(std::optional<std::set<SiteKey>> keys);
    /// By the column and in the direction of the last sort(), with the numbers as they are now.
    void sortAgain();
    /// Whether sortAgain() would leave every row where it is.
    [[nodiscard]] bool inOrder() const;

protected:
    [[nodiscard]] bool filterAcceptsRow(int sourceRow, const QModelIndex& sourceParent) const override;
    [[nodiscard]] bool lessThan(const QModelIndex& left, const QModelIndex& right) const override;

private:
    struct Threshold {
        int column = 0;
        double value = 0;
        bool keepAbove = true;
    };
    std::optional<Threshold> m_threshold;
    std::optional<std::set<SiteKey>> m_only;
};

} // namespace bdq
