#include "widgets/panels/site_table_columns.h"

#include <algorithm>

#include <QHeaderView>
#include <QTableView>

#include "widgets/format.h"
#include "widgets/models/site_table_model.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

/// Columns beside these are one click away in the header's menu.
constexpr int kDefaultColumns[] = {SiteTableModel::LayerColumn,        SiteTableModel::SiteColumn,
                                   SiteTableModel::BitsColumn,         SiteTableModel::LossColumn,
                                   SiteTableModel::SqnrMeasuredColumn, SiteTableModel::SqnrTokenMedianColumn};

/// Texts that the first columns must hold.
QString widestText(int column) {
    switch (column) {
    case SiteTableModel::LayerColumn:
        return QStringLiteral("00000");
    case SiteTableModel::SiteColumn:
        return siteTitle(Site::GateUp);
    case SiteTableModel::BitsColumn:
        return QStringLiteral("x 8/8/16");
    case SiteTableModel::LossColumn:
        return QStringLiteral("!! 0.0000");
    default:
        return QStringLiteral("0.0000");
    }
}

/// Room for the title on two lines, beside the sort arrow when the header shows one.
int titleWidth(const QHeaderView* header, int column) {
    constexpr int kRounding = 2; // of fractional text widths
    const QFontMetrics metrics = header->fontMetrics();
    const QString title = header->model()->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString();
    const QStringList words = title.split(u' ');
    const int whole = metrics.horizontalAdvance(title);
    int narrowest = whole;
    for (qsizetype first = 1; first < words.size(); ++first)
        narrowest = std::min(narrowest, std::max(metrics.horizontalAdvance(words.first(first).join(u' ')),
                                                 metrics.horizontalAdvance(words.sliced(first).join(u' '))));
    return header->sectionSizeHint(column) - whole + narrowest + kRounding;
}

} // namespace

void setupSiteColumns(QTableView* view) {
    QHeaderView* header = view->horizontalHeader();
    header->setHighlightSections(false);
    header->setSectionsMovable(true);
    header->setStretchLastSection(true);
    header->setContextMenuPolicy(Qt::CustomContextMenu);
    const QFontMetrics numbers(tabularFont(view->font()));
    for (int column = 0; column < SiteTableModel::ColumnCount; ++column) {
        // Before it is hidden: hidden columns have no width hint.
        header->resizeSection(
            column, std::max(titleWidth(header, column), numbers.horizontalAdvance(widestText(column)) + 12));
        view->setColumnHidden(column,
                              std::ranges::find(kDefaultColumns, column) == std::end(kDefaultColumns));
    }
    header->setMinimumHeight(2 * header->fontMetrics().height() + 8);
}

void widenForTitle(QTableView* view, int column) {
    QHeaderView* header = view->horizontalHeader();
    if (!header->isSectionHidden(column))
        header->resizeSection(column, std::max(header->sectionSize(column), titleWidth(header, column)));
}

} // namespace bdq
