#include "engine/cli/preflight.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <unistd.h>

#include "engine/api/sensitivity.h"

namespace bdq::cli {
namespace {

namespace fs = std::filesystem;

Status checkTextFile(const std::string& path, const std::string& what) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status))
        return fail(ErrorCode::NotFound, what + " " + path + ": not found, expected a text file");
    if (fs::is_directory(status))
        return fail(ErrorCode::NotFound, what + " " + path + ": found a folder, expected a text file");
    if (!fs::is_regular_file(status))
        return fail(ErrorCode::Io, what + " " + path + ": found " +
                                       (fs::is_fifo(status) ? "a pipe" : "a device or a socket") +
                                       ", expected a text file");
    if (::access(path.c_str(), R_OK) != 0)
        return fail(ErrorCode::Io, what + " " + path + ": cannot be read: " + std::strerror(errno));
    if (fs::file_size(path, error) == 0)
        return fail(ErrorCode::MissingCalibration, what + " " + path + ": found 0 bytes, expected text");
    return {};
}

Status checkCalibration(const CalibrationOptions& options) {
    return options.source == "self" ? Status() : checkTextFile(options.source, "calibration text");
}

Status checkTexts(const AnalyzeSpec& spec) {
    return checkCalibration(spec.calibration);
}

Status checkTexts(const RunSpec& spec) {
    BDQ_CHECK(checkCalibration(spec.calibration));
    return spec.evaluation ? checkTextFile(spec.evaluation->textPath, "evaluation text") : Status();
}

Status checkTexts(const EvalSpec& spec) {
    if (!spec.evaluation.textPath.empty())
        BDQ_CHECK(checkTextFile(spec.evaluation.textPath, "evaluation text"));
    for (const std::string& task : spec.tasks)
        BDQ_CHECK(checkTextFile(task, "task"));
    return {};
}
Status checkTexts(const ReportSpec&) {
    return {};
}
Status checkTexts(const InspectSpec&) {
    return {};
}
Status checkTexts(const SensitivitySpec& spec) {
    const std::string& source = spec.text.source;
    return source.empty() || source == "self" ? Status() : checkTextFile(source, "text");
}

} // namespace

std::string outDirOf(const JobSpec& spec) {
    if (auto* analyze = std::get_if<AnalyzeSpec>(&spec)) return analyze->outDir;
    if (auto* run = std::get_if<RunSpec>(&spec)) return run->outDir;
    if (auto* sensitivity = std::get_if<SensitivitySpec>(&spec))
        return sensitivity->analysisDir + "/" + kSensitivityFolderName;
    return {};
}

Status preflight(const JobSpec& spec) {
    BDQ_CHECK(validate(spec));
    return std::visit([](const auto& job) { return checkTexts(job); }, spec);
}

} // namespace bdq::cli
