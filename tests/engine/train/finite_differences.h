// Gradients of trainable parts against central differences.
#pragma once

#include <cmath>
#include <functional>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "tests/engine/quant/random_tensors.h"

namespace bdq::test {

// Central differences with step h have error h^2 f'''/6 + eps |f| / h: about 1e-9 relative for h = 1e-5 in
// fp64.
constexpr double kStep = 1e-5;
constexpr double kGradient = 1e-6;

/// Compares the derivative of `loss` in `directions` random directions of every parameter (fp64 leaves) with
/// central differences.
inline void expectGradients(const std::vector<at::Tensor>& parameters,
                            const std::function<at::Tensor()>& loss, int directions = 6) {
    ASSERT_FALSE(parameters.empty());
    for (at::Tensor parameter : parameters)
        parameter.mutable_grad() = at::Tensor();
    loss().backward();
    std::uint64_t seed = 900;
    for (at::Tensor parameter : parameters) {
        ASSERT_TRUE(parameter.grad().defined());
        for (int i = 0; i < directions; ++i) {
            const at::Tensor direction = normal(parameter.sizes(), ++seed, at::kDouble);
            const auto at = [&](double step) {
                const c10::NoGradGuard noGrad;
                parameter.add_(direction, step);
                const auto value = loss().item<double>();
                parameter.add_(direction, -step);
                return value;
            };
            const double expected = (at(kStep) - at(-kStep)) / (2 * kStep);
            const auto found = (parameter.grad() * direction).sum().item<double>();
            const double scale = parameter.grad().norm().item<double>() * direction.norm().item<double>();
            // A parameter without effect (the 1 x 1 rotation) has a gradient of exactly 0.
            EXPECT_LE(std::abs(found - expected), kGradient * scale) << found << " " << expected;
        }
    }
}

} // namespace bdq::test
