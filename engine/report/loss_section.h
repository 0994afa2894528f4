// What the model loses by its sites, as reports rank and tabulate it.
#pragma once

#include <string>
#include <vector>

#include "engine/analysis/loss_ranking.h"
#include "engine/report/document.h"
#include "engine/report/report_data.h"

namespace bdq::report {

/// A ranking, and the plan that it is about.
struct RankedPlan {
    analysis::LossRanking ranking;
    std::string scheme; ///< "W4A4"; "the plan of the run" where sites differ
    TransformKind transform = TransformKind::None;
    OperandScheme activation;
    WeightRounding rounding = WeightRounding::Mse;
};

/// Of a run: its plan under its method's transform. Of an analysis: its first scheme under its last
/// transform; where only a sensitivity with other schemes is there, one of those. data.analysis must be set.
RankedPlan rankedPlan(const ReportData& data);

/// The `count` sites that cost most; empty when nothing is ranked.
std::vector<SiteKey> costliest(const RankedPlan& plan, std::size_t count);

/// "sum of losses 0.416 nats (estimated), largest layer 29 down with 5.7 %", or that nothing is ranked and
/// what ranks it.
std::string rankingText(const RankedPlan& plan);

/// "What it costs": sums by site and weight bits, and every site with its share, largest first. Says so when
/// nothing is ranked.
Section lossSection(const ReportData& data);

} // namespace bdq::report
