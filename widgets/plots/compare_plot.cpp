#include "widgets/plots/compare_plot.h"

#include <cmath>

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>

#include "widgets/format.h"
#include "widgets/plots/plot_style.h"
#include "widgets/theme.h"

namespace bdq {

ComparePlot::ComparePlot(QWidget* parent)
    : RowCurvesPlot(tr("SQNR of one site across the layers of two runs"), parent) {
    m_siteBox = new QComboBox(this);
    for (const Site site : kAllSites)
        m_siteBox->addItem(siteTitle(site), static_cast<int>(site));
    m_siteBox->setAccessibleName(tr("Site"));
    m_siteBox->setCurrentIndex(m_siteBox->findData(static_cast<int>(m_site)));
    toolRow()->addWidget(m_siteBox);
    m_key = new QLabel(this);
    toolRow()->addWidget(m_key);
    toolRow()->addStretch(1);
    connect(m_siteBox, &QComboBox::activated, this,
            [this] { setSite(static_cast<Site>(m_siteBox->currentData().toInt())); });
    setRuns(nullptr, nullptr, {});
}

void ComparePlot::setRuns(const RunPtr& first, const RunPtr& second, const std::array<QString, 2>& titles) {
    m_runs = {first, second};
    m_titles = titles;
    setEmptyText(first || second ? QString() : tr("SQNR of both runs across the layers appears here."));
    redraw(true);
}

void ComparePlot::setSite(Site site) {
    const QSignalBlocker blocker(m_siteBox);
    m_siteBox->setCurrentIndex(m_siteBox->findData(static_cast<int>(site)));
    if (site == m_site) return;
    m_site = site;
    redraw(true);
}

std::vector<RowCurvesPlot::Curve> ComparePlot::curves() const {
    return {{m_titles[0], theme().before, Qt::DashLine}, {m_titles[1], theme().after, Qt::SolidLine}};
}

std::vector<RowCurvesPlot::Point> ComparePlot::points() const {
    std::vector<Point> result;
    for (std::size_t side = 0; side < m_runs.size(); ++side) {
        if (!m_runs[side]) continue;
        for (const RunSiteResult& row : m_runs[side]->perLayer)
            if (row.key.site == m_site && std::isfinite(row.sqnrDb))
                result.push_back({side, row.key, row.sqnrDb});
    }
    return result;
}

void ComparePlot::compactChanged(bool compact) {
    m_key->setText(compact ? tr("A dashed, B solid") : QString());
}

QString ComparePlot::readoutOf(const Point& point) const {
    return tr("%1   %2   %3 dB").arg(m_titles[point.curve], siteText(point.key), formatExact(point.sqnrDb));
}

QString ComparePlot::fileStem() const {
    return QStringLiteral("compare_sqnr_%1").arg(toQString(siteName(m_site)));
}

QString ComparePlot::toCsv() const {
    QString csv = QStringLiteral("run,layer,site,sqnr_db\n");
    for (const Point& point : points())
        csv += QStringLiteral("%1,%2,%3,%4\n")
                   .arg(csvField(m_titles[point.curve]))
                   .arg(point.key.layer)
                   .arg(toQString(siteName(m_site)), csvNumber(point.sqnrDb));
    return csv;
}

} // namespace bdq
