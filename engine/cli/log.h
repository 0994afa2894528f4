// Messages on stderr, "bdq: error: ...". The library behind it stays in log.cpp: its formatting headers and
// libtorch's must not meet in one unit (design/product.md 3).
#pragma once

#include <string>

namespace bdq::cli {

/// Worker processes add the time of day, which makes their log useful beside the window's.
void logWithTime();

void logInfo(const std::string& message);
void logWarning(const std::string& message);
void logError(const std::string& message);

} // namespace bdq::cli
