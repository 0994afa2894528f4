#include "engine/cli/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <limits>
#include <sstream>

namespace bdq::cli {
namespace {

/// Code points, so that "→" counts as one column.
std::size_t widthOf(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

bool looksNumeric(const std::string& text) {
    if (text.empty()) return false;
    const bool sign = text.front() == '-' || text.front() == '+';
    return text == "-" || (text.size() > (sign ? 1u : 0u) &&
                           std::isdigit(static_cast<unsigned char>(text[sign ? 1 : 0])) != 0);
}

} // namespace

std::string TextTable::render(const std::string& indent) const {
    std::vector<std::size_t> widths;
    std::vector<bool> numeric;
    for (const auto& row : m_rows) {
        widths.resize(std::max(widths.size(), row.size()), 0);
        numeric.resize(widths.size(), m_rows.size() > 1);
        for (std::size_t column = 0; column < row.size(); ++column) {
            widths[column] = std::max(widths[column], widthOf(row[column]));
            if (&row != &m_rows.front() && !looksNumeric(row[column])) numeric[column] = false;
        }
    }
    std::string text;
    for (const auto& row : m_rows) {
        std::string line = indent;
        for (std::size_t column = 0; column < row.size(); ++column) {
            const std::string padding(widths[column] - widthOf(row[column]), ' ');
            line +=
                (column == 0 ? "" : "  ") + (numeric[column] ? padding + row[column] : row[column] + padding);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    }
    return text;
}

std::string endLine(std::string text) {
    if (text.empty() || text.back() != '\n') text += '\n';
    return text;
}

std::string wrapLines(const std::string& text, std::size_t width) {
    std::string wrapped;
    std::istringstream lines(text);
    std::string line;
    while (std::getline(lines, line)) {
        const std::string indent(
            line.find_first_not_of(' ') == std::string::npos ? 0 : line.find_first_not_of(' ') + 2, ' ');
        while (line.size() > width) {
            const std::size_t blank = line.rfind(' ', width);
            if (blank == std::string::npos || blank < indent.size()) break;
            wrapped += line.substr(0, blank) + '\n';
            line = indent + line.substr(blank + 1);
        }
        wrapped += line + '\n';
    }
    return wrapped;
}

std::string formatNumber(double value, int decimals) {
    if (std::isnan(value)) return "-";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    std::array<char, 400> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, value);
    return buffer.data();
}

double sortKey(double value) {
    return std::isnan(value) ? std::numeric_limits<double>::infinity() : value;
}

std::string formatShort(double value) {
    if (std::isnan(value)) return "-";
    std::array<char, 64> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%.4g", value);
    return buffer.data();
}

std::string formatPerplexity(double perplexity, int digits) {
    constexpr double kReadable = 1e6;
    if (!std::isfinite(perplexity) || perplexity <= 0 || perplexity >= kReadable)
        return formatShort(perplexity);
    const int before = static_cast<int>(std::floor(std::log10(perplexity))) + 1;
    if (before <= digits) return formatNumber(perplexity, digits - before);
    // Digits before the point are not dropped but rounded to as many as mean something.
    const double unit = std::pow(10.0, before - digits);
    return formatNumber(std::round(perplexity / unit) * unit, 0);
}

std::string formatBytes(std::uint64_t bytes) {
    constexpr std::array kUnits{"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 999.95 && unit + 1 < kUnits.size(); ++unit)
        value /= 1000;
    return formatNumber(value, unit == 0 ? 0 : 1) + " " + kUnits[unit];
}

std::string formatCount(std::int64_t count) {
    std::string text = std::to_string(count);
    const std::ptrdiff_t first = count < 0 ? 1 : 0;
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > first; at -= 3)
        text.insert(static_cast<std::size_t>(at), ",");
    return text;
}

std::string formatDuration(double seconds) {
    const auto whole = static_cast<long>(std::llround(std::max(0.0, seconds)));
    std::array<char, 64> buffer{};
    if (whole < 60)
        std::snprintf(buffer.data(), buffer.size(), "%ld s", whole);
    else if (whole < 3600)
        std::snprintf(buffer.data(), buffer.size(), "%ld:%02ld", whole / 60, whole % 60);
    else
        std::snprintf(buffer.data(), buffer.size(), "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60,
                      whole % 60);
    return buffer.data();
}

} // namespace bdq::cli
