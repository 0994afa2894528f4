#include "engine/cli/exception_guard.h"

namespace bdq::cli {

Error errorOfException(const std::exception& exception) {
    if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr)
        return {ErrorCode::HostOom, "out of host memory", {}};
    if (const auto* found = dynamic_cast<const std::filesystem::filesystem_error*>(&exception)) {
        const std::string path = found->path1().string();
        return {ErrorCode::Io, (path.empty() ? "a path" : path) + ": " + found->code().message(), {}};
    }
    return {ErrorCode::Internal, std::string("unexpected: ") + exception.what(), {}};
}

} // namespace bdq::cli
