// Paints a bar behind the number of a cell and a sign beside it, so that colour is never alone, and a padlock
// beside bits that are locked.
#pragma once

#include <QStyledItemDelegate>

namespace bdq {

class SiteBarDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override;
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

protected:
    void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override;
};

} // namespace bdq
