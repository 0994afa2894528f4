// Plots of sites: across layers, and before/after of single sites.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/report/document.h"
#include "engine/report/report_data.h"

namespace bdq::report {

/// One value per (layer, site), drawn over the layers with one line per site.
struct SiteValue {
    SiteKey key;
    double value = 0;
};
Plot valuesByLayer(std::string title, const std::string& unit, const std::vector<SiteValue>& values);

/// Before and after of one quantity for one site kind over the layers.
struct BeforeAfter {
    SiteKey key;
    double before = 0;
    double after = 0;
};
/// One small plot per site kind that occurs, on "Flatness" axes.
PlotGroup beforeAfterByLayer(const std::string& what, const std::vector<BeforeAfter>& values);

/// Histograms of |x| and |W| and sorted channel magnitudes of one site, before (no transform) and after
/// `transform` on the same bins. Only "before" when the site was not analysed under `transform`.
std::vector<Plot> siteDetailPlots(const SiteAnalysis& site, const SiteDetail& detail,
                                  TransformKind transform);

/// Blocks for the sites `keys` of data.analysis; a site whose arrays cannot be read gets a sentence that says
/// why.
std::vector<Block> worstSiteBlocks(const ReportData& data, const std::vector<SiteKey>& keys,
                                   TransformKind transform, const std::string& textName);

/// The `count` keys with the smallest finite value, worst first.
std::vector<SiteKey> lowest(std::vector<SiteValue> values, std::size_t count);

} // namespace bdq::report
