#include "engine/model/device_memory.h"

#include <c10/core/CachingDeviceAllocator.h>

namespace bdq {
namespace {

std::int64_t current(const c10::CachingAllocator::StatArray& stats) {
    return stats[static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE)].current;
}

} // namespace

std::uint64_t allocatedDeviceBytes(c10::Device device) {
    if (device.is_cpu()) return 0;
    return static_cast<std::uint64_t>(
        current(c10::getDeviceAllocator(device.type())->getDeviceStats(device.index()).allocated_bytes));
}

std::uint64_t freeDeviceBytes(c10::Device device) {
    if (device.is_cpu()) return 0;
    c10::DeviceAllocator* allocator = c10::getDeviceAllocator(device.type());
    const auto stats = allocator->getDeviceStats(device.index());
    const std::int64_t kept = current(stats.reserved_bytes) - current(stats.allocated_bytes);
    return allocator->getMemoryInfo(device.index()).first + static_cast<std::uint64_t>(kept);
}

} // namespace bdq
