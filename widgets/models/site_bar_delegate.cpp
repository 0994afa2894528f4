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

/// A padlock as high as the small letters of `font`, at the left of `area`.
void drawPadlock(QPainter* painter, const QRect& area, const QFontMetrics& metrics, const QColor& color) {
    const int width = std::max(metrics.xHeight(), 6);
    const int body = width * 3 / 4;
    const int top = area.center().y() - body / 4;
    const QRect shackle(area.left() + width / 5, top - body * 3 / 4, width * 3 / 5, body * 3 / 2);
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(QPen(color, std::max(1.0, width / 7.0)));
    painter->setBrush(Qt::NoBrush);
    constexpr int kHalfTurn = 180 * 16; // in sixteenths of a degree
    painter->drawArc(shackle, 0, kHalfTurn);
    painter->fillRect(QRect(area.left(), top, width, body), color);
}

/// `own` = colour of the bar; invalid = that of the theme.
void drawBar(QPainter* painter, const QRect& area, const QStyleOptionViewItem& option, double share,
             const QColor& own) {
    const bool selected = option.state.testFlag(QStyle::State_Selected);
    QColor track = option.palette.color(selected ? QPalette::HighlightedText : QPalette::Text);
    track.setAlphaF(0.10F);
    const QRect bar(area.left(), area.bottom() - kBarHeight, area.width(), kBarHeight);
    painter->fillRect(bar, track);
    QColor fill = own.isValid() ? own : PlotTheme::from(option.palette).after;
    // The ends of the scale come close to either ground.
    if (own.isValid())
        fill = isDark(option.palette) ? fill.lighter(fill.lightness() < 90 ? 220 : 100) : fill.darker(115);
    if (selected) fill = option.palette.color(QPalette::HighlightedText);
    const int length = qRound(std::clamp(share, 0.0, 1.0) * area.width());
    painter->fillRect(QRect(bar.left(), bar.top(), length, kBarHeight), fill);
}

} // namespace

void SiteBarDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                            const QModelIndex& index) const {
    QStyledItemDelegate::paint(painter, option, index);
    const QVariant share = index.data(SiteTableModel::BarRole);
    const QString sign = index.data(SiteTableModel::SignRole).toString();
    const bool locked = index.data(SiteTableModel::LockedRole).toBool();
    if (!share.isValid() && sign.isEmpty() && !locked) return;
    painter->save();
    const bool selected = option.state.testFlag(QStyle::State_Selected);
    const QRect area = option.rect.adjusted(kPadding, 0, -kPadding, -1);
    if (locked)
        drawPadlock(painter, area, option.fontMetrics,
                    option.palette.color(selected ? QPalette::HighlightedText : QPalette::Text));
    if (share.isValid())
        drawBar(painter, area, option, share.toDouble(),
                index.data(SiteTableModel::ColorRole).value<QColor>());
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
    else if (index.column() == SiteTableModel::BitsColumn) // the padlock
        size.rwidth() += option.fontMetrics.horizontalAdvance(QStringLiteral("x "));
    return size;
}

} // namespace bdq
