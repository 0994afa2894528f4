// What a report is made from: the results stored in a folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/api/results.h"
#include "engine/api/sensitivity.h"

namespace bdq::report {

struct ReportData {
    std::filesystem::path dir;
    std::optional<RunResult> run;
    std::optional<AnalysisResult> analysis;
    std::filesystem::path analysisDir;
    std::vector<std::string> problems;              ///< parts that were there but could not be read
    std::optional<SensitivityResult> sensitivity{}; ///< beside an analysis, not of runs
};

/// Reads run.json, or else analysis.json. A run's own before/after analysis is looked for in dir/analysis,
/// then in dir; one that cannot be read becomes a problem, not an error. Errors: NotFound when there is
/// neither file, BadFormat, Io.
Result<ReportData> loadReportData(const std::filesystem::path& dir);

/// run.json of a run folder.
Result<RunResult> loadRun(const std::filesystem::path& dir);

/// Arrays of a site of data.analysis. Errors: NotFound, BadFormat.
Result<SiteDetail> loadSiteDetail(const ReportData& data, const SiteAnalysis& site);

} // namespace bdq::report
