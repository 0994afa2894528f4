// The files of an analysis: analysis.json and one safetensors file a site.
#pragma once

#include <filesystem>
#include <string>

#include "engine/api/results.h"

namespace bdq {

/// "sites/L007-down.safetensors"
std::string siteFileName(SiteKey key);
/// Writes the arrays of a site and sets `site.detailFile`. Errors: Io, DiskFull.
Status saveSite(const std::filesystem::path& folder, SiteAnalysis& site, const SiteDetail& detail);
/// Writes analysis.json.
Status saveAnalysis(const std::filesystem::path& folder, const AnalysisResult& result);
Result<AnalysisResult> loadAnalysis(const std::filesystem::path& folder);

} // namespace bdq
