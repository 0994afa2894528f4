#include "widgets/plots/run_rows_plot.h"

#include <algorithm>
#include <cmath>

#include "widgets/format.h"
#include "widgets/plots/plot_style.h"
#include "widgets/theme.h"

namespace bdq {

RunRowsPlot::RunRowsPlot(QWidget* parent) : RowCurvesPlot(tr("SQNR of a run's sites across layers"), parent) {
    setRows({});
}

void RunRowsPlot::setRows(const std::vector<RunSiteResult>& rows) {
    m_rows = rows;
    setEmptyText(rows.empty() ? tr("SQNR of every quantized layer appears here while the run goes on.")
                              : QString());
    redraw(true);
}

std::vector<RowCurvesPlot::Curve> RunRowsPlot::curves() const {
    std::vector<Curve> result;
    for (const Site site : kAllSites) {
        const bool linear = std::ranges::find(kLinearSites, site) != kLinearSites.end();
        result.push_back({siteTitle(site), theme().series(static_cast<int>(result.size())),
                          linear ? Qt::SolidLine : Qt::DashLine});
    }
    return result;
}

std::vector<RowCurvesPlot::Point> RunRowsPlot::points() const {
    std::vector<Point> result;
    for (const RunSiteResult& row : m_rows)
        if (std::isfinite(row.sqnrDb))
            result.push_back(
                {static_cast<std::size_t>(std::ranges::find(kAllSites, row.key.site) - kAllSites.begin()),
                 row.key, row.sqnrDb});
    return result;
}

QString RunRowsPlot::readoutOf(const Point& point) const {
    const auto row = std::ranges::find(m_rows, point.key, &RunSiteResult::key);
    return tr("%1   %2   %3 dB").arg(siteText(row->key), toQString(row->scheme), formatExact(row->sqnrDb));
}

QString RunRowsPlot::fileStem() const {
    return QStringLiteral("run_sqnr");
}

QString RunRowsPlot::toCsv() const {
    QString csv = QStringLiteral("layer,site,scheme,sqnr_db,mse\n");
    for (const RunSiteResult& row : m_rows)
        csv += QStringLiteral("%1,%2,%3,%4,%5\n")
                   .arg(row.key.layer)
                   .arg(toQString(siteName(row.key.site)), csvField(toQString(row.scheme)),
                        csvNumber(row.sqnrDb), csvNumber(row.mse));
    return csv;
}

} // namespace bdq
