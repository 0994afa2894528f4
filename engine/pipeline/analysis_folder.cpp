#include "engine/pipeline/analysis_folder.h"

#include <cstdio>

#include "engine/api/atomic_file.h"
#include "engine/io/tensor_file.h"

namespace bdq {
namespace {

constexpr std::size_t kMaxAnalysisBytes = std::size_t{1} << 28;

} // namespace

std::string siteFileName(SiteKey key) {
    char layer[16];
    std::snprintf(layer, sizeof layer, "L%03d-", key.layer);
    return "sites/" + std::string(layer) + std::string(siteName(key.site)) + ".safetensors";
}

Status saveSite(const std::filesystem::path& folder, SiteAnalysis& site, const SiteDetail& detail) {
    site.detailFile = siteFileName(site.key);
    return io::writeSiteDetail(folder / site.detailFile, detail);
}

Status saveAnalysis(const std::filesystem::path& folder, const AnalysisResult& result) {
    return writeFileAtomically(folder / "analysis.json", encodeAnalysis(result));
}

Result<AnalysisResult> loadAnalysis(const std::filesystem::path& folder) {
    const std::filesystem::path path = folder / "analysis.json";
    BDQ_TRY(const std::string text, readTextFile(path, kMaxAnalysisBytes));
    return decodeAnalysis(text, path.string());
}

} // namespace bdq
