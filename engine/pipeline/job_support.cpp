#include "engine/pipeline/job_support.h"

#include <ctime>
#include <numeric>

#include "engine/api/atomic_file.h"
#include "engine/api/version.h"
#include "engine/model/device_list.h"
#include "engine/model/device_memory.h"

namespace bdq {
namespace {

std::string utcNow() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

} // namespace

JobClock::JobClock(const JobSpec& spec)
    : m_command(commandLine(spec)), m_startedUtc(utcNow()), m_start(std::chrono::steady_clock::now()) {}

double JobClock::seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - m_start).count();
}

Provenance JobClock::provenance(const ComputeDevice& device) const {
    Provenance result;
    result.command = m_command;
    result.version = version();
    result.torch = torchVersion();
    result.device = device.id;
    result.deviceName = device.name;
    result.threads = device.threads;
    result.startedUtc = m_startedUtc;
    result.seconds = seconds();
    result.peakHostBytes = peakHostBytes();
    result.peakDeviceBytes = peakDeviceBytes(device.device);
    return result;
}

Status prepareFolder(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return fail(ErrorCode::Io, folder.string() + ": cannot create the folder: " + error.message());
    auto probe = AtomicFile::create(folder / "write-test");
    if (!probe) return passOn(std::move(probe).error());
    return {};
}

Status checkSameModel(const ModelWeights& weights, const std::string& stored, const std::string& what,
                      JobContext& context) {
    if (stored.empty()) {
        context.warning(what +
                        ": made by a version that did not note the weights; whether they are those of " +
                        weights.path() + " was not checked");
        return {};
    }
    if (stored == weights.reader().fingerprint()) return {};
    return fail(ErrorCode::InvalidSpec, weights.path() + ": found a model with other weights than " + what +
                                            " was made from, expected the same file contents");
}

Result<std::vector<int>> chooseLayers(const std::vector<int>& wanted, int layerCount) {
    std::vector<int> layers = wanted;
    if (layers.empty()) {
        layers.resize(static_cast<std::size_t>(layerCount));
        std::iota(layers.begin(), layers.end(), 0);
    }
    for (int layer : layers)
        if (layer < 0 || layer >= layerCount)
            return fail(ErrorCode::InvalidSpec, "layers: " + std::to_string(layer) +
                                                    " is not in the model, expected 0-" +
                                                    std::to_string(layerCount - 1));
    return layers;
}

std::string siteLabel(SiteKey key) {
    return "layer " + std::to_string(key.layer) + ", site " + std::string(siteName(key.site));
}

void emitArtifact(const JobContext& context, const std::filesystem::path& folder,
                  const std::string& relative) {
    std::error_code error;
    const std::uintmax_t bytes = std::filesystem::file_size(folder / relative, error);
    context.emit(ArtifactEvent{relative, error ? 0 : bytes});
}

} // namespace bdq
