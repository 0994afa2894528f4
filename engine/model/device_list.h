// What this machine can compute on; free of libtorch headers.
#pragma once

#include <string>
#include <vector>

#include "engine/api/job_event.h"

namespace bdq {

/// Version of libtorch that is linked.
std::string torchVersion();
/// "cpu" first, then every CUDA device.
std::vector<DeviceInfo> listDevices();

} // namespace bdq
