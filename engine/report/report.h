// Reports of analysis and run folders: one self-contained HTML file, Markdown, CSV or JSON.
#pragma once

#include <string>
#include <vector>

#include "engine/api/job_spec.h"
#include "engine/api/result.h"

namespace bdq::report {

/// Reads spec.dir (a folder with run.json or analysis.json) and writes spec.outFile atomically. A run report
/// takes histograms from the run's own analysis (spec.dir/analysis/analysis.json, else
/// spec.dir/analysis.json) when it is there. Errors: NotFound when the folder has neither file, BadFormat,
/// Io, DiskFull.
Status writeReport(const ReportSpec& spec);

/// The same as text; sections `leaveOut` are not in HTML and Markdown.
Result<std::string> renderReport(const std::string& dir, ReportFormat format,
                                 const std::vector<ReportSection>& leaveOut = {});

/// Layer-by-layer comparison of two or more run folders as Markdown, CSV, HTML or JSON; differences are
/// against the first. Warnings in it name what must be equal and is not (weights, text, BOS, window length).
/// Errors: as writeReport; InvalidSpec for fewer than two folders.
Result<std::string> renderComparison(const std::vector<std::string>& runDirs, ReportFormat format);

} // namespace bdq::report
