#include "engine/cli/log.h"

#include <memory>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace bdq::cli {
namespace {

spdlog::logger& logger() {
    static const std::shared_ptr<spdlog::logger> instance = [] {
        auto made =
            std::make_shared<spdlog::logger>("bdq", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_pattern("bdq: %l: %v");
        made->flush_on(spdlog::level::trace);
        return made;
    }();
    return *instance;
}

} // namespace

void logWithTime() {
    logger().set_pattern("%H:%M:%S.%e bdq: %l: %v");
}

void logInfo(const std::string& message) {
    logger().log(spdlog::level::info, message);
}
void logWarning(const std::string& message) {
    logger().log(spdlog::level::warn, message);
}
void logError(const std::string& message) {
    logger().log(spdlog::level::err, message);
}

} // namespace bdq::cli
