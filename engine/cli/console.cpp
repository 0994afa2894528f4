#include "engine/cli/console.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "engine/api/atomic_file.h"
#include "engine/api/results.h"
#include "engine/cli/event_log.h"
#include "engine/cli/log.h"

namespace bdq::cli {

Status Console::print(std::string_view text) {
    return writeAll(m_outFd, text, "stdout");
}

int Console::report(const Error& error, bool json) {
    std::string line = error.text();
    std::replace(line.begin(), line.end(), '\n', ' ');
    if (error.code == ErrorCode::Cancelled)
        logInfo(line);
    else
        logError(line);
    if (json) {
        if (Status printed = print(errorJson(error)); !printed) logError(printed.error().text());
    }
    return exitCodeFor(error.code);
}

Status checkOutput(const std::string& file, bool json) {
    if (file != kStandardOutput || !json) return {};
    return fail(ErrorCode::InvalidSpec,
                "--out: found \"-\" (standard output), which --json prints its object on; expected a file");
}

Status writeOutput(Console& console, const std::string& file, const std::string& text) {
    return file == kStandardOutput ? console.print(text) : writeFileAtomically(file, text);
}

std::string errorJson(const Error& error) {
    nlohmann::ordered_json object;
    object["schema"] = kResultSchema;
    object["status"] = error.code == ErrorCode::Cancelled ? "cancelled" : "failed";
    object["error"] = {
        {"code", errorCodeName(error.code)}, {"message", error.message}, {"context", error.context}};
    return object.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

} // namespace bdq::cli
