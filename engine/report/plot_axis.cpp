#include "engine/report/plot_axis.h"

#include <algorithm>
#include <cmath>

#include "engine/report/text_format.h"

namespace bdq::report {
namespace {

constexpr int kWantedTicks = 6;

/// 1, 2 or 5 times a power of ten, at least span / kWantedTicks.
double niceStep(double span) {
    const double rough = span / kWantedTicks;
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    for (double factor : {1.0, 2.0, 5.0})
        if (factor * power >= rough * (1 - 1e-9)) return factor * power;
    return 10 * power;
}

std::string powerLabel(double exponent) {
    constexpr double kPlain = 3;
    const double value = std::pow(10.0, exponent);
    return std::abs(exponent) <= kPlain ? formatNumber(value, 1)
                                        : "1e" + std::to_string(std::lround(exponent));
}

/// "20", "2.5": no zeros after the last digit that matters.
std::string plainLabel(double value) {
    std::string text = formatNumber(value, 4);
    if (text.find('e') != std::string::npos || text.find('.') == std::string::npos) return text;
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

/// 1, 2 and 5 times the powers of ten within the range, for ranges that hold hardly a power of ten.
std::vector<Tick> fineLogarithmicTicks(double low, double high) {
    std::vector<Tick> ticks;
    for (double power = std::floor(low); power <= high; ++power)
        for (double factor : {1.0, 2.0, 5.0}) {
            const double value = factor * std::pow(10.0, power);
            if (std::log10(value) >= low && std::log10(value) <= high)
                ticks.push_back({value, plainLabel(value)});
        }
    return ticks;
}

} // namespace

Scale::Scale(const Axis& axis, const std::vector<double>& values)
    : m_logarithmic(axis.logarithmic), m_integers(axis.integers) {
    double low = INFINITY;
    double high = -INFINITY;
    for (double value : values) {
        if (!canDraw(value)) continue;
        low = std::min(low, toLinear(value));
        high = std::max(high, toLinear(value));
    }
    m_valid = low <= high;
    if (!m_valid) return;
    const double span = high - low;
    const double room = span > 0 ? 0.04 * span : std::max(0.5, 0.1 * std::abs(low));
    const bool fromZero = !m_logarithmic && low >= 0 && low < 0.5 * high;
    m_low = fromZero ? 0.0 : low - room;
    m_high = high + room;
}

bool Scale::canDraw(double value) const {
    return std::isfinite(value) && (!m_logarithmic || value > 0);
}

double Scale::toLinear(double value) const {
    return m_logarithmic ? std::log10(value) : value;
}

double Scale::position(double value) const {
    return (toLinear(value) - m_low) / (m_high - m_low);
}

std::vector<Tick> Scale::ticks() const {
    constexpr double kFewDecades = 2.5;
    if (m_logarithmic && m_high - m_low < kFewDecades) return fineLogarithmicTicks(m_low, m_high);
    double step = niceStep(m_high - m_low);
    if (m_logarithmic || m_integers) step = std::max(1.0, std::ceil(step - 1e-9));
    std::vector<Tick> result;
    for (double at = std::ceil(m_low / step) * step; at <= m_high + 1e-9 * step; at += step) {
        const double clean = std::abs(at) < 1e-9 * step ? 0.0 : at;
        if (m_logarithmic)
            result.push_back({std::pow(10.0, clean), powerLabel(clean)});
        else
            result.push_back({clean, plainLabel(clean)});
    }
    return result;
}

} // namespace bdq::report
