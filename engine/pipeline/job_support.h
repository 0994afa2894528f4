// Small things that every job needs.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/api/job_context.h"
#include "engine/api/results.h"
#include "engine/model/device.h"
#include "engine/model/weights.h"

namespace bdq {

/// Measures one job and fills its Provenance.
class JobClock {
public:
    explicit JobClock(const JobSpec& spec);
    [[nodiscard]] double seconds() const;
    [[nodiscard]] Provenance provenance(const ComputeDevice& device) const;

private:
    std::string m_command;
    std::string m_startedUtc;
    std::chrono::steady_clock::time_point m_start;
};

/// Creates the folder and checks that a file can be created in it, before any work. Errors: Io naming the
/// folder.
Status prepareFolder(const std::filesystem::path& folder);

/// Whether results whose weights had the fingerprint `stored` are of this model. `what` names them: "the run
/// in DIR". Results of before fingerprints were kept (`stored` empty) pass with a warning. Errors:
/// InvalidSpec.
Status checkSameModel(const ModelWeights& weights, const std::string& stored, const std::string& what,
                      JobContext& context);

/// Layers to work on: `wanted`, or all. Errors: InvalidSpec when one is not in the model.
Result<std::vector<int>> chooseLayers(const std::vector<int>& wanted, int layerCount);

/// "layer 3, site down": how messages name a site.
std::string siteLabel(SiteKey key);

/// Announces a file that a job has written.
void emitArtifact(const JobContext& context, const std::filesystem::path& folder,
                  const std::string& relative);

} // namespace bdq
