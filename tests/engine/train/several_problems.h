// What a training reaches on several problems drawn at random. One run goes one way or another with the last
// bit of a kernel, so no test may rest on one; the mean over problems has a standard error that says what it
// is worth.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <ostream>
#include <vector>

namespace bdq::test {

inline constexpr int kProblems = 8;
/// Of trainings that change nothing the mean lies this many of its standard errors below 0 once in 100 times
/// (Student's t with 7 degrees of freedom); of those here it lies 10 and more below (measured).
inline constexpr double kStandardErrors = 3;

struct Mean {
    double value = 0;
    double standardError = 0;
    [[nodiscard]] bool isBelowZero() const { return value < -kStandardErrors * standardError; }
};
inline std::ostream& operator<<(std::ostream& out, const Mean& mean) {
    return out << mean.value << " +- " << mean.standardError;
}

/// How much lower the last four losses of a training are than its first, as a logarithm. For trainings whose
/// every step sees all sequences: then a step's loss does not depend on which were drawn.
inline double lossChange(const std::vector<double>& losses) {
    constexpr std::ptrdiff_t kLast = 4;
    return std::log(std::accumulate(losses.end() - kLast, losses.end(), 0.0) / (kLast * losses.front()));
}

/// Mean of valueOf(seed) over kProblems seeds, which are a thousand apart.
inline Mean meanOverProblems(const std::function<double(std::uint64_t)>& valueOf) {
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < kProblems; ++i) {
        const double value = valueOf(1000 * static_cast<std::uint64_t>(i));
        sum += value;
        squares += value * value;
    }
    const double mean = sum / kProblems;
    const double variance = (squares - kProblems * mean * mean) / (kProblems - 1);
    return {mean, std::sqrt(variance / kProblems)};
}

} // namespace bdq::test
