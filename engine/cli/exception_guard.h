// No exception leaves us: what the standard library throws becomes an error like any other.
#pragma once

#include <exception>
#include <filesystem>
#include <new>
#include <string>

#include "engine/api/result.h"

namespace bdq::cli {

/// HostOom for bad_alloc, Io for the file system's exceptions, else Internal.
Error errorOfException(const std::exception& exception);

/// Runs `work`, which returns a Result, and turns what it throws into its error.
template <class Work> auto guarded(Work&& work) -> decltype(work()) {
    try {
        return work();
    } catch (const std::exception& exception) {
        return tl::unexpected<Error>(errorOfException(exception));
    }
}

} // namespace bdq::cli
