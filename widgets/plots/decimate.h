// Reduction of a curve to a point budget that keeps every extreme value (outliers must survive).
#pragma once

#include <cstddef>
#include <vector>

namespace bdq {

/// Indices of at most `budget` (>= 4) points of `values`, ascending: per bucket its smallest and its largest
/// value, and always the first and the last point. All indices when there are no more than `budget`.
std::vector<std::size_t> decimate(const std::vector<double>& values, std::size_t budget);

} // namespace bdq
