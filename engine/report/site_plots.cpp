#include "engine/report/site_plots.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "engine/report/common_sections.h"
#include "engine/report/text_format.h"

namespace bdq::report {
namespace {

constexpr std::array kAllSites{Site::Qkv, Site::O, Site::GateUp, Site::Down, Site::KCache, Site::VCache};
constexpr std::array kDashes{"", "7 3", "2 3", "7 3 2 3", "1 2", "12 4"};
constexpr int kSmallWidth = 420;
constexpr int kSmallHeight = 240;
constexpr int kWideWidth = 860;
constexpr std::size_t kMaxCurvePoints = 400;

/// Steps of a histogram from its first to its last filled regular bin; zeros of a log count are left out by
/// the plot.
Series histogramSeries(const LogHistogram& histogram, std::string name, const std::string& color) {
    Series series{std::move(name), color, {}, {}, {}, Marker::None, true, false, true, {}};
    int first = LogHistogram::kRegularBins;
    int last = -1;
    for (int bin = 0; bin < LogHistogram::kRegularBins; ++bin)
        if (histogram.counts[static_cast<std::size_t>(bin) + 1] > 0) {
            first = std::min(first, bin);
            last = bin;
        }
    for (int bin = first; bin <= last; ++bin) {
        const auto count = static_cast<double>(histogram.counts[static_cast<std::size_t>(bin) + 1]);
        for (int edge : {bin, bin + 1}) {
            series.x.push_back(LogHistogram::lowerEdge(edge));
            series.y.push_back(count);
        }
    }
    return series;
}

/// Values from the largest to the smallest over their rank, thinned evenly; the largest always stays.
Series sortedSeries(std::vector<float> values, std::string name, const std::string& color) {
    Series series{std::move(name), color, {}, {}, {}, Marker::None, true, false, false, {}};
    std::sort(values.begin(), values.end(), std::greater<>());
    const std::size_t step = std::max<std::size_t>(1, values.size() / kMaxCurvePoints);
    for (std::size_t i = 0; i < values.size(); i += step) {
        series.x.push_back(static_cast<double>(i + 1));
        series.y.push_back(values[i]);
    }
    return series;
}

std::string afterName(TransformKind transform) {
    return "after " + std::string(transformInfo(transform).title);
}

using HistogramOf = LogHistogram TransformDetail::*;
using ChannelsOf = std::vector<float> TransformDetail::*;

/// "before" and, when there is one, "after".
template <class Make, class Member>
std::vector<Series> beforeAndAfter(const SiteDetail& detail, TransformKind transform, Make make,
                                   Member member) {
    std::vector<Series> series;
    const auto before = detail.transforms.find(TransformKind::None);
    const auto after = detail.transforms.find(transform);
    if (before != detail.transforms.end())
        series.push_back(make(before->second.*member, "before", kBeforeColor));
    if (after != detail.transforms.end() && transform != TransformKind::None)
        series.push_back(make(after->second.*member, afterName(transform), kAfterColor));
    return series;
}

Plot smallPlot(std::string title, Axis x, Axis y, std::vector<Series> series) {
    Plot plot;
    plot.description = title + ", " + y.title + " over " + x.title;
    plot.title = std::move(title);
    plot.x = std::move(x);
    plot.y = std::move(y);
    plot.series = std::move(series);
    plot.width = kSmallWidth;
    plot.height = kSmallHeight;
    return plot;
}

} // namespace

Plot valuesByLayer(std::string title, const std::string& unit, const std::vector<SiteValue>& values) {
    Plot plot;
    plot.description = title + " by layer, one line per site";
    plot.title = std::move(title);
    plot.x = {"layer", false, true};
    plot.y = {unit, false, false};
    plot.width = kWideWidth;
    for (std::size_t i = 0; i < kAllSites.size(); ++i) {
        Series series{std::string(siteName(kAllSites[i])),
                      seriesColor(i),
                      {},
                      {},
                      {},
                      seriesMarker(i),
                      true,
                      i >= 5,
                      false,
                      kDashes[i]};
        for (const SiteValue& value : values) {
            if (value.key.site != kAllSites[i]) continue;
            series.x.push_back(value.key.layer);
            series.y.push_back(value.value);
            series.labels.push_back(siteText(value.key) + ": " + formatExact(value.value));
        }
        if (!series.x.empty()) plot.series.push_back(std::move(series));
    }
    return plot;
}

PlotGroup beforeAfterByLayer(const std::string& what, const std::vector<BeforeAfter>& values) {
    PlotGroup group;
    for (Site site : kAllSites) {
        Series before{"before", kBeforeColor, {}, {}, {}, Marker::Circle, true, true, false, "5 3"};
        Series after{"after", kAfterColor, {}, {}, {}, Marker::Circle, true, false, false, {}};
        for (const BeforeAfter& value : values) {
            if (value.key.site != site) continue;
            for (auto* series : {&before, &after}) {
                const double y = series == &before ? value.before : value.after;
                series->x.push_back(value.key.layer);
                series->y.push_back(y);
                series->labels.push_back(siteText(value.key) + ", " + series->name + ": " + formatExact(y));
            }
        }
        const bool any =
            std::any_of(before.y.begin(), before.y.end(), [](double y) { return std::isfinite(y); });
        if (any)
            group.plots.push_back(smallPlot(what + ", " + std::string(siteName(site)), {"layer", false, true},
                                            {"Flatness (0 = flat)", false, false},
                                            {std::move(before), std::move(after)}));
    }
    return group;
}

std::vector<Plot> siteDetailPlots(const SiteAnalysis& site, const SiteDetail& detail,
                                  TransformKind transform) {
    const std::string where = siteText(site.key);
    const Axis magnitude{"magnitude", true, false};
    const Axis count{"count", true, false};
    const Axis rank{"channel, sorted", false, true};
    std::vector<Plot> plots;
    plots.push_back(
        smallPlot("|x|, " + where, magnitude, count,
                  beforeAndAfter(detail, transform, histogramSeries, &TransformDetail::histogramActivation)));
    plots.push_back(
        smallPlot("|W|, " + where, magnitude, count,
                  beforeAndAfter(detail, transform, histogramSeries, &TransformDetail::histogramWeight)));
    plots.push_back(smallPlot(
        "largest |x| of each channel, " + where, rank, {"max |x|", true, false},
        beforeAndAfter(detail, transform, sortedSeries, &TransformDetail::channelAbsmaxActivation)));
    return plots;
}

std::vector<Block> worstSiteBlocks(const ReportData& data, const std::vector<SiteKey>& keys,
                                   TransformKind transform, const std::string& textName) {
    std::vector<Block> blocks;
    for (const SiteKey key : keys) {
        const SiteAnalysis* site = data.analysis ? data.analysis->find(key) : nullptr;
        if (!site) continue;
        blocks.emplace_back(Subheading{siteText(key)});
        const Result<SiteDetail> detail = loadSiteDetail(data, *site);
        if (!detail) {
            blocks.emplace_back(Paragraph{"No histograms: " + detail.error().text(), false});
            continue;
        }
        std::string tensors;
        for (const std::string& tensor : site->tensors)
            tensors += (tensors.empty() ? "" : ", ") + tensor;
        blocks.emplace_back(PlotGroup{"Input of " + tensors + "; " + formatCount(site->tokens) +
                                          " tokens of " + textName + ". Same bins before and after.",
                                      siteDetailPlots(*site, *detail, transform)});
    }
    return blocks;
}

std::vector<SiteKey> lowest(std::vector<SiteValue> values, std::size_t count) {
    std::erase_if(values, [](const SiteValue& value) { return !std::isfinite(value.value); });
    std::sort(values.begin(), values.end(), [](const SiteValue& a, const SiteValue& b) {
        return a.value != b.value ? a.value < b.value : a.key < b.key;
    });
    std::vector<SiteKey> keys;
    for (std::size_t i = 0; i < std::min(count, values.size()); ++i)
        keys.push_back(values[i].key);
    return keys;
}

} // namespace bdq::report
