// Optimizers of orthogonal matrices against plain implementations; orthogonality over many steps.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "engine/train/cayley.h"
#include "engine/train/optimizer.h"
#include "engine/train/riemannian_adam.h"
#include "tests/engine/quant/random_tensors.h"
#include "tests/engine/train/matrix_of.h"

namespace bdq::train {
namespace {

using test::largestDifference;
using test::matrixOf;
using test::normal;
using test::orthogonalityError;

constexpr std::int64_t kOrder = 12;
// Products and a solve of order 12 with condition below 10: some 100 roundings of 2^-53, margin 10.
constexpr double kReference = 1e-13;
constexpr double kOrthogonal = 1e-10; ///< demanded of fp64, whatever the number of steps

at::Tensor leafOf(std::uint64_t seed) {
    return randomOrthogonal(kOrder, seed).requires_grad_(true);
}

/// Distance of X to a fixed orthogonal matrix, uneven by rows so that no direction is special.
at::Tensor loss(const at::Tensor& x) {
    const at::Tensor weights = at::arange(1, kOrder + 1, at::kDouble).unsqueeze(1);
    return ((x - randomOrthogonal(kOrder, 99)).square() * weights).sum();
}

TEST(RiemannianAdam, StepsAreThoseOfThePlainImplementation) {
    const at::Tensor x = leafOf(1);
    reference::Matrix expected = matrixOf(x);
    reference::RiemannianAdamReference plain;
    RiemannianAdam optimizer({x}, 0.05);
    for (const double factor : {1.0, 0.5, 0.25}) {
        optimizer.zeroGrad();
        loss(x).backward();
        expected = plain.step(expected, matrixOf(x.grad()), 0.05 * factor);
        optimizer.step(factor);
        EXPECT_LT(largestDifference(x, test::tensorOf(expected)), kReference) << factor;
    }
}

TEST(CayleySgd, FirstStepIsThatOfThePlainImplementation) {
    for (const double rate : {1e-3, 1.5}) { // below and above the bound 1 / |A|
        const at::Tensor x = leafOf(2);
        CayleySgd optimizer({x}, rate);
        loss(x).backward();
        const auto expected = reference::cayleySgdStep(matrixOf(x), matrixOf(x.grad()), rate);
        optimizer.step(1);
        EXPECT_LT(largestDifference(x, test::tensorOf(expected)), kReference) << rate;
    }
}

TEST(RiemannianAdam, StaysOrthogonalAndDescends) {
    const at::Tensor x = leafOf(3);
    const double before = loss(x).item<double>();
    RiemannianAdam optimizer({x}, 0.05);
    for (int i = 0; i < 303; ++i) { // the last steps are between two factorisations
        optimizer.zeroGrad();
        loss(x).backward();
        optimizer.step(1);
        ASSERT_LT(orthogonalityError(x), kOrthogonal) << "step " << i;
    }
    EXPECT_LT(loss(x).item<double>(), 0.5 * before);
}

TEST(RiemannianAdam, MovesByItsRate) {
    // The first step has M / sqrt(v) of length 1 in the canonical metric, whatever the size of the gradient:
    // an angle of 2 atan(s / 2) in each plane, and |X' - X| = sqrt(2) rate for a small rate.
    constexpr double kRate = 1e-4;
    for (const double size : {1e-3, 1e3}) {
        const at::Tensor x = leafOf(4);
        const at::Tensor before = x.detach().clone();
        RiemannianAdam optimizer({x}, kRate);
        (loss(x) * size).backward();
        optimizer.step(1);
        // The retraction bends by rate^2; eps against a gradient of 1e-3 is 1e-5.
        EXPECT_NEAR((x.detach() - before).norm().item<double>(), std::sqrt(2.0) * kRate, 1e-4 * kRate);
    }
}

TEST(RiemannianAdam, BatchesAreIndependent) {
    const at::Tensor one = leafOf(5);
    const at::Tensor other = leafOf(6);
    const at::Tensor both = at::stack({one.detach(), other.detach()}).requires_grad_(true);
    RiemannianAdam single({one}, 0.05);
    RiemannianAdam batch({both}, 0.05);
    for (int i = 0; i < 3; ++i) {
        single.zeroGrad();
        batch.zeroGrad();
        loss(one).backward();
        (loss(both[0]) + 50 * loss(both[1])).backward();
        single.step(1);
        batch.step(1);
    }
    EXPECT_LT(largestDifference(both[0], one), kReference);
}

TEST(RiemannianAdam, GoesOnExactlyFromItsState) {
    const at::Tensor x = leafOf(7);
    RiemannianAdam optimizer({x}, 0.05);
    const auto steps = [](RiemannianAdam& who, const at::Tensor& leaf, int count) {
        for (int i = 0; i < count; ++i) {
            who.zeroGrad();
            loss(leaf).backward();
            who.step(1);
        }
    };
    steps(optimizer, x, 8);
    const at::Tensor copy = x.detach().clone().requires_grad_(true);
    RiemannianAdam resumed({copy}, 0.05);
    ASSERT_TRUE(resumed.load(optimizer.state()));
    steps(optimizer, x, 5); // over the factorisation at step 10
    steps(resumed, copy, 5);
    EXPECT_TRUE(at::equal(x, copy));
}

TEST(RiemannianAdam, RefusesWrongStateAndParameters) {
    const at::Tensor x = leafOf(8);
    RiemannianAdam optimizer({x}, 0.05);
    EXPECT_EQ(optimizer.load({}).error().code, ErrorCode::ShapeMismatch);
    std::vector<at::Tensor> state = optimizer.state();
    state[1] = at::zeros({2, 2}, at::kDouble);
    EXPECT_EQ(optimizer.load(state).error().code, ErrorCode::ShapeMismatch);
    EXPECT_THROW(RiemannianAdam({x}, 0), c10::Error);
    EXPECT_THROW(RiemannianAdam({at::zeros({3, 4}).requires_grad_(true)}, 0.1), c10::Error);
    EXPECT_THROW(RiemannianAdam({at::eye(4)}, 0.1), c10::Error);
}

} // namespace
} // namespace bdq::train
