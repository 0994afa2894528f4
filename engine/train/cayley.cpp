#include "engine/train/cayley.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

namespace bdq::train {

at::Tensor skewOf(const at::Tensor& free) {
    const at::Tensor lower = free.tril(-1);
    return lower - lower.transpose(-1, -2);
}

at::Tensor cayley(const at::Tensor& skew) {
    const at::Tensor s = skew.to(at::kDouble);
    const at::Tensor one = at::eye(s.size(-1), s.options().requires_grad(false));
    // Without check_errors: reading the error code would wait for the device in every step.
    return std::get<0>(at::linalg_solve_ex(one + s, one - s));
}

at::Tensor randomOrthogonal(std::int64_t k, std::uint64_t seed) {
    at::Generator generator = at::detail::createCPUGenerator(seed);
    const at::Tensor gaussian = at::randn({k, k}, generator, at::TensorOptions().dtype(at::kDouble));
    const auto [q, r] = at::linalg_qr(gaussian);
    return q * r.diagonal().sign();
}

} // namespace bdq::train
