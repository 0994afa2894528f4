// The engine's ranking of sites by loss, as the window shows it for the plan that is being edited.
#pragma once

#include "app/plan_state.h"
#include "engine/api/results.h"
#include "engine/api/sensitivity.h"
#include "widgets/site_ranking.h"

namespace bdq {

/// Null analysis = nothing is ranked; `sensitivity` may be null.
SiteRanking rankingOf(const AnalysisResult* analysis, const SensitivityResult* sensitivity,
                      const PlanState& state);

} // namespace bdq
