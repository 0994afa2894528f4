#include "engine/cli/findings.h"

#include <algorithm>
#include <cmath>

#include "engine/analysis/bit_plan.h"
#include "engine/cli/text.h"

namespace bdq::cli {
namespace {

using analysis::BitPlan;
using analysis::LossBasis;

constexpr std::size_t kWorstSites = 5;
constexpr double kMoreBits = 0.2; ///< average bits a weight
// From here on one word is fair for where a site's loss comes from.
constexpr double kMost = 0.5;
// Excess over a Gaussian's 3 with which a transform has left outliers among the channels.
constexpr double kHeavyKurtosis = 20;
// The share of layers at the end whose errors meet little that could dampen them.
constexpr int kLateShare = 10;

std::string percent(double share) {
    return formatNumber(100 * share, share < 0.1 ? 1 : 0) + " %";
}

std::string siteText(SiteKey key) {
    return "layer " + std::to_string(key.layer) + " " + std::string(siteName(key.site));
}

/// Where most of an estimated loss comes from; empty when nothing was estimated or both operands are one
/// operand.
std::string operandClause(const SiteAnalysis& site, TransformKind transform, const Scheme& scheme) {
    Scheme alone = scheme;
    alone.weight = OperandScheme{};
    const double share = estimatedLoss(site, transform, alone) / estimatedLoss(site, transform, scheme);
    if (!scheme.weight.quantizes() || !scheme.activation.quantizes() || std::isnan(share)) return {};
    return share >= kMost ? percent(share) + " of it by its activations"
                          : percent(1 - share) + " of it by its weights";
}

/// The first that holds: a few tokens, a few channels, its place, its operands.
std::string reasonOf(const SiteAnalysis& site, TransformKind transform, const Scheme& scheme, int layers) {
    std::string clause;
    const double kurtosis = site.transforms.at(transform).kurtosisActivation;
    if (site.topTokenEnergyShare >= kMost)
        clause = "outlier tokens: 0.5 % of them hold " + percent(site.topTokenEnergyShare) +
                 " of its inputs' energy";
    else if (kurtosis >= kHeavyKurtosis)
        clause = "heavy channels: kurtosis " + formatNumber(kurtosis, 0) + " under " +
                 std::string(transformInfo(transform).id) + ", where a Gaussian has 3";
    else if (site.key.layer >= layers - std::max(1, layers / kLateShare))
        clause = "a late layer: little comes after it that dampens its error";
    const std::string operands = operandClause(site, transform, scheme);
    if (clause.empty()) return operands.empty() ? "no single cause stands out" : operands;
    return operands.empty() ? clause : clause + "; " + operands;
}

Result<std::optional<MoreBits>> findMoreBits(const AnalysisResult& analysis,
                                             const SensitivityResult* sensitivity, const Scheme& scheme,
                                             TransformKind transform, LossBasis basis) {
    if (!scheme.weight.quantizes() || basis == LossBasis::None) return std::optional<MoreBits>();
    analysis::BitPlanRequest request;
    request.activation = scheme.activation;
    request.transform = transform;
    request.metric =
        basis == LossBasis::Measured ? analysis::PlanMetric::Kl : analysis::PlanMetric::Estimated;
    if (std::find(request.weights.begin(), request.weights.end(), scheme.weight) == request.weights.end())
        request.weights.push_back(scheme.weight);
    request.budgetOf = scheme.weight;
    BDQ_TRY(const BitPlan same, analysis::planBits(analysis, sensitivity, request));
    const auto uniform =
        std::find_if(same.uniform.begin(), same.uniform.end(),
                     [&](const analysis::UniformPlan& plan) { return plan.weight == scheme.weight; });
    request.budgetOf.reset();
    request.budget = uniform->bits + kMoreBits;
    BDQ_TRY(const BitPlan more, analysis::planBits(analysis, sensitivity, request));
    const auto raised =
        std::count_if(more.sites.begin(), more.sites.end(), [&](const analysis::BitPlanSite& site) {
            return site.weight.bits > scheme.weight.bits;
        });
    return std::optional(MoreBits{request.budget, uniform->bits, more.bits, uniform->loss, more.solution.loss,
                                  static_cast<int>(raised)});
}

std::string moreBitsText(const MoreBits& more, const AnalysisFindings& findings, const std::string& dir) {
    const double change = more.lossAfter / more.lossBefore - 1;
    return formatNumber(more.bitsAfter - more.bitsBefore, 1) + " bit a weight more (" +
           formatNumber(more.bitsAfter, 2) + " instead of " + formatNumber(more.bitsBefore, 2) +
           "), given where it helps most, raises " + std::to_string(more.sites) +
           " sites and changes the sum from " + formatShort(more.lossBefore) + " to " +
           formatShort(more.lossAfter) + " nats a token (" + formatNumber(100 * change, 0) +
           " %):\n  bdq plan " + dir + " --budget " + formatNumber(more.budget, 3) +
           (findings.scheme.activation.quantizes()
                ? " --activation " + activationText(findings.scheme.activation)
                : std::string()) +
           " --transform " + std::string(transformInfo(findings.transform).id) + " --out plan.json\n";
}

} // namespace

Result<AnalysisFindings> findAnalysis(const AnalysisResult& analysis, const SensitivityResult* sensitivity,
                                      const Scheme& scheme, TransformKind transform) {
    AnalysisFindings found;
    found.scheme = scheme;
    found.transform = transform;
    found.ranking = analysis::rankByLoss(analysis, sensitivity, scheme, transform, WeightRounding::Mse);
    if (found.ranking.basis == LossBasis::None) return found;
    for (const analysis::RankedSite& ranked : found.ranking.sites) {
        if (found.worst.size() == kWorstSites) break;
        found.worst.push_back(
            {ranked, reasonOf(*analysis.find(ranked.key), transform, scheme, analysis.model.layers)});
    }
    BDQ_TRY(found.moreBits, findMoreBits(analysis, sensitivity, scheme, transform, found.ranking.basis));
    return found;
}

std::string describeFindings(const AnalysisFindings& findings, const AnalysisResult& analysis,
                             const std::string& dir) {
    const std::string heading = analysis.model.name + " at " + formatScheme(findings.scheme) + " under " +
                                std::string(transformInfo(findings.transform).id);
    if (findings.ranking.basis == LossBasis::None)
        return heading +
               ": the sites are not ranked, since this analysis holds no estimate of what the model loses "
               "by them (bdq analyze makes one unless told otherwise) and no sensitivity fits\n";
    std::string text = heading + ": the sites lose " + formatShort(findings.ranking.sum) +
                       " nats a token together, each quantized alone (" +
                       std::string(lossBasisName(findings.ranking.basis)) + "). The worst of " +
                       std::to_string(findings.ranking.sites.size()) + ":\n";
    TextTable table({"site", "loss", "share", "why"});
    for (const WorstSite& site : findings.worst)
        table.add({siteText(site.ranked.key), formatShort(site.ranked.loss), percent(site.ranked.share),
                   site.reason});
    text += table.render();
    if (findings.moreBits) text += moreBitsText(*findings.moreBits, findings, dir);
    return text;
}

} // namespace bdq::cli
