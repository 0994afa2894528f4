#include "engine/analysis/loss_ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bdq::analysis {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

using LossOfSite = std::function<double(const SiteAnalysis&)>;

/// The losses of all sites in their order; empty unless every one is known.
std::vector<RankedSite> lossesOf(const AnalysisResult& analysis, const LossOfSite& lossOf) {
    std::vector<RankedSite> sites;
    for (const SiteAnalysis& site : analysis.sites) {
        const double loss = lossOf(site);
        if (!std::isfinite(loss)) return {};
        sites.push_back({site.key, loss, 0});
    }
    return sites;
}

LossRanking unranked(const AnalysisResult& analysis) {
    LossRanking ranking;
    ranking.sum = kNaN;
    for (const SiteAnalysis& site : analysis.sites)
        ranking.sites.push_back({site.key, kNaN, kNaN});
    return ranking;
}

LossRanking ranked(std::vector<RankedSite> sites, LossBasis basis) {
    LossRanking ranking{basis, std::move(sites), 0};
    std::ranges::stable_sort(ranking.sites, std::greater{}, &RankedSite::loss);
    for (const RankedSite& site : ranking.sites)
        ranking.sum += site.loss;
    for (RankedSite& site : ranking.sites)
        site.share = ranking.sum > 0 ? site.loss / ranking.sum : 0;
    return ranking;
}

} // namespace

std::string_view lossBasisName(LossBasis basis) {
    switch (basis) {
    case LossBasis::Measured:
        return "measured";
    case LossBasis::Estimated:
        return "estimated";
    case LossBasis::None:
        break;
    }
    return "not ranked";
}

const RankedSite* LossRanking::find(SiteKey key) const {
    const auto found = std::ranges::find(sites, key, &RankedSite::key);
    return found == sites.end() ? nullptr : &*found;
}

double measuredLoss(const SensitivityResult& sensitivity, SiteKey key, TransformKind transform,
                    const Scheme& scheme) {
    // Symmetry and groups of an operand that is not quantized mean nothing.
    const bool same = scheme.activation == sensitivity.activation ||
                      (!scheme.activation.quantizes() && !sensitivity.activation.quantizes());
    const SensitivityRow* row = same ? sensitivity.find(key, transform, scheme.weight) : nullptr;
    // Rounding of fp32 logits can leave a divergence just below 0.
    return row == nullptr ? kNaN : std::max(0.0, row->klDivergence);
}

LossRanking rankByLoss(const AnalysisResult& analysis, const SensitivityResult* sensitivity,
                       const SchemeOfSite& schemeOf, const TransformOfSite& transformOf,
                       WeightRounding rounding) {
    if (sensitivity != nullptr) {
        auto measured = lossesOf(analysis, [&](const SiteAnalysis& site) {
            return measuredLoss(*sensitivity, site.key, transformOf(site.key), schemeOf(site.key));
        });
        if (!measured.empty()) return ranked(std::move(measured), LossBasis::Measured);
    }
    auto estimated = lossesOf(analysis, [&](const SiteAnalysis& site) {
        return estimatedLoss(site, transformOf(site.key), schemeOf(site.key), rounding);
    });
    if (!estimated.empty()) return ranked(std::move(estimated), LossBasis::Estimated);
    return unranked(analysis);
}

LossRanking rankByLoss(const AnalysisResult& analysis, const SensitivityResult* sensitivity,
                       const Scheme& scheme, TransformKind transform, WeightRounding rounding) {
    return rankByLoss(
        analysis, sensitivity, [&](SiteKey) { return scheme; }, [&](SiteKey) { return transform; }, rounding);
}

} // namespace bdq::analysis
