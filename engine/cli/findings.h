// What an analysis and runs found, in words, for people who do not begin with tables.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/analysis/loss_ranking.h"
#include "engine/api/result.h"
#include "engine/api/results.h"
#include "engine/api/sensitivity.h"

namespace bdq::cli {

/// A site that costs the model much, and why.
struct WorstSite {
    analysis::RankedSite ranked;
    std::string reason; ///< one clause, from the analysis
};

/// What some more bits would buy: the best plan of the larger budget against uniform weights.
struct MoreBits {
    double budget = 0;     ///< average bits a weight, scales counted
    double bitsBefore = 0; ///< of the uniform plan
    double bitsAfter = 0;
    double lossBefore = 0; ///< sum over the sites, nats a token
    double lossAfter = 0;
    int sites = 0; ///< that get more bits than in the uniform plan
};

struct AnalysisFindings {
    Scheme scheme;
    TransformKind transform = TransformKind::None;
    analysis::LossRanking ranking;
    std::vector<WorstSite> worst;     ///< largest loss first; empty without losses
    std::optional<MoreBits> moreBits; ///< absent without losses, and where weights are not quantized
};

/// `sensitivity` may be null. Errors: of planBits().
Result<AnalysisFindings> findAnalysis(const AnalysisResult& analysis, const SensitivityResult* sensitivity,
                                      const Scheme& scheme, TransformKind transform);
/// `dir`: the folder of the analysis, for the command that makes the plan.
std::string describeFindings(const AnalysisFindings& findings, const AnalysisResult& analysis,
                             const std::string& dir);

/// "bdq:balanced", with the epochs where they are not the preset's.
std::string choiceName(const RunResult& run);
/// Perplexity of every run against the full model's, with the texts and their tokens, and the time it took.
std::string describeChoices(const std::vector<RunResult>& runs);

} // namespace bdq::cli
