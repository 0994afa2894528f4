#include "engine/model/torch_guard.h"

#include <filesystem>
#include <new>
#include <string>

#include <c10/util/Exception.h>
#include <c10/util/Logging.h>

namespace bdq {
namespace {

std::string firstLine(std::string text) {
    return text.substr(0, text.find('\n'));
}

} // namespace

void throwOnFailedAllocation() {
    FLAGS_caffe2_use_fatal_for_enforce = false;
}

Error errorFromException(const std::exception& exception) {
    if (dynamic_cast<const c10::OutOfMemoryError*>(&exception) != nullptr)
        return {ErrorCode::DeviceOom,
                "out of device memory: " + firstLine(exception.what()) +
                    " Use fewer or shorter sequences, or --device cpu.",
                {}};
    if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr)
        return {ErrorCode::HostOom, "out of host memory: use fewer or shorter calibration sequences", {}};
    if (const auto* found = dynamic_cast<const std::filesystem::filesystem_error*>(&exception)) {
        const std::string path = found->path1().string();
        return {ErrorCode::Io, (path.empty() ? "a path" : path) + ": " + found->code().message(), {}};
    }
    const std::string what = firstLine(exception.what());
    // The CPU allocator reports exhaustion as a plain c10::Error.
    if (what.find("DefaultCPUAllocator") != std::string::npos)
        return {ErrorCode::HostOom, "out of host memory: " + what, {}};
    return {ErrorCode::Internal, "libtorch: " + what, {}};
}

} // namespace bdq
