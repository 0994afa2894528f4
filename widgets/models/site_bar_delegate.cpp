#include "widgets/models/site_bar_delegate.h"

#include <algorithm>

#include <QApplication>
#include <QPainter>

#include "widgets/models/site_table_model.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

constexpr int kPadding = 4;
constexpr int kBarHeight = 3;

} // namespace

void SiteBarDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                            const QModelIndex& index) const {
    QStyledItemDelegate::paint(painter, option, index);
    const QVariant share = index.data(SiteTableModel::BarRole);
    const QString sign = index.data(SiteTableModel::SignRole).toString();
    if (!share.isValid() && sign.isEmpty()) return;
    painter->save();
    const bool selected = option.state.testFlag(QStyle::State_Selected);
    const QRect area = option.rect.adjusted(kPadding, 0, -kPadding, -1);
    if (share.isValid()) {
        const QColor own = index.data(SiteTableModel::ColorRole).value<QColor>();
        const QColor accent = PlotTheme::from(option.palette).after;
        QColor track = option.palette.color(selected ? QPalette::HighlightedText : QPalette::Text);
        track.setAlphaF(0.10F);
        const QRect bar(area.left(), area.bottom() - kBarHeight, area.width(), kBarHeight);
        painter->fillRect(bar, track);
        const int length = qRound(std::clamp(share.toDouble(), 0.0, 1.0) * area.width());
        QColor fill = own.isValid() ? own : accent;
        // The ends of the scale come close to either ground.
        if (own.isValid())
            fill =
                isDark(option.palette) ? fill.lighter(fill.lightness() < 90 ? 220 : 100) : fill.darker(115);
        if (selected) fill = option.palette.color(QPalette::HighlightedText);
        painter->fillRect(QRect(bar.left(), bar.top(), length, kBarHeight), fill);
    }
    if (!sign.isEmpty()) {
        QFont bold = option.font;
        bold.setBold(true);
        painter->setFont(bold);
        const PlotTheme theme = PlotTheme::from(option.palette);
        const QColor plain = sign.size() > 1 ? theme.error : theme.warning;
        painter->setPen(selected ? option.palette.color(QPalette::HighlightedText) : plain);
        painter->drawText(area.adjusted(0, 0, 0, -kBarHeight), Qt::AlignLeft | Qt::AlignVCenter, sign);
    }
    painter->restore();
}

void SiteBarDelegate::initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const {
    QStyledItemDelegate::initStyleOption(option, index);
    if (index.column() != SiteTableModel::SiteColumn) option->font = tabularFont(option->font);
}

QSize SiteBarDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const {
    QSize size = QStyledItemDelegate::sizeHint(option, index);
    if (index.data(SiteTableModel::MetricRole).isValid())
        size.rwidth() += option.fontMetrics.horizontalAdvance(QStringLiteral("!! "));
    return size;
}

} // namespace bdq
