#include "widgets/plots/decimate.h"

#include <algorithm>

namespace bdq {

std::vector<std::size_t> decimate(const std::vector<double>& values, std::size_t budget) {
    const std::size_t count = values.size();
    std::vector<std::size_t> kept;
    if (count <= budget) {
        kept.resize(count);
        for (std::size_t i = 0; i < count; ++i)
            kept[i] = i;
        return kept;
    }
    const std::size_t buckets = (budget - 2) / 2;
    kept.push_back(0);
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
        const auto begin = values.begin() + static_cast<std::ptrdiff_t>(1 + bucket * (count - 2) / buckets);
        const auto end =
            values.begin() + static_cast<std::ptrdiff_t>(1 + (bucket + 1) * (count - 2) / buckets);
        const auto [low, high] = std::minmax_element(begin, end);
        const auto [first, second] = std::minmax(low, high);
        kept.push_back(static_cast<std::size_t>(first - values.begin()));
        if (second != first) kept.push_back(static_cast<std::size_t>(second - values.begin()));
    }
    kept.push_back(count - 1);
    return kept;
}

} // namespace bdq
