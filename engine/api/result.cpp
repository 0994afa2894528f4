#include "engine/api/result.h"

#include <array>

namespace bdq {
namespace {

struct CodeRow {
    ErrorCode code;
    std::string_view name;
    int exitCode;
};

constexpr std::array kCodes{
    CodeRow{ErrorCode::InvalidSpec, "invalid_spec", 2},
    CodeRow{ErrorCode::NotFound, "not_found", 3},
    CodeRow{ErrorCode::Io, "io", 3},
    CodeRow{ErrorCode::DiskFull, "disk_full", 3},
    CodeRow{ErrorCode::BadFormat, "bad_format", 3},
    CodeRow{ErrorCode::Unsupported, "unsupported", 4},
    CodeRow{ErrorCode::ShapeMismatch, "shape_mismatch", 3},
    CodeRow{ErrorCode::MissingCalibration, "missing_calibration", 3},
    CodeRow{ErrorCode::NonFinite, "non_finite", 1},
    CodeRow{ErrorCode::DeviceOom, "device_oom", 5},
    CodeRow{ErrorCode::HostOom, "host_oom", 5},
    CodeRow{ErrorCode::Cancelled, "cancelled", 130},
    CodeRow{ErrorCode::Protocol, "protocol", 1},
    CodeRow{ErrorCode::WorkerCrashed, "worker_crashed", 1},
    CodeRow{ErrorCode::Internal, "internal", 1},
};

} // namespace

std::string_view errorCodeName(ErrorCode code) {
    for (const CodeRow& row : kCodes)
        if (row.code == code) return row.name;
    return "internal";
}

ErrorCode errorCodeFromName(std::string_view name) {
    for (const CodeRow& row : kCodes)
        if (row.name == name) return row.code;
    return ErrorCode::Internal;
}

int exitCodeFor(ErrorCode code) {
    for (const CodeRow& row : kCodes)
        if (row.code == code) return row.exitCode;
    return 1;
}

} // namespace bdq
