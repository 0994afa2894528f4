// From results to documents and machine-readable reports.
#pragma once

#include <string>
#include <vector>

#include "engine/report/document.h"
#include "engine/report/report_data.h"

namespace bdq::report {

/// data.run must be set.
Document runDocument(const ReportData& data, const std::vector<ReportSection>& leaveOut = {});
/// data.analysis must be set.
Document analysisDocument(const ReportData& data, const std::vector<ReportSection>& leaveOut = {});

/// One row per (layer, site), or per (layer, site, transform) of an analysis. Header with units.
std::string csvReport(const ReportData& data);
/// The stored result as it is, and figures derived from it.
Result<std::string> jsonReport(const ReportData& data);

} // namespace bdq::report
