// Error type and Result<T>, used at every module boundary of the engine.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace bdq {

/// What went wrong, as a closed set: user interfaces choose exit codes and advice from it, never from the
/// message.
enum class ErrorCode {
    InvalidSpec,        ///< an option or job description is wrong
    NotFound,           ///< a file or folder does not exist
    Io,                 ///< reading or writing failed
    DiskFull,           ///< no space left while writing
    BadFormat,          ///< a file is truncated, hostile or not what it says
    Unsupported,        ///< well-formed, but this version cannot do it
    ShapeMismatch,      ///< a tensor does not have the expected shape
    MissingCalibration, ///< calibration text is missing or too short
    NonFinite,          ///< NaN or infinity where a number is needed
    DeviceOom,          ///< out of device memory
    HostOom,            ///< out of host memory
    Cancelled,          ///< the user stopped it; not an error in user interfaces
    Protocol,           ///< the worker said something that cannot be understood
    WorkerCrashed,      ///< the worker process ended without a terminal event
    Internal            ///< a bug of ours
};

/// snake_case name used in JSON, e.g. "bad_format".
std::string_view errorCodeName(ErrorCode code);
/// Inverse of errorCodeName; unknown names give Internal.
ErrorCode errorCodeFromName(std::string_view name);
/// Exit code of the command line (README, "Command line"): 1 failed, 2 usage, 3 bad input, 4 unsupported, 5
/// out of memory, 130 cancelled.
int exitCodeFor(ErrorCode code);

/// One failure. `message` says what, which object, what was found and what was expected; `context` is where
/// it happened from the outside in ("layer 3, site down"), added to by each layer that passes the error on.
struct Error {
    ErrorCode code = ErrorCode::Internal;
    std::string message;
    std::string context;

    /// Message with its context, as shown to users.
    [[nodiscard]] std::string text() const { return context.empty() ? message : context + ": " + message; }
};

template <class T> using Result = tl::expected<T, Error>;
/// A Result that carries nothing on success.
using Status = Result<void>;

/// `return fail(ErrorCode::Io, "...")` from any function that returns a Result.
[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
    return tl::unexpected<Error>(Error{code, std::move(message), {}});
}

/// Passes an error on with one more piece of context in front.
[[nodiscard]] inline tl::unexpected<Error> passOn(Error error, std::string_view context = {}) {
    if (!context.empty())
        error.context =
            error.context.empty() ? std::string(context) : std::string(context) + ", " + error.context;
    return tl::unexpected<Error>(std::move(error));
}

} // namespace bdq

/// `BDQ_TRY(auto x, f());` binds the value of f() or returns its error from the enclosing function.
#define BDQ_CONCAT_INNER(a, b) a##b
#define BDQ_CONCAT(a, b) BDQ_CONCAT_INNER(a, b)
#define BDQ_TRY(declaration, expression)                                                                     \
    auto BDQ_CONCAT(bdqResult, __LINE__) = (expression);                                                     \
    if (!BDQ_CONCAT(bdqResult, __LINE__))                                                                    \
        return ::bdq::passOn(std::move(BDQ_CONCAT(bdqResult, __LINE__)).error());                            \
    declaration = std::move(BDQ_CONCAT(bdqResult, __LINE__)).value()
/// `BDQ_CHECK(f());` returns f()'s error from the enclosing function.
#define BDQ_CHECK(expression)                                                                                \
    do {                                                                                                     \
        auto bdqStatus = (expression);                                                                       \
        if (!bdqStatus) return ::bdq::passOn(std::move(bdqStatus).error());                                  \
    } while (false)
