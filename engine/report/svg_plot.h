// Plots as inline SVG: no script, no external file, readable on light and dark pages and on paper.
#pragma once

#include <string>
#include <vector>

namespace bdq::report {

/// Colour-blind-safe palette: before, after, further series.
inline constexpr const char* kBeforeColor = "#7A7A7A";
inline constexpr const char* kAfterColor = "#0072B2";
inline constexpr const char* kFurtherColors[] = {"#D55E00", "#009E73", "#CC79A7"};
/// Colour i of a plot whose series have no before/after meaning; repeats after five.
std::string seriesColor(std::size_t i);

enum class Marker { None, Circle, Square, Triangle, Diamond, Cross };
/// Marker i, so that series differ in more than colour.
Marker seriesMarker(std::size_t i);

/// Points with a non-finite coordinate, or not positive on a logarithmic axis, are left out and break the
/// line.
struct Series {
    std::string name;
    std::string color;
    std::vector<double> x;
    std::vector<double> y;
    std::vector<std::string> labels; ///< tooltip of each point; empty = none
    Marker marker = Marker::None;
    bool line = true;
    bool hollow = false; ///< markers drawn as outlines
    bool area = false;   ///< filled faintly down to the axis
    std::string dash;    ///< SVG dash pattern; empty = solid
};

struct Axis {
    std::string title; ///< with unit
    bool logarithmic = false;
    bool integers = false; ///< ticks on whole numbers only
};

struct Plot {
    std::string title;
    std::string description; ///< for screen readers
    Axis x;
    Axis y;
    std::vector<Series> series;
    bool diagonal = false; ///< y = x line; both axes then share one range
    int width = 640;
    int height = 300;
};

/// One <svg> element. A plot without a single drawable point says so.
std::string renderSvg(const Plot& plot);

} // namespace bdq::report
