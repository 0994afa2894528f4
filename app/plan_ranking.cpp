#include "app/plan_ranking.h"

#include "engine/analysis/loss_ranking.h"

namespace bdq {

namespace {

RankingBasis basisOf(analysis::LossBasis basis) {
    switch (basis) {
    case analysis::LossBasis::Measured:
        return RankingBasis::Measured;
    case analysis::LossBasis::Estimated:
        return RankingBasis::Estimated;
    case analysis::LossBasis::None:
        break;
    }
    return RankingBasis::None;
}

} // namespace

SiteRanking rankingOf(const AnalysisResult* analysis, const SensitivityResult* sensitivity,
                      const PlanState& state) {
    SiteRanking ranking;
    if (analysis == nullptr) return ranking;
    const analysis::LossRanking ranked = analysis::rankByLoss(
        *analysis, sensitivity, [&](SiteKey key) { return state.plan.at(key); },
        [&](SiteKey key) { return state.transformAt(key); }, state.effectiveRounding());
    ranking.basis = basisOf(ranked.basis);
    if (ranking.basis == RankingBasis::None || ranked.sites.empty()) return SiteRanking{};
    ranking.sum = ranked.sum;
    ranking.largest = ranked.sites.front().key;
    int place = 0;
    for (const analysis::RankedSite& site : ranked.sites)
        ranking.losses[site.key] = SiteLoss{site.loss, site.share, ++place};
    return ranking;
}

} // namespace bdq
