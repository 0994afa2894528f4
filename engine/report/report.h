// Reports of analysis and run folders: one self-contained HTML file, Markdown, CSV or JSON.
#pragma once

#include <string>
#include <vector>

#include "engine/api/job_spec.h"
#include "engine/api/result.h"

namespace bdq::report {

/// Reads spec.dir (a folder with run.json or analysis.json) and writes spec.outFile atomically. A run report includes the
/// analysis named by `analysis.json` in the run folder, or in `analysisDir` when given, for histograms and Flatness.
/// Errors: NotFound when the folder has neither file, BadFormat, Io, DiskFull.
Status writeReport(const ReportSpec& spec);

/// The same as text.
Result<std::string> renderReport(const std::string& dir, ReportFormat format);

/// Layer-by-layer comparison of two or more run folders as Markdown, CSV, HTML or JSON.
Result<std::string> renderComparison(const std::vector<std::string>& runDirs, ReportFormat format);

} // namespace bdq::report
