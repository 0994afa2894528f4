// Numbers and tables for people.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bdq::cli {

/// Columns of text: the first row is the heading. Cells that begin like numbers are aligned to the right.
class TextTable {
public:
    explicit TextTable(std::vector<std::string> heading) { m_rows.push_back(std::move(heading)); }
    void add(std::vector<std::string> row) { m_rows.push_back(std::move(row)); }
    /// Without the heading.
    [[nodiscard]] std::size_t rows() const { return m_rows.size() - 1; }
    [[nodiscard]] std::string render(const std::string& indent = "  ") const;

private:
    std::vector<std::vector<std::string>> m_rows;
};

/// The text with exactly the line break at its end that was missing, if it was.
std::string endLine(std::string text);
/// Breaks lines longer than `width` at blanks; what follows is indented by two more than its line.
std::string wrapLines(const std::string& text, std::size_t width);

/// Fixed decimals; "inf", "-" for infinity and NaN.
std::string formatNumber(double value, int decimals);
/// For sorting by a figure: one that has no value (NaN, a site of zeros) comes last.
double sortKey(double value);
/// Four significant digits in whatever notation is shorter.
std::string formatShort(double value);
/// Significant digits, in fixed notation where that can be read (below 1e6): 24.15, 1204, 27470.
std::string formatPerplexity(double perplexity, int digits = 4);
/// "98.4 MB": powers of 1000, as file managers count.
std::string formatBytes(std::uint64_t bytes);
/// 134515008 -> "134,515,008".
std::string formatCount(std::int64_t count);
/// "4 s", "2:13", "1:02:03".
std::string formatDuration(double seconds);

} // namespace bdq::cli
