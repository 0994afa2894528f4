#include "engine/report/loss_section.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/report/common_sections.h"
#include "engine/report/site_plots.h"
#include "engine/report/text_format.h"

namespace bdq::report {
namespace {

using analysis::LossBasis;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr int kFewestBits = 2;
constexpr int kMostBits = 8;
// As the window marks sites: times the share that a site would have if all cost the same.
constexpr int kMarkedShares = 3;
constexpr int kStronglyMarkedShares = 6;

RankedPlan planOfRun(const ReportData& data) {
    const RunSpec& spec = data.run->spec;
    RankedPlan plan;
    plan.scheme = spec.plan.overrides.empty() ? formatScheme(spec.plan.base) : "the plan of the run";
    plan.transform = methodInfo(spec.method).transform;
    plan.activation = spec.plan.base.activation;
    plan.rounding = effectiveRounding(spec);
    plan.ranking = analysis::rankByLoss(
        *data.analysis, data.sensitivity ? &*data.sensitivity : nullptr,
        [&](SiteKey key) { return spec.plan.at(key); }, [&](SiteKey) { return plan.transform; },
        plan.rounding);
    return plan;
}

RankedPlan planOf(const ReportData& data, const Scheme& scheme, TransformKind transform) {
    Scheme linear = scheme;
    linear.kv = OperandScheme{};
    const WeightRounding rounding = RankedPlan{}.rounding;
    return {analysis::rankByLoss(*data.analysis, data.sensitivity ? &*data.sensitivity : nullptr, linear,
                                 transform, rounding),
            formatScheme(linear), transform, linear.activation, rounding};
}

/// Schemes to rank by, the best known first.
std::vector<std::pair<Scheme, TransformKind>> choices(const ReportData& data) {
    const AnalyzeSpec& spec = data.analysis->spec;
    std::vector<std::pair<Scheme, TransformKind>> result;
    Scheme shown;
    if (const auto parsed =
            spec.schemes.empty() ? Result<Scheme>(Scheme{}) : parseScheme(spec.schemes.front()))
        shown = *parsed;
    result.emplace_back(shown, spec.transforms.empty() ? TransformKind::None : spec.transforms.back());
    if (!data.sensitivity || data.sensitivity->rows.empty()) return result;
    std::vector<OperandScheme> weights = data.sensitivity->weights();
    std::ranges::stable_partition(
        weights, [&](const OperandScheme& weight) { return weight.bits == shown.weight.bits; });
    for (const OperandScheme& weight : weights) {
        Scheme measured;
        measured.weight = weight;
        measured.activation = data.sensitivity->activation;
        result.emplace_back(measured, data.sensitivity->transforms().back());
    }
    return result;
}

std::string mark(double share, std::size_t sites) {
    const double equalShares = share * static_cast<double>(sites);
    return equalShares > kStronglyMarkedShares ? "!! " : equalShares > kMarkedShares ? "! " : "";
}

/// Loss of a site with these weights, by the basis of the plan; NaN when it is not known.
double lossAt(const ReportData& data, const RankedPlan& plan, const SiteAnalysis& site, int bits) {
    Scheme scheme;
    scheme.activation = plan.activation;
    scheme.weight = OperandScheme{bits, bits != kFewestBits, 0};
    if (plan.ranking.basis == LossBasis::Measured)
        return analysis::measuredLoss(*data.sensitivity, site.key, plan.transform, scheme);
    return estimatedLoss(site, plan.transform, scheme, plan.rounding);
}

/// Sums over the layers by site and weight bits.
Table sumsTable(const ReportData& data, const RankedPlan& plan) {
    Table table{{{"Site", {}}}, {}, false};
    std::vector<int> widths;
    for (int bits = kFewestBits; bits <= kMostBits; ++bits)
        if (std::isfinite(lossAt(data, plan, data.analysis->sites.front(), bits))) widths.push_back(bits);
    for (const int bits : widths)
        table.columns.push_back({"W" + std::to_string(bits) + activationText(plan.activation), {}});
    std::vector<double> all(widths.size(), 0);
    for (const Site kind : kLinearSites) {
        std::vector<Cell> cells{textCell(std::string(siteName(kind)))};
        for (std::size_t i = 0; i < widths.size(); ++i) {
            double sum = 0;
            for (const SiteAnalysis& site : data.analysis->sites)
                if (site.key.site == kind) sum += lossAt(data, plan, site, widths[i]);
            all[i] += sum;
            cells.push_back(numberCell(sum));
        }
        table.rows.push_back(std::move(cells));
    }
    std::vector<Cell> cells{textCell("all")};
    for (const double sum : all)
        cells.push_back(numberCell(sum));
    table.rows.push_back(std::move(cells));
    return table;
}

double valueOr(const std::map<std::string, double>& values, const std::string& key) {
    const auto found = values.find(key);
    return found == values.end() ? kNone : found->second;
}

Cell shareCell(double share, const std::string& sign = {}) {
    Cell cell = numberCell(100 * share);
    cell.text = sign + cell.text + " %";
    return cell;
}

Table sitesTable(const ReportData& data, const RankedPlan& plan) {
    const bool measured = plan.ranking.basis == LossBasis::Measured;
    Table table{{{"Place", {}},
                 {"Layer", {}},
                 {"Site", {}},
                 metricColumn(measured ? "kl_site" : "loss_estimated", "Loss (nats)"),
                 {"Share", "of the sum of all sites"},
                 {"Sum so far", "share of this site and all above it"},
                 metricColumn("sqnr_db", "SQNR"),
                 metricColumn("sqnr_db_token_median", "of a token, median"),
                 metricColumn("sqnr_db_token_low", "5th percentile"),
                 metricColumn("top_token_energy", "Top tokens")},
                {},
                true};
    double soFar = 0;
    std::int64_t place = 0;
    for (const analysis::RankedSite& ranked : plan.ranking.sites) {
        const SiteAnalysis& site = *data.analysis->find(ranked.key);
        const auto found = site.transforms.find(plan.transform);
        const TransformAnalysis value = found == site.transforms.end() ? TransformAnalysis{} : found->second;
        soFar += ranked.share;
        constexpr double kLoneTokens = 0.5;
        table.rows.push_back(
            {countCell(++place), countCell(ranked.key.layer),
             textCell(std::string(siteName(ranked.key.site))), numberCell(ranked.loss),
             shareCell(ranked.share, mark(ranked.share, plan.ranking.sites.size())), shareCell(soFar),
             sqnrCell(valueOr(value.sqnrDbMeasured, plan.scheme)),
             dbCell(valueOr(value.sqnrDbTokenMedian, plan.scheme)),
             dbCell(valueOr(value.sqnrDbTokenLow, plan.scheme)),
             shareCell(site.topTokenEnergyShare, site.topTokenEnergyShare > kLoneTokens ? "! " : "")});
    }
    return table;
}

std::string sourceText(const ReportData& data, const RankedPlan& plan) {
    if (plan.ranking.basis == LossBasis::Measured)
        return "measured with one site quantized at a time, over " + formatCount(data.sensitivity->klTokens) +
               " tokens of " + data.sensitivity->text.source;
    const auto& info = data.analysis->lossEstimate;
    return "estimated by one backward pass" +
           (info ? " over " + formatCount(info->tokens()) + " tokens" : std::string()) +
           "; `bdq sensitivity` measures";
}

} // namespace

RankedPlan rankedPlan(const ReportData& data) {
    if (data.run) return planOfRun(data);
    std::optional<RankedPlan> first;
    for (const auto& [scheme, transform] : choices(data)) {
        RankedPlan plan = planOf(data, scheme, transform);
        if (plan.ranking.basis != LossBasis::None) return plan;
        if (!first) first = std::move(plan);
    }
    return *first;
}

std::vector<SiteKey> costliest(const RankedPlan& plan, std::size_t count) {
    std::vector<SiteKey> keys;
    if (plan.ranking.basis == LossBasis::None) return keys;
    for (const analysis::RankedSite& site : plan.ranking.sites)
        if (keys.size() < count) keys.push_back(site.key);
    return keys;
}

std::string rankingText(const RankedPlan& plan) {
    if (plan.ranking.basis == LossBasis::None || plan.ranking.sites.empty())
        return "not ranked: no losses were measured or estimated (`bdq sensitivity` measures them)";
    const analysis::RankedSite& largest = plan.ranking.sites.front();
    return "sum of losses " + formatNumber(plan.ranking.sum) + " nats (" +
           std::string(analysis::lossBasisName(plan.ranking.basis)) + "), largest " + siteText(largest.key) +
           " with " + formatNumber(100 * largest.share) + " %";
}

Section lossSection(const ReportData& data) {
    const RankedPlan plan = rankedPlan(data);
    Section section{"What it costs", {}};
    const std::string text = rankingText(plan);
    if (plan.ranking.basis == LossBasis::None || plan.ranking.sites.empty()) {
        section.blocks.emplace_back(
            Paragraph{"The sites are " + text +
                          ". The SQNR of a site by itself does not tell what the model "
                          "loses by it.",
                      true});
        return section;
    }
    section.blocks.emplace_back(Paragraph{
        "What the whole model loses (KL divergence of its next-token distributions, nats a token) when one "
        "site alone is quantized with " +
            plan.scheme + " under " + std::string(transformInfo(plan.transform).title) + ": " + text + "; " +
            sourceText(data, plan) + ".",
        false});
    section.blocks.emplace_back(Subheading{"Sums of the losses by site and weight bits (nats)"});
    section.blocks.emplace_back(sumsTable(data, plan));
    section.blocks.emplace_back(Subheading{"Every site, the costliest first"});
    section.blocks.emplace_back(Paragraph{
        "! more than 3 times, !! more than 6 times the share that a site would have if all cost the same. "
        "SQNR "
        "is a diagnosis, not a ranking. Top tokens: energy in the largest 0.5 % of them; above 50 % the SQNR "
        "of the site is theirs alone.",
        false});
    section.blocks.emplace_back(sitesTable(data, plan));
    return section;
}

} // namespace bdq::report
