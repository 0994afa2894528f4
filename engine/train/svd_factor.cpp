#include "engine/train/svd_factor.h"

#include <ATen/ATen.h>

#include "engine/train/cayley.h"

namespace bdq::train {

SvdFactor::SvdFactor(std::int64_t k, std::uint64_t seed, at::Device device, at::ScalarType type)
    : m_freeU(leaf(randomOrthogonal(k, 2 * seed), device, type)),
      m_freeV(leaf(randomOrthogonal(k, 2 * seed + 1), device, type)),
      m_values(leaf(at::ones({k}, at::kDouble), device, type)) {}

MatrixPair SvdFactor::matrices() const {
    const at::Tensor u = cayley(skewOf(m_freeU) * -0.5);
    const at::Tensor transposedV = cayley(skewOf(m_freeV) * -0.5).t();
    const at::Tensor s = m_values.to(at::kDouble);
    return {at::matmul(u * s, transposedV), at::matmul(u / s, transposedV)};
}

NamedTensors SvdFactor::leaves() const {
    return {{"u", m_freeU}, {"v", m_freeV}, {"s", m_values}};
}

} // namespace bdq::train
