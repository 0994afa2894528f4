#include "engine/report/svg_plot.h"

#include <array>
#include <charconv>
#include <cmath>
#include <iterator>

#include "engine/report/plot_axis.h"
#include "engine/report/text_format.h"

namespace bdq::report {
namespace {

constexpr int kLeft = 62;
constexpr int kRight = 14;
constexpr int kTop = 12;
constexpr int kBottom = 44;
constexpr int kLegendLine = 18;
constexpr double kCharacterWidth = 6.6; // of 12 px text, for placing the legend only

/// Pixels with one decimal: enough, and half the size of the file.
std::string px(double value) {
    std::array<char, 64> buffer{};
    const auto [end, error] =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, 1);
    return error == std::errc() ? std::string(buffer.data(), end) : "0";
}

std::string textAt(double x, double y, std::string_view anchor, std::string_view text,
                   std::string_view more = {}) {
    return "<text x=\"" + px(x) + "\" y=\"" + px(y) + "\" text-anchor=\"" + std::string(anchor) + "\"" +
           std::string(more) + ">" + escapeXml(text) + "</text>";
}

std::string lineFrom(double x1, double y1, double x2, double y2, std::string_view more) {
    return "<line x1=\"" + px(x1) + "\" y1=\"" + px(y1) + "\" x2=\"" + px(x2) + "\" y2=\"" + px(y2) + "\"" +
           std::string(more) + "/>";
}

std::string markerShape(Marker marker, double x, double y) {
    constexpr double r = 3.4;
    switch (marker) {
    case Marker::None:
        return {};
    case Marker::Circle:
        return "<circle cx=\"" + px(x) + "\" cy=\"" + px(y) + "\" r=\"" + px(r) + "\"";
    case Marker::Square:
        return "<rect x=\"" + px(x - r) + "\" y=\"" + px(y - r) + "\" width=\"" + px(2 * r) + "\" height=\"" +
               px(2 * r) + "\"";
    case Marker::Triangle:
        return "<path d=\"M" + px(x) + " " + px(y - r) + "L" + px(x + r) + " " + px(y + r) + "L" + px(x - r) +
               " " + px(y + r) + "Z\"";
    case Marker::Diamond:
        return "<path d=\"M" + px(x) + " " + px(y - r) + "L" + px(x + r) + " " + px(y) + "L" + px(x) + " " +
               px(y + r) + "L" + px(x - r) + " " + px(y) + "Z\"";
    case Marker::Cross:
        return "<path d=\"M" + px(x - r) + " " + px(y - r) + "L" + px(x + r) + " " + px(y + r) + "M" +
               px(x - r) + " " + px(y + r) + "L" + px(x + r) + " " + px(y - r) + "\"";
    }
    return {};
}

std::string paint(const Series& series) {
    const std::string fill = series.hollow || series.marker == Marker::Cross ? "none" : series.color;
    return " fill=\"" + fill + "\" stroke=\"" + series.color + "\" stroke-width=\"1.2\"";
}

/// Lays out one plot.
class Painter {
public:
    explicit Painter(const Plot& plot)
        : m_plot(plot), m_x(plot.x, plot.diagonal ? both() : all(&Series::x)),
          m_y(plot.y, plot.diagonal ? both() : all(&Series::y)), m_legendLines(legendLines()) {}

    std::string render() const {
        const int height = m_plot.height + kLegendLine * m_legendLines;
        std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 " +
                          std::to_string(m_plot.width) + " " + std::to_string(height) + "\" width=\"" +
                          std::to_string(m_plot.width) + "\" height=\"" + std::to_string(height) +
                          "\" font-family=\"sans-serif\" font-size=\"12\" fill=\"currentColor\"><title>" +
                          escapeXml(m_plot.title) + "</title><desc>" + escapeXml(m_plot.description) +
                          "</desc>";
        if (!m_x.valid() || !m_y.valid())
            return out +
                   textAt(m_plot.width / 2.0, m_plot.height / 2.0, "middle", "no finite values to draw") +
                   "</svg>";
        out += axes();
        if (m_plot.diagonal) out += diagonal();
        for (const Series& series : m_plot.series)
            out += drawn(series);
        return out + legend() + "</svg>";
    }

private:
    std::vector<double> all(std::vector<double> Series::*member) const {
        std::vector<double> values;
        for (const Series& series : m_plot.series)
            values.insert(values.end(), (series.*member).begin(), (series.*member).end());
        return values;
    }
    std::vector<double> both() const {
        std::vector<double> values = all(&Series::x);
        const std::vector<double> more = all(&Series::y);
        values.insert(values.end(), more.begin(), more.end());
        return values;
    }

    [[nodiscard]] double top() const { return kTop + kLegendLine * m_legendLines; }
    [[nodiscard]] double bottom() const { return top() + m_plot.height - kTop - kBottom; }
    [[nodiscard]] double right() const { return m_plot.width - kRight; }
    [[nodiscard]] double xOf(double value) const { return kLeft + m_x.position(value) * (right() - kLeft); }
    [[nodiscard]] double yOf(double value) const {
        return bottom() - m_y.position(value) * (bottom() - top());
    }
    static double legendWidth(const Series& series) {
        return 42 + kCharacterWidth * static_cast<double>(series.name.size());
    }
    [[nodiscard]] int legendLines() const {
        int lines = 1;
        double at = kLeft;
        for (const Series& series : m_plot.series) {
            if (at > kLeft && at + legendWidth(series) > right()) {
                ++lines;
                at = kLeft;
            }
            at += legendWidth(series);
        }
        return lines;
    }

