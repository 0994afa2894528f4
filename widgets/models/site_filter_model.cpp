#include "widgets/models/site_filter_model.h"

#include <QRegularExpression>

#include "widgets/models/site_table_model.h"

namespace bdq {

SiteFilterModel::SiteFilterModel(QObject* parent) : QSortFilterProxyModel(parent) {
    setFilterRole(SiteTableModel::FilterTextRole);
    setFilterKeyColumn(SiteTableModel::SiteColumn);
    setSortRole(SiteTableModel::SortRole);
    setDynamicSortFilter(false);
}

bool SiteFilterModel::setPattern(const QString& pattern) {
    const QRegularExpression expression(pattern, QRegularExpression::CaseInsensitiveOption);
    if (!expression.isValid()) return false;
    setFilterRegularExpression(expression);
    return true;
}

void SiteFilterModel::setThreshold(int column, double value, bool keepAbove) {
    m_threshold = Threshold{column, value, keepAbove};
    invalidateFilter();
}

void SiteFilterModel::clearThreshold() {
    m_threshold.reset();
    invalidateFilter();
}

void SiteFilterModel::setOnly(std::optional<std::set<SiteKey>> keys) {
    m_only = std::move(keys);
    invalidateFilter();
}

void SiteFilterModel::sortAgain() {
    if (m_threshold) invalidateFilter();
    sort(sortColumn(), sortOrder());
}

bool SiteFilterModel::inOrder() const {
    if (sortColumn() < 0) return true;
    for (int row = 1; row < rowCount(); ++row) {
        const QModelIndex before = mapToSource(index(row - 1, sortColumn()));
        const QModelIndex here = mapToSource(index(row, sortColumn()));
        if (sortOrder() == Qt::AscendingOrder ? lessThan(here, before) : lessThan(before, here)) return false;
    }
    return true;
}

bool SiteFilterModel::filterAcceptsRow(int sourceRow, const QModelIndex& sourceParent) const {
    if (!QSortFilterProxyModel::filterAcceptsRow(sourceRow, sourceParent)) return false;
    if (m_threshold) {
        const QVariant value =
            sourceModel()->index(sourceRow, m_threshold->column, sourceParent).data(SiteTableModel::SortRole);
        if (!value.isValid()) return false;
        if (m_threshold->keepAbove ? value.toDouble() < m_threshold->value
                                   : value.toDouble() > m_threshold->value)
            return false;
    }
    if (m_only) {
        const QModelIndex index = sourceModel()->index(sourceRow, 0, sourceParent);
        const SiteKey key{index.data(SiteTableModel::LayerRole).toInt(),
                          siteFromName(index.data(SiteTableModel::SiteNameRole).toString().toStdString())
                              .value_or(Site::Qkv)};
        return m_only->contains(key);
    }
    return true;
}

bool SiteFilterModel::lessThan(const QModelIndex& left, const QModelIndex& right) const {
    const QVariant a = left.data(SiteTableModel::SortRole);
    const QVariant b = right.data(SiteTableModel::SortRole);
    // Rows without a number stay at the end in either direction.
    if (a.isValid() != b.isValid()) return sortOrder() == Qt::AscendingOrder ? a.isValid() : b.isValid();
    if (!a.isValid() || a.toDouble() == b.toDouble())
        return sortOrder() == Qt::AscendingOrder ? left.row() < right.row() : right.row() < left.row();
    return a.toDouble() < b.toDouble();
}

} // namespace bdq
