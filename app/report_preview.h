// A report's beginning, short enough to be laid out without blocking the window.
#pragma once

#include <string>
#include <string_view>

namespace bdq {

inline constexpr int kPreviewTableRows = 12;

/// Markdown with every table cut after kPreviewTableRows rows (head and rule counted out); `more` replaces
/// the rest, with
/// "%1" as the number of rows left out. Laying out a table of a thousand rows takes Qt's text engine minutes.
std::string previewOf(std::string_view markdown, const std::string& more);

} // namespace bdq