    [[nodiscard]] std::string axes() const {
        const std::string_view grid = " stroke=\"currentColor\" stroke-opacity=\"0.15\"";
        std::string out = "<g class=\"axes\">";
        for (const Tick& tick : m_x.ticks()) {
            out += lineFrom(xOf(tick.value), top(), xOf(tick.value), bottom(), grid);
            out += textAt(xOf(tick.value), bottom() + 16, "middle", tick.label);
        }
        for (const Tick& tick : m_y.ticks()) {
            out += lineFrom(kLeft, yOf(tick.value), right(), yOf(tick.value), grid);
            out += textAt(kLeft - 6, yOf(tick.value) + 4, "end", tick.label);
        }
        out += textAt((kLeft + right()) / 2, bottom() + 36, "middle", m_plot.x.title);
        const double middle = (top() + bottom()) / 2;
        out +=
            textAt(14, middle, "middle", m_plot.y.title, " transform=\"rotate(-90 14 " + px(middle) + ")\"");
        return out + "</g>";
    }

    [[nodiscard]] std::string diagonal() const {
        return lineFrom(kLeft, bottom(), right(), top(),
                        " stroke=\"currentColor\" stroke-opacity=\"0.5\" stroke-dasharray=\"4 4\"");
    }

    [[nodiscard]] std::string legend() const {
        std::string out = "<g class=\"legend\">";
        double at = kLeft;
        double y = 14;
        for (const Series& series : m_plot.series) {
            if (at > kLeft && at + legendWidth(series) > right()) {
                at = kLeft;
                y += kLegendLine;
            }
            if (series.line)
                out += lineFrom(at, y - 4, at + 20, y - 4,
                                " stroke=\"" + series.color + "\" stroke-width=\"2\" stroke-dasharray=\"" +
                                    (series.dash.empty() ? "none" : series.dash) + "\"");
            if (series.marker != Marker::None)
                out += markerShape(series.marker, at + 10, y - 4) + paint(series) + "/>";
            out += textAt(at + 25, y, "start", series.name);
            at += legendWidth(series);
        }
        return out + "</g>";
    }

    [[nodiscard]] std::string drawn(const Series& series) const {
        std::string path;
        std::string points;
        bool pen = false;
        double lastX = 0;
        double firstX = 0;
        const std::size_t count = std::min(series.x.size(), series.y.size());
        for (std::size_t i = 0; i < count; ++i) {
            if (!m_x.canDraw(series.x[i]) || !m_y.canDraw(series.y[i])) {
                if (pen && series.area) path += closing(firstX, lastX);
                pen = false;
                continue;
            }
            const double x = xOf(series.x[i]);
            const double y = yOf(series.y[i]);
            if (!pen) firstX = x;
            if (!pen && series.area)
                path += "M" + px(x) + " " + px(bottom()) + "L" + px(x) + " " + px(y);
            else
                path += (pen ? "L" : "M") + px(x) + " " + px(y);
            pen = true;
            lastX = x;
            points += point(series, i, x, y);
        }
        if (pen && series.area) path += closing(firstX, lastX);
        return "<g>" + (series.line ? pathElement(series, path) : std::string()) + points + "</g>";
    }

    [[nodiscard]] std::string closing(double firstX, double lastX) const {
        return "L" + px(lastX) + " " + px(bottom()) + "L" + px(firstX) + " " + px(bottom()) + "Z";
    }

    static std::string pathElement(const Series& series, const std::string& path) {
        return "<path d=\"" + path + "\" stroke=\"" + series.color + "\" stroke-width=\"1.6\" fill=\"" +
               (series.area ? series.color : "none") + "\" fill-opacity=\"0.18\"" +
               (series.dash.empty() ? "" : " stroke-dasharray=\"" + series.dash + "\"") + "/>";
    }

    static std::string point(const Series& series, std::size_t i, double x, double y) {
        if (series.marker == Marker::None) return {};
        const std::string shape = markerShape(series.marker, x, y) + paint(series);
        if (i >= series.labels.size()) return shape + "/>";
        const std::string_view tag = std::string_view(shape).substr(1, shape.find(' ') - 1);
        return shape + "><title>" + escapeXml(series.labels[i]) + "</title></" + std::string(tag) + ">";
    }

    const Plot& m_plot;
    Scale m_x;
    Scale m_y;
    int m_legendLines;
};

} // namespace

std::string seriesColor(std::size_t i) {
    static const std::array<const char*, 5> kColors{kAfterColor, kFurtherColors[0], kFurtherColors[1],
                                                    kFurtherColors[2], kBeforeColor};
    return kColors[i % kColors.size()];
}

Marker seriesMarker(std::size_t i) {
    static constexpr std::array kMarkers{Marker::Circle, Marker::Square, Marker::Triangle, Marker::Diamond,
                                         Marker::Cross};
    return kMarkers[i % kMarkers.size()];
}

std::string renderSvg(const Plot& plot) {
    return Painter(plot).render();
}

} // namespace bdq::report
