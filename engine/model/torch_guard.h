// libtorch throws; our boundaries return Result. Each stage is wrapped once.
#pragma once

#include <exception>
#include <functional>

#include "engine/api/result.h"

namespace bdq {

/// Error for an exception: DeviceOom for c10's out-of-memory error, HostOom for bad_alloc, Io for the file
/// system's exceptions, else Internal with the first line of the message. Called from a catch block.
Error errorFromException(const std::exception& exception);

/// libtorch aborts the process when the CPU allocator fails unless it is told to throw.
void throwOnFailedAllocation();

/// Runs `stage` (which returns a Result) and turns what libtorch or the standard library throws into its
/// error.
template <class Stage> auto torchGuard(Stage&& stage) -> decltype(stage()) {
    try {
        throwOnFailedAllocation();
        return stage();
    } catch (const std::exception& exception) {
        return tl::unexpected<Error>(errorFromException(exception));
    }
}

} // namespace bdq
