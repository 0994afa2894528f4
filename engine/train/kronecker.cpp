#include "engine/train/kronecker.h"

#include <cmath>

namespace bdq::train {

KroneckerSizes kroneckerSizes(std::int64_t n) {
    // left = a - b, right = a + b with a^2 - n = b^2: a grows as left shrinks, so the first left from sqrt(n)
    // down that divides n with a partner of the same parity is Fermat's.
    const bool anyParity = n % 4 == 2;
    auto left = static_cast<std::int64_t>(std::sqrt(static_cast<double>(n)));
    while (left * left > n)
        --left;
    for (; left > 1; --left)
        if (n % left == 0 && (anyParity || (n / left - left) % 2 == 0)) return {left, n / left};
    return {1, n};
}

} // namespace bdq::train
