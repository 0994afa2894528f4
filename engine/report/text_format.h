// Numbers and text for reports. Independent of the locale: the same result gives the same report everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bdq::report {

/// For text and attribute values of HTML and SVG; control characters that XML forbids become U+FFFD.
std::string escapeXml(std::string_view text);
/// For a cell of a Markdown table.
std::string escapeMarkdown(std::string_view text);
/// A quoted CSV field when needed. Text that a spreadsheet would run as a formula gets a leading apostrophe.
std::string escapeCsv(std::string_view text);

/// `digits` significant digits, scientific outside 1e-3..1e6; "-" for NaN, "inf" and "-inf".
std::string formatNumber(double value, int digits = 3);
/// One decimal.
std::string formatDb(double value);
/// Shortest text that reads back to the same double; empty for NaN.
std::string formatExact(double value);
/// "304,978"
std::string formatCount(std::int64_t value);
/// "71.2 MB" (10^6)
std::string formatBytes(std::uint64_t bytes);
/// "3 min 12 s", "4.21 s"
std::string formatSeconds(double seconds);

} // namespace bdq::report
