#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "engine/train/optimizer.h"
#include "tests/engine/quant/random_tensors.h"

namespace bdq::train {
namespace {

using test::normal;

constexpr double kFactors[] = {1, 0.9, 0.5, 0.25, 0.01};

struct Problem {
    at::Tensor first;
    at::Tensor second;

    explicit Problem(at::ScalarType type)
        : first(at::tensor({0.5, -1.25, 2.0, 0.0}, at::kDouble).to(type).requires_grad_(true)),
          second(at::tensor({1.0, -2.0, 3.0, 0.25}, at::kDouble).view({2, 2}).to(type).requires_grad_(true)) {
    }

    [[nodiscard]] std::vector<ParameterGroup> groups() const {
        return {{{first}, 5e-3, 0.01}, {{second}, 5e-2, 0.0}};
    }
    [[nodiscard]] at::Tensor loss() const {
        const at::Tensor weights =
            at::tensor({1.0, 0.5, 0.25, 2.0}, first.options().requires_grad(false)).view({2, 2});
        return (first - 1).pow(3).sum() + (second * second * weights).sum() +
               (first.sum() * second.sum()).sin();
    }
    void run(AdamW& optimizer, int from, int to) const {
        for (int i = from; i < to; ++i) {
            optimizer.zeroGrad();
            loss().backward();
            optimizer.step(kFactors[i]);
        }
    }
};

// torch.optim.AdamW (PyTorch 2.11, fp64) after five steps of the problem above, rates 5e-3 and 5e-2 times
// kFactors, weight decay 0.01 and 0.
const at::Tensor kFirst = at::tensor(
    {0.5132237738952453, -1.2631364454358216, 1.9864310278682695, -0.013320335817053396}, at::kDouble);
const at::Tensor kSecond = at::tensor(
    {0.8676006274593906, -1.8671134582536546, 2.866995203872195, 0.31491742771331444}, at::kDouble);

double difference(const at::Tensor& a, const at::Tensor& b) {
    const c10::NoGradGuard noGrad;
    return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

TEST(AdamW, MatchesPyTorch) {
    for (const auto type : {at::kDouble, at::kFloat}) {
        const Problem problem(type);
        AdamW optimizer(problem.groups());
        problem.run(optimizer, 0, 5);
        // Five updates of a few roundings each, numbers up to 3. fp32: the chaotic part, sin of a sum, has
        // slope 10.
        const double tolerance = type == at::kDouble ? 1e-13 : 1e-5;
        EXPECT_LE(difference(problem.first, kFirst), tolerance);
        EXPECT_LE(difference(problem.second.view({4}), kSecond), tolerance);
    }
}

TEST(AdamW, GoesOnExactlyFromItsState) {
    const Problem straight(at::kFloat);
    AdamW whole(straight.groups());
    straight.run(whole, 0, 5);

    const Problem resumed(at::kFloat);
    AdamW before(resumed.groups());
    resumed.run(before, 0, 3);
    const std::vector<at::Tensor> state = before.state();
    const at::Tensor first = resumed.first.detach().clone();
    const at::Tensor second = resumed.second.detach().clone();
    resumed.run(before, 3, 4); // the state is a copy: this must not reach it
    const c10::NoGradGuard noGrad;
    resumed.first.copy_(first);
    resumed.second.copy_(second);
    AdamW after(resumed.groups());
    ASSERT_TRUE(after.load(state));
    const c10::AutoGradMode grad(true);
    resumed.run(after, 3, 5);
    EXPECT_TRUE(at::equal(resumed.first, straight.first));
    EXPECT_TRUE(at::equal(resumed.second, straight.second));
}

TEST(AdamW, LeavesParametersWithoutGradientAlone) {
    const at::Tensor used = at::ones({3}).requires_grad_(true);
    const at::Tensor unused = at::ones({3}).requires_grad_(true);
    AdamW optimizer({{{used, unused}, 0.1, 0.5}});
    used.sum().backward();
    optimizer.step(1);
    EXPECT_TRUE(at::equal(unused, at::ones({3})));
    EXPECT_LT(used.max().item<float>(), 1.0F);
    optimizer.zeroGrad();
    EXPECT_FALSE(used.grad().defined());
}

TEST(AdamW, TransposedGradientsMeetTheirParameters) {
    const at::Tensor plain = normal({3, 5}, 1).requires_grad_(true);
    const at::Tensor other = plain.detach().clone().requires_grad_(true);
    const at::Tensor gradient = normal({5, 3}, 2);
    AdamW optimizer({{{plain, other}, 0.1, 0}});
    for (int i = 0; i < 2; ++i) {
        plain.mutable_grad() = gradient.t();
        other.mutable_grad() = gradient.t().contiguous();
        optimizer.step(1);
    }
    EXPECT_TRUE(at::equal(plain, other));
}

TEST(AdamW, RefusesWrongStateAndParameters) {
    const Problem problem(at::kFloat);
    AdamW optimizer(problem.groups());
    std::vector<at::Tensor> state = optimizer.state();
    state.pop_back();
    EXPECT_EQ(optimizer.load(state).error().code, ErrorCode::ShapeMismatch);
    state = optimizer.state();
    state[3] = at::zeros({3});
    EXPECT_EQ(optimizer.load(state).error().code, ErrorCode::ShapeMismatch);
    EXPECT_THROW(AdamW({{{at::ones({2})}, 0.1, 0}}), c10::Error);
    EXPECT_THROW(AdamW({{{problem.first * 2}, 0.1, 0}}), c10::Error);
    EXPECT_THROW(AdamW({{{problem.first}, 0, 0}}), c10::Error);
}

TEST(CosineFactor, MatchesPyTorch) {
    // CosineAnnealingLR(T_max = 8, eta_min = 1e-3) with rate 1.
    const double expected[] = {1.0,    0.9619778264893877,  0.8536998372026804,  0.6916503744663623,
                               0.5005, 0.30934962553363765, 0.14730016279731953, 0.039022173510612275,
                               0.001};
    for (int i = 0; i <= 8; ++i)
        EXPECT_NEAR(cosineFactor(i, 8), expected[i], 1e-14) << i;
    EXPECT_NEAR(cosineFactor(100, 8), 1e-3, 1e-15);
    EXPECT_NEAR(cosineFactor(4, 8, 0), 0.5, 1e-15);
}

TEST(GradientNorm, IsThatOfAllTogetherAndIsLimited) {
    const at::Tensor a = at::zeros({2}).requires_grad_(true);
    const at::Tensor b = at::zeros({1, 1}, at::kDouble).requires_grad_(true);
    const at::Tensor none = at::zeros({4}).requires_grad_(true);
    a.mutable_grad() = at::tensor({3.0F, 0.0F});
    b.mutable_grad() = at::tensor({-4.0}, at::kDouble).view({1, 1});
    EXPECT_NEAR(clipGradientNorm({a, b, none}, 10), 5, 1e-12);
    EXPECT_EQ(a.grad()[0].item<float>(), 3.0F);
    EXPECT_NEAR(clipGradientNorm({a, b, none}, 1), 5, 1e-12);
    EXPECT_NEAR(a.grad()[0].item<float>(), 0.6, 1e-6);
    EXPECT_NEAR(b.grad().item<double>(), -0.8, 1e-6); // / (norm + 1e-6)
    a.mutable_grad()[1] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(std::isnan(clipGradientNorm({a, b}, 1)));
    EXPECT_NEAR(b.grad().item<double>(), -0.8, 1e-6);
    EXPECT_EQ(clipGradientNorm({none}, 1), 0);
}

double orthogonalityError(const at::Tensor& x) {
    const c10::NoGradGuard noGrad;
    return (x.matmul(x.mT()) - at::eye(x.size(-1), x.options().requires_grad(false)))
        .abs()
        .max()
        .item<double>();
}

at::Tensor randomOrthogonal(std::int64_t n, std::uint64_t seed, at::ScalarType type) {
    return std::get<0>(at::linalg_qr(normal({n, n}, seed, at::kDouble))).to(type).clone();
}

TEST(CayleySgd, StaysOrthogonalAndDescends) {
    for (const double momentum : {0.0, 0.9}) {
        const at::Tensor x = randomOrthogonal(24, 3, at::kDouble).requires_grad_(true);
        // Orthogonal Procrustes: min ||X B - T||^2, minimum 0 at a matrix connected to the start.
        const at::Tensor b = normal({24, 40}, 4, at::kDouble);
        const at::Tensor half = normal({24, 24}, 5, at::kDouble).mul_(0.1);
        const at::Tensor rotation = at::linalg_matrix_exp(half - half.mT());
        const at::Tensor target = rotation.matmul(x.detach()).matmul(b);
        CayleySgd optimizer({x}, 1.5, momentum);
        const auto loss = [&] { return (x.matmul(b) - target).square().mean(); };
        const double before = loss().item<double>();
        for (int i = 0; i < 250; ++i) {
            optimizer.zeroGrad();
            loss().backward();
            optimizer.step(1);
            ASSERT_LE(orthogonalityError(x), 1e-10) << i;
        }
        EXPECT_LT(loss().item<double>(), 1e-2 * before) << momentum;
    }
}

TEST(CayleySgd, FirstStepIsTheFormula) {
    const at::Tensor start = randomOrthogonal(6, 6, at::kDouble);
    const at::Tensor g = normal({6, 6}, 7, at::kDouble);
    for (const double rate : {1e-3, 100.0}) { // below and above the bound on the step
        const at::Tensor x = start.clone().requires_grad_(true);
        CayleySgd optimizer({x}, rate);
        x.mutable_grad() = g.clone();
        optimizer.step(1);
        // M = -G^T X, and X^T X = I leaves half of it.
        const at::Tensor s = -g.t().matmul(start) / 2;
        const at::Tensor skew = s - s.t();
        const double bound = 1 / (skew.abs().sum(0).max().item<double>() + 1e-8);
        // Cayley transform as a power series of alpha A / 2, which has norm at most 1/2: 60 terms leave
        // 2^-60.
        const at::Tensor half = skew * std::min(rate, bound) / 2;
        at::Tensor term = at::eye(6, at::kDouble);
        at::Tensor series = term.clone();
        for (int i = 0; i < 60; ++i) {
            term = term.matmul(half);
            series += term * 2;
        }
        EXPECT_LE(difference(x, series.matmul(start.t()).t()), 1e-12) << rate;
    }
}

TEST(CayleySgd, GoesOnExactlyFromItsState) {
    const at::Tensor start = randomOrthogonal(8, 8, at::kFloat);
    const at::Tensor target = normal({8, 8}, 9);
    const auto run = [&](CayleySgd& optimizer, const at::Tensor& x, int steps) {
        for (int i = 0; i < steps; ++i) {
            optimizer.zeroGrad();
            (x * target).sum().backward();
            optimizer.step(0.5);
        }
    };
    const at::Tensor straight = start.clone().requires_grad_(true);
    CayleySgd whole({straight}, 0.1, 0.9);
    run(whole, straight, 105); // across the QR step
    const at::Tensor split = start.clone().requires_grad_(true);
    CayleySgd before({split}, 0.1, 0.9);
    run(before, split, 60);
    CayleySgd after({split}, 0.1, 0.9);
    ASSERT_TRUE(after.load(before.state()));
    run(after, split, 45);
    EXPECT_TRUE(at::equal(split, straight));
    EXPECT_EQ(after.load({}).error().code, ErrorCode::ShapeMismatch);
    EXPECT_THROW(CayleySgd({at::ones({2, 3}).requires_grad_(true)}, 0.1), c10::Error);
}

} // namespace
} // namespace bdq::train
