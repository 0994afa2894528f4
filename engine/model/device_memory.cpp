#include "engine/model/device_memory.h"

#include <c10/core/CachingDeviceAllocator.h>

namespace bdq {
namespace {

c10::CachingDeviceAllocator::DeviceStats statsOf(c10::Device device) {
    return c10::getDeviceAllocator(device.type())->getDeviceStats(device.index());
}

const c10::CachingAllocator::Stat& total(const c10::CachingAllocator::StatArray& stats) {
    return stats[static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE)];
}

} // namespace

std::uint64_t allocatedDeviceBytes(c10::Device device) {
    if (device.is_cpu()) return 0;
    return static_cast<std::uint64_t>(total(statsOf(device).allocated_bytes).current);
}

std::uint64_t peakDeviceBytes(c10::Device device) {
    if (device.is_cpu()) return 0;
    return static_cast<std::uint64_t>(total(statsOf(device).allocated_bytes).peak);
}

std::uint64_t freeDeviceBytes(c10::Device device) {
    if (device.is_cpu()) return 0;
    const auto stats = statsOf(device);
    const std::int64_t kept = total(stats.reserved_bytes).current - total(stats.allocated_bytes).current;
    const std::size_t unused = c10::getDeviceAllocator(device.type())->getMemoryInfo(device.index()).first;
    return unused + static_cast<std::uint64_t>(kept);
}

} // namespace bdq
