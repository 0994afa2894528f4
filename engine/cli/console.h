// What users see: results on stdout, everything else on stderr.
#pragma once

#include <string>
#include <string_view>

#include "engine/api/result.h"

namespace bdq::cli {

class Console {
public:
    /// `outFd` receives results; `program` goes in front of messages.
    explicit Console(int outFd) : m_outFd(outFd) {}

    [[nodiscard]] int outFd() const { return m_outFd; }
    /// Writes all of `text` to stdout. Errors: Io, DiskFull.
    Status print(std::string_view text);
    /// Reports a failure in one line on stderr, and as a JSON object on stdout when `json`. Returns the exit
    /// code.
    int report(const Error& error, bool json);

private:
    int m_outFd;
};

/// The name that stands for standard output where a file is wanted.
inline constexpr std::string_view kStandardOutput = "-";

/// Errors: InvalidSpec when --out is "-" and stdout belongs to the JSON object of --json.
Status checkOutput(const std::string& file, bool json);
/// Writes `text` to the file, or to stdout for "-". Errors: Io, DiskFull.
Status writeOutput(Console& console, const std::string& file, const std::string& text);

/// {"schema": 1, "status": "failed", "error": {"code", "message", "context"}} with a newline.
std::string errorJson(const Error& error);

} // namespace bdq::cli
