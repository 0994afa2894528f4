// How much of a device's memory is in use.
#pragma once

#include <cstdint>

#include <c10/core/Device.h>

namespace bdq {

/// Bytes of living tensors; 0 on the CPU.
std::uint64_t allocatedDeviceBytes(c10::Device device);
/// The most bytes that living tensors took at once so far; 0 on the CPU.
std::uint64_t peakDeviceBytes(c10::Device device);
/// Bytes that tensors could still take, blocks that ATen's allocator keeps for reuse included; 0 on the CPU.
std::uint64_t freeDeviceBytes(c10::Device device);

} // namespace bdq
