// Scales of plots: range of the data, ticks, mapping to pixels.
#pragma once

#include <string>
#include <vector>

#include "engine/report/svg_plot.h"

namespace bdq::report {

struct Tick {
    double value = 0;
    std::string label;
};

/// Maps data to pixels on one axis.
class Scale {
public:
    /// `values` may hold non-finite entries. valid() is false when none can be drawn.
    Scale(const Axis& axis, const std::vector<double>& values);
    [[nodiscard]] bool valid() const { return m_valid; }
    [[nodiscard]] bool canDraw(double value) const;
    /// 0 at the low end, 1 at the high end.
    [[nodiscard]] double position(double value) const;
    [[nodiscard]] std::vector<Tick> ticks() const;

private:
    [[nodiscard]] double toLinear(double value) const;

    bool m_logarithmic;
    bool m_integers;
    bool m_valid = false;
    double m_low = 0; ///< in linear units: log10 of the data on a logarithmic axis
    double m_high = 1;
};

} // namespace bdq::report
