#include "engine/report/report_data.h"

#include "engine/api/atomic_file.h"
#include "engine/io/tensor_file.h"

namespace bdq::report {
namespace {

constexpr std::size_t kMaxResultBytes = std::size_t{512} << 20;

bool isThere(const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

Result<AnalysisResult> loadAnalysisFile(const std::filesystem::path& path) {
    BDQ_TRY(const std::string text, readTextFile(path, kMaxResultBytes));
    return decodeAnalysis(text, path.string());
}

/// Why the analysis of a run cannot be used; empty when it can.
std::string mismatch(const RunResult& run, const AnalysisResult& analysis,
                     const std::filesystem::path& path) {
    if (!analysis.modelFingerprint.empty() && !run.modelFingerprint.empty() &&
        analysis.modelFingerprint != run.modelFingerprint)
        return path.string() + ": of other weights than the run, expected the same; left out";
    if (analysis.model.layers == run.model.layers && analysis.model.hiddenSize == run.model.hiddenSize)
        return {};
    return path.string() + ": of a model with " + std::to_string(analysis.model.layers) +
           " layers of width " + std::to_string(analysis.model.hiddenSize) + ", expected " +
           std::to_string(run.model.layers) + " of " + std::to_string(run.model.hiddenSize) + "; left out";
}

void addAnalysisOfRun(ReportData& data) {
    for (const std::filesystem::path& folder : {data.dir / "analysis", data.dir}) {
        const std::filesystem::path path = folder / "analysis.json";
        if (!isThere(path)) continue;
        Result<AnalysisResult> analysis = loadAnalysisFile(path);
        const std::string problem = analysis ? mismatch(*data.run, *analysis, path) : analysis.error().text();
        if (!problem.empty()) {
            data.problems.push_back(problem);
            continue;
        }
        data.analysis = std::move(*analysis);
        data.analysisDir = folder;
        return;
    }
}

void addSensitivity(ReportData& data) {
    const std::filesystem::path path = data.analysisDir / kSensitivityFileName;
    if (!isThere(path)) return;
    Result<std::string> text = readTextFile(path, kMaxResultBytes);
    Result<SensitivityResult> sensitivity = text ? decodeSensitivity(*text, path.string())
                                                 : Result<SensitivityResult>(passOn(std::move(text).error()));
    const std::string& own = data.analysis->modelFingerprint;
    if (sensitivity && !own.empty() && !sensitivity->modelFingerprint.empty() &&
        sensitivity->modelFingerprint != own)
        data.problems.push_back(path.string() + ": measured with other weights than the analysis, expected "
                                                "the same; left out");
    else if (sensitivity && !sensitivity->rows.empty())
        data.sensitivity = std::move(*sensitivity);
    else
        data.problems.push_back(sensitivity ? path.string() + ": found no rows, expected some; left out"
                                            : sensitivity.error().text());
}

} // namespace

Result<RunResult> loadRun(const std::filesystem::path& dir) {
    const std::filesystem::path path = dir / "run.json";
    BDQ_TRY(const std::string text, readTextFile(path, kMaxResultBytes));
    return decodeRun(text, path.string());
}

Result<ReportData> loadReportData(const std::filesystem::path& dir) {
    ReportData data;
    data.dir = dir;
    if (isThere(dir / "run.json")) {
        BDQ_TRY(RunResult run, loadRun(dir));
        data.run = std::move(run);
        addAnalysisOfRun(data);
        return data;
    }
    if (!isThere(dir / "analysis.json"))
        return fail(ErrorCode::NotFound,
                    dir.string() + ": found neither run.json nor analysis.json, expected the folder of "
                                   "a finished run or analysis");
    BDQ_TRY(AnalysisResult analysis, loadAnalysisFile(dir / "analysis.json"));
    data.analysis = std::move(analysis);
    data.analysisDir = dir;
    addSensitivity(data);
    return data;
}

Result<SiteDetail> loadSiteDetail(const ReportData& data, const SiteAnalysis& site) {
    if (site.detailFile.empty())
        return fail(ErrorCode::NotFound, "layer " + std::to_string(site.key.layer) + " " +
                                             std::string(siteName(site.key.site)) +
                                             ": no file with histograms was stored");
    return io::readSiteDetail(data.analysisDir / site.detailFile);
}

} // namespace bdq::report
