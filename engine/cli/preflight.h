// What can be refused before any work starts.
#pragma once

#include <string>
#include <vector>

#include "engine/api/job_event.h"

namespace bdq::cli {

/// Folder that a job writes into, empty when it writes none.
std::string outDirOf(const JobSpec& spec);

/// Opens what the job names, without computing: model header, texts, device, layers; creates and tries the
/// out folder. `devices` = listDevices(). Returns the `accepted` event. Errors: all of the readers',
/// Unsupported (device), Io.
Result<AcceptedEvent> preflight(const JobSpec& spec, const std::vector<DeviceInfo>& devices);

/// Device that `wanted` means here. Errors: Unsupported naming what there is.
Result<std::string> resolveDevice(const std::string& wanted, const std::vector<DeviceInfo>& devices);

/// Creates the folder when it does not exist and tries to write into it. Errors: Io, DiskFull.
Status checkWritableFolder(const std::string& folder);

} // namespace bdq::cli
