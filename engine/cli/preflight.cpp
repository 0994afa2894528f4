#include "engine/cli/preflight.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include "engine/io/model_reader.h"

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
    if (::access(path.c_str(), R_OK) != 0)
        return fail(ErrorCode::Io, what + " " + path + ": cannot be read: " + std::strerror(errno));
    if (fs::is_regular_file(status) && fs::file_size(path, error) == 0)
        return fail(ErrorCode::MissingCalibration, what + " " + path + ": found 0 bytes, expected text");
    return {};
}

Status checkLayers(const std::vector<int>& layers, int count) {
    for (const int layer : layers)
        if (layer >= count)
            return fail(ErrorCode::InvalidSpec, "layers: found layer " + std::to_string(layer) +
                                                    ", the model has layers 0 to " +
                                                    std::to_string(count - 1));
    return {};
}

int layersWorkedOn(const std::vector<int>& layers, int count) {
    return layers.empty() ? count : static_cast<int>(layers.size());
}

/// Checks of one kind of job; each returns how many layers are worked on.
Result<int> checkJob(const AnalyzeSpec& spec, int layers) {
    if (spec.calibration.source != "self")
        BDQ_CHECK(checkTextFile(spec.calibration.source, "calibration text"));
    BDQ_CHECK(checkLayers(spec.layers, layers));
    BDQ_CHECK(checkWritableFolder(spec.outDir));
    return layersWorkedOn(spec.layers, layers);
}

Result<int> checkJob(const RunSpec& spec, int layers) {
    if (spec.calibration.source != "self")
        BDQ_CHECK(checkTextFile(spec.calibration.source, "calibration text"));
    if (spec.evaluation) BDQ_CHECK(checkTextFile(spec.evaluation->textPath, "evaluation text"));
    BDQ_CHECK(checkLayers(spec.layers, layers));
    for (const auto& [key, scheme] : spec.plan.overrides)
        BDQ_CHECK(checkLayers({key.layer}, layers));
    BDQ_CHECK(checkWritableFolder(spec.outDir));
    return layersWorkedOn(spec.layers, layers);
}

Result<int> checkJob(const EvalSpec& spec, int layers) {
    BDQ_CHECK(checkTextFile(spec.evaluation.textPath, "evaluation text"));
    return layers;
}

Result<int> checkJob(const InspectSpec&, int layers) {
    return layers;
}

template <class Spec>
Result<AcceptedEvent> preflightOf(const Spec& spec, const std::vector<DeviceInfo>& devices) {
    AcceptedEvent accepted;
    BDQ_TRY(accepted.device, resolveDevice(spec.device.device, devices));
    BDQ_TRY(const io::ModelReader model, io::ModelReader::open(spec.modelPath));
    BDQ_TRY(accepted.layers, checkJob(spec, model.index().config.layers));
    return accepted;
}

Result<AcceptedEvent> preflightOf(const ReportSpec&, const std::vector<DeviceInfo>&) {
    AcceptedEvent accepted;
    accepted.device = "cpu";
    return accepted;
}

} // namespace

std::string outDirOf(const JobSpec& spec) {
    if (auto* analyze = std::get_if<AnalyzeSpec>(&spec)) return analyze->outDir;
    if (auto* run = std::get_if<RunSpec>(&spec)) return run->outDir;
    return {};
}

Result<AcceptedEvent> preflight(const JobSpec& spec, const std::vector<DeviceInfo>& devices) {
    BDQ_CHECK(validate(spec));
    BDQ_TRY(AcceptedEvent accepted,
            std::visit([&devices](const auto& job) { return preflightOf(job, devices); }, spec));
    accepted.job = jobName(spec);
    accepted.outDir = outDirOf(spec);
    return accepted;
}

Result<std::string> resolveDevice(const std::string& wanted, const std::vector<DeviceInfo>& devices) {
    const std::string id = wanted == "cuda" ? "cuda:0" : wanted;
    std::string known;
    for (const DeviceInfo& device : devices) {
        if (device.id == id || (id == "auto" && device.id == "cuda:0")) return device.id;
        known += (known.empty() ? "" : ", ") + device.id;
    }
    if (id == "auto") return std::string("cpu");
    return fail(ErrorCode::Unsupported,
                "device " + wanted + ": not found on this machine, which has " + known);
}

Status checkWritableFolder(const std::string& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return fail(ErrorCode::Io, folder + ": the folder cannot be created: " + error.message());
    if (!fs::is_directory(folder, error))
        return fail(ErrorCode::Io, folder + ": found a file, expected a folder to write into");
    const std::string probe = (fs::path(folder) / ".bdq-write-test").string();
    const int fd = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(errno == ENOSPC || errno == EDQUOT ? ErrorCode::DiskFull : ErrorCode::Io,
                    folder + ": the folder cannot be written into: " + std::strerror(errno));
    ::close(fd);
    ::unlink(probe.c_str());
    return {};
}

} // namespace bdq::cli
