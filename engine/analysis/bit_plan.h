// From an analysis to a plan: which weight bits go to which site, so that the average is within a budget and
// the loss is as small as a model of it can tell.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/analysis/bit_budget.h"
#include "engine/api/results.h"
#include "engine/api/sensitivity.h"

namespace bdq::analysis {

/// What is summed over the sites.
enum class PlanMetric {
    Kl,        ///< divergence of the whole model when only the site is quantized: from a sensitivity
    Estimated, ///< the same, estimated by the analysis' backward pass
    Output,    ///< measured relative error of the site's output: from a sensitivity
    Predicted ///< predicted relative error of the site's output: from the analysis alone; does not rank sites
};
struct PlanMetricInfo {
    PlanMetric metric;
    std::string_view id; ///< "kl", "estimated", "output", "predicted"
    std::string_view explanation;
};
std::span<const PlanMetricInfo> planMetricTable();
std::string_view planMetricName(PlanMetric metric);
std::optional<PlanMetric> planMetricFromName(std::string_view id);

struct BitPlanRequest {
    std::vector<OperandScheme> weights = SensitivitySpec{}.weights; ///< to choose from
    OperandScheme activation{};                                     ///< the same for all sites
    OperandScheme kv{16, false, 0};                                 ///< the same for all layers
    std::optional<TransformKind> transform; ///< empty = the last of the sensitivity, or of the analysis
    /// Empty = Kl with a sensitivity, else Estimated. Predicted is never taken without being asked for: a
    /// plan from it can be worse than uniform bits.
    std::optional<PlanMetric> metric;
    WeightRounding rounding = WeightRounding::Mse; ///< of the weights: for Estimated and Predicted
    /// Sites whose weights are fixed: they count in the budget and are not chosen. Cannot be combined with
    /// wholeLayers.
    std::map<SiteKey, OperandScheme> locked{};
    bool wholeLayers = false; ///< all sites of a layer get the same bits
    /// Average bits per weight over the analysed sites, fp16 scales and zero points counted
    /// (effectiveWeightBits).
    double budget = 4;
    /// Instead of `budget`: as many bits as all sites with these weights need.
    std::optional<OperandScheme> budgetOf;
};

/// All sites with the same weights.
struct UniformPlan {
    OperandScheme weight;
    double bits = 0; ///< effective, average
    double loss = 0;
};

struct BitPlanSite {
    SiteKey key;
    OperandScheme weight;
    double bits = 0; ///< effective
    double loss = 0;
};

struct BitPlan {
    Plan plan; ///< base = the scheme of most weights; layers that were not analysed get it, too
    TransformKind transform = TransformKind::None;
    PlanMetric metric = PlanMetric::Predicted;
    double budget = 0; ///< average bits
    double bits = 0;   ///< effective, average; at most `budget`
    BudgetSolution solution;
    std::vector<UniformPlan> uniform; ///< by candidate
    std::vector<BitPlanSite> sites;   ///< as in the analysis
    std::vector<std::string> notes;   ///< what people must know, e.g. layers that were not analysed

    /// The uniform plan of the smallest loss within the budget; nullptr when there is none.
    [[nodiscard]] const UniformPlan* bestUniform() const;
};

/// Exact bits that a site's weights take: codes, an fp16 scale a group, and a zero point of the codes' width
/// when asymmetric. rows, columns >= 1.
std::int64_t weightBits(const OperandScheme& weight, std::int64_t rows, std::int64_t columns);

/// `sensitivity` may be null where the metric does not need it. Errors: InvalidSpec (budget not a number or
/// below the least possible, which is named; no candidates; a bit width, transform or site that was not
/// measured, naming what was; an analysis without sites).
Result<BitPlan> planBits(const AnalysisResult& analysis, const SensitivityResult* sensitivity,
                         const BitPlanRequest& request);

} // namespace bdq::analysis
