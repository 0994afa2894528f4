// Which sites cost the model most: the one order that tables, reports and summaries rank by.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "engine/api/results.h"
#include "engine/api/sensitivity.h"

namespace bdq::analysis {

/// Where the losses of a ranking come from. One ranking has one basis: measured and estimated losses are
/// never mixed.
enum class LossBasis {
    Measured,  ///< KL divergence with one site quantized, from a sensitivity
    Estimated, ///< from the analysis' backward pass (estimatedLoss)
    None       ///< neither: the sites are in the order of the model and have no loss
};
/// "measured", "estimated", "not ranked".
std::string_view lossBasisName(LossBasis basis);

struct RankedSite {
    SiteKey key;
    double loss = 0;  ///< nats a token, >= 0; NaN without a basis
    double share = 0; ///< of the sum of all losses, 0..1; NaN without a basis, 0 when the sum is 0
};

struct LossRanking {
    LossBasis basis = LossBasis::None;
    std::vector<RankedSite> sites; ///< largest loss first; of equal losses the earlier site first
    double sum = 0;                ///< of the losses; NaN without a basis

    /// nullptr for a site that is not ranked.
    [[nodiscard]] const RankedSite* find(SiteKey key) const;
};

/// Transform of a site in the plan that is ranked.
using TransformOfSite = std::function<TransformKind(SiteKey)>;

/// The scheme of a site in the plan that is ranked.
using SchemeOfSite = std::function<Scheme(SiteKey)>;

/// Loss of one site under a plan's choice, measured: NaN when the sensitivity has no row of this transform
/// and these weights, or was measured with other activations.
double measuredLoss(const SensitivityResult& sensitivity, SiteKey key, TransformKind transform,
                    const Scheme& scheme);

/// Measured where `sensitivity` (may be null) covers every site of the analysis as the plan has it, else
/// estimated where the analysis covers every site, else none. `rounding` of the weights in the plan: for
/// estimated losses.
LossRanking rankByLoss(const AnalysisResult& analysis, const SensitivityResult* sensitivity,
                       const SchemeOfSite& schemeOf, const TransformOfSite& transformOf,
                       WeightRounding rounding);

/// The same with one transform and one scheme at every site.
LossRanking rankByLoss(const AnalysisResult& analysis, const SensitivityResult* sensitivity,
                       const Scheme& scheme, TransformKind transform, WeightRounding rounding);

} // namespace bdq::analysis
