#include "engine/train/riemannian_adam.h"

#include <cmath>
#include <utility>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "engine/train/optimizer_checks.h"

namespace bdq::train {

namespace {

constexpr const char* kName = "RiemannianAdam";
constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;
constexpr double kEpsilon = 1e-8;

} // namespace

RiemannianAdam::RiemannianAdam(std::vector<at::Tensor> parameters, double learningRate)
    : m_parameters(std::move(parameters)), m_learningRate(learningRate) {
    TORCH_CHECK(std::isfinite(learningRate) && learningRate > 0, kName, ": rate ", learningRate,
                "; expected a rate above 0");
    const c10::NoGradGuard noGrad;
    for (const at::Tensor& parameter : m_parameters) {
        requireSquareLeaf(parameter, kName);
        m_means.push_back(at::zeros_like(parameter));
        m_squares.push_back(at::zeros_like(parameter.narrow(-1, 0, 1).narrow(-2, 0, 1)));
    }
}

void RiemannianAdam::step(double rateFactor) {
    const c10::NoGradGuard noGrad;
    ++m_steps;
    const double meanShare = 1 - std::pow(kBeta1, static_cast<double>(m_steps));
    const double squareShare = 1 - std::pow(kBeta2, static_cast<double>(m_steps));
    for (std::size_t i = 0; i < m_parameters.size(); ++i) {
        at::Tensor& x = m_parameters[i];
        if (!x.grad().defined()) continue;
        const at::Tensor moved = x.grad().matmul(x.mT());
        const at::Tensor skew = moved - moved.mT();
        m_means[i].mul_(kBeta1).add_(skew, 1 - kBeta1);
        m_squares[i].mul_(kBeta2).add_(skew.square().sum({-2, -1}, true), (1 - kBeta2) / 2);
        const at::Tensor length = (m_squares[i] / squareShare).sqrt_().add_(kEpsilon);
        const at::Tensor half = m_means[i] * (m_learningRate * rateFactor / meanShare / 2) / length;
        const at::Tensor one = at::eye(x.size(-1), x.options().requires_grad(false));
        const at::Tensor next = at::linalg_solve(one + half, (one - half).matmul(x));
        x.copy_(m_steps % kQrInterval == 0 ? orthogonalFactor(next) : next);
    }
}

void RiemannianAdam::zeroGrad() {
    for (at::Tensor& parameter : m_parameters)
        parameter.mutable_grad().reset();
}

std::vector<at::Tensor> RiemannianAdam::state() const {
    std::vector<at::Tensor> state;
    for (std::size_t i = 0; i < m_means.size(); ++i) {
        state.push_back(m_means[i].clone());
        state.push_back(m_squares[i].clone());
    }
    state.push_back(at::scalar_tensor(m_steps, at::TensorOptions().dtype(at::kLong)));
    return state;
}

Status RiemannianAdam::load(const std::vector<at::Tensor>& state) {
    BDQ_CHECK(checkCount(state.size(), 2 * m_means.size() + 1, kName));
    for (std::size_t i = 0; i < m_means.size(); ++i) {
        BDQ_CHECK(checkSame(state[2 * i], m_means[i], kName, 2 * i));
        BDQ_CHECK(checkSame(state[2 * i + 1], m_squares[i], kName, 2 * i + 1));
    }
    BDQ_CHECK(checkSame(state.back(), at::zeros({}, at::kLong), kName, 2 * m_means.size()));
    for (std::size_t i = 0; i < m_means.size(); ++i) {
        m_means[i].copy_(state[2 * i]);
        m_squares[i].copy_(state[2 * i + 1]);
    }
    m_steps = state.back().item<std::int64_t>();
    return {};
}

} // namespace bdq::train
