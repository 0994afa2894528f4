// Which columns the layer table shows at first, and how wide they are.
#pragma once

class QTableView;

namespace bdq {

/// Widths, order and visibility of the columns of a view over a SiteTableModel.
void setupSiteColumns(QTableView* view);
/// Makes room for the title of a column that is shown, beside the sort arrow where it has one.
void widenForTitle(QTableView* view, int column);

} // namespace bdq
