#include "engine/report/text_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace bdq::report {
namespace {

std::string nonFinite(double value) {
    return std::isnan(value) ? "-" : value > 0 ? "inf" : "-inf";
}

template <class... Format> std::string written(double value, Format... format) {
    std::array<char, 400> buffer{}; // the longest double in fixed notation has 309 digits before the point
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format...);
    return error == std::errc() ? std::string(buffer.data(), end) : std::string("-");
}

} // namespace

std::string escapeXml(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (char c : text) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        case '\'':
            out += "&#39;";
            break;
        default:
            if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t')
                out += "\xEF\xBF\xBD";
            else
                out += c;
        }
    }
    return out;
}

std::string escapeMarkdown(std::string_view text) {
    constexpr std::string_view kSpecial = "\\`*_{}[]<>|#~";
    std::string out;
    for (char c : text) {
        if (kSpecial.find(c) != std::string_view::npos) out += '\\';
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return out;
}

std::string escapeCsv(std::string_view text) {
    std::string field;
    if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos)
        field = "'";
    field += text;
    if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
    std::string quoted = "\"";
    for (char c : field)
        quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

std::string formatNumber(double value, int digits) {
    if (!std::isfinite(value)) return nonFinite(value);
    if (value == 0) return "0";
    const double magnitude = std::abs(value);
    constexpr double kLeast = 1e-3;
    constexpr double kMost = 1e6;
    if (magnitude < kLeast || magnitude >= kMost)
        return written(value, std::chars_format::scientific, digits - 1);
    // Rounding may add a digit: 99.95 has three before the point when three are shown.
    const std::string rounded = written(magnitude, std::chars_format::scientific, digits - 1);
    const int before = std::stoi(rounded.substr(rounded.find('e') + 1)) + 1;
    return written(value, std::chars_format::fixed, std::max(0, digits - before));
}

std::string formatDb(double value) {
    return std::isfinite(value) ? written(value, std::chars_format::fixed, 1) : nonFinite(value);
}

std::string formatExact(double value) {
    if (std::isnan(value)) return {};
    return std::isfinite(value) ? written(value) : nonFinite(value);
}

std::string formatCount(std::int64_t value) {
    std::string text = std::to_string(value);
    const std::size_t sign = value < 0 ? 1 : 0;
    for (std::size_t at = text.size(); at > sign + 3;) {
        at -= 3;
        text.insert(at, 1, ',');
    }
    return text;
}

std::string formatBytes(std::uint64_t bytes) {
    constexpr double kMega = 1e6;
    constexpr double kGiga = 1e9;
    const auto value = static_cast<double>(bytes);
    return value >= kGiga ? formatNumber(value / kGiga) + " GB" : formatNumber(value / kMega) + " MB";
}

std::string formatSeconds(double seconds) {
    constexpr double kMinute = 60;
    if (!std::isfinite(seconds)) return "-";
    if (seconds < kMinute) return formatNumber(seconds) + " s";
    const auto whole = static_cast<std::int64_t>(std::llround(seconds));
    const std::int64_t hours = whole / 3600;
    const std::int64_t minutes = whole / 60 % 60;
    if (hours > 0) return std::to_string(hours) + " h " + std::to_string(minutes) + " min";
    return std::to_string(minutes) + " min " + std::to_string(whole % 60) + " s";
}

} // namespace bdq::report
