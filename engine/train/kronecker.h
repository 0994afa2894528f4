// Sizes of the two factors of FlatQuant's Kronecker transform.
#pragma once

#include <cstdint>

namespace bdq::train {

/// Orders of P1 (left) and P2 (right), left <= right, left * right = n.
struct KroneckerSizes {
    std::int64_t left = 1;
    std::int64_t right = 1;
    bool operator==(const KroneckerSizes&) const = default;
};

/// Fermat factorisation as FlatQuant's released code: the pair of equal parity closest to a square
/// (design/transforms.md 3.2). For n = 2 mod 4 no such pair exists and the released code does not terminate:
/// there, the pair closest to a square of any parity. n >= 1.
KroneckerSizes kroneckerSizes(std::int64_t n);

} // namespace bdq::train
