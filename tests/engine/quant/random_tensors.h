// Seeded test data.
#pragma once

#include <cstdint>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

namespace bdq::test {

inline at::Tensor normal(at::IntArrayRef sizes, std::uint64_t seed, at::ScalarType type = at::kFloat) {
    at::Generator generator = at::detail::createCPUGenerator(seed);
    return at::randn(sizes, generator, at::TensorOptions().dtype(type));
}

/// Rows whose channels differ by factors up to about e^3, as activations with outlier channels.
inline at::Tensor outliers(std::int64_t rows, std::int64_t n, std::uint64_t seed,
                           at::ScalarType type = at::kFloat) {
    return normal({rows, n}, seed, type) * normal({n}, seed + 1, type).exp();
}

} // namespace bdq::test
