// Devices and threads, chosen from DeviceOptions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <c10/core/Device.h>

#include "engine/api/job_event.h"
#include "engine/api/job_spec.h"

namespace bdq {

/// A device in use. Copies are cheap.
struct ComputeDevice {
    c10::Device device{c10::kCPU};
    std::string id = "cpu"; ///< "cpu" or "cuda:N"
    std::string name;       ///< for people
    int threads = 1;        ///< CPU threads ATen was told to use
    [[nodiscard]] bool isCuda() const { return device.is_cuda(); }
};

/// Makes "auto" a device, sets ATen's thread count and turns TF32 off, so that CPU and GPU agree.
/// Errors: InvalidSpec (unknown text), Unsupported when a GPU is asked for and none can be used, saying why.
Result<ComputeDevice> openDevice(const DeviceOptions& options);

/// Waits until queued work is done; nothing on the CPU.
void synchronize(const ComputeDevice& device);

/// Gives freed host memory back to the system. The many tensor sizes of a layer leave holes in glibc's heaps;
/// without this they add up over the layers (5.4 GB instead of about 1 after 30 layers of an analysis).
void releaseFreedMemory();

/// Highest resident set size of this process so far, bytes (VmHWM).
std::uint64_t peakHostBytes();

} // namespace bdq
