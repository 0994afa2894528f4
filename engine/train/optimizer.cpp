#include "engine/train/optimizer.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "engine/train/optimizer_checks.h"

namespace bdq::train {

namespace {

constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;
constexpr double kEpsilon = 1e-8;

} // namespace

AdamW::AdamW(std::vector<ParameterGroup> groups) {
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const ParameterGroup& group = groups[i];
        TORCH_CHECK(std::isfinite(group.learningRate) && group.learningRate > 0 &&
                        std::isfinite(group.weightDecay) && group.weightDecay >= 0,
                    "AdamW: rate ", group.learningRate, ", decay ", group.weightDecay,
                    "; expected a rate above 0 and a decay of at least 0");
        for (const at::Tensor& parameter : group.parameters)
            addParameter(parameter, group, i);
    }
}

void AdamW::addParameter(const at::Tensor& parameter, const ParameterGroup& group, std::size_t groupIndex) {
    requireLeaf(parameter, "AdamW");
    std::size_t place = 0;
    while (place < m_buckets.size() &&
           (m_groupOfBucket[place] != groupIndex ||
            m_buckets[place].parameters[0].device() != parameter.device() ||
            m_buckets[place].parameters[0].scalar_type() != parameter.scalar_type()))
        ++place;
    if (place == m_buckets.size()) {
        m_buckets.push_back({{}, {}, {}, {}, {}, group.learningRate, group.weightDecay});
        m_groupOfBucket.push_back(groupIndex);
    }
    Bucket& bucket = m_buckets[place];
    const c10::NoGradGuard noGrad;
    bucket.parameters.push_back(parameter);
    bucket.means.push_back(at::zeros_like(parameter));
    bucket.squares.push_back(at::zeros_like(parameter));
    bucket.steps.push_back(at::zeros({}, parameter.options().dtype(at::kFloat).requires_grad(false)));
    bucket.order.push_back(m_count++);
}

void AdamW::step(double rateFactor) {
    const c10::NoGradGuard noGrad;
    for (Bucket& bucket : m_buckets) {
        std::vector<at::Tensor> parameters;
        std::vector<at::Tensor> gradients;
        std::vector<at::Tensor> means;
        std::vector<at::Tensor> squares;
        std::vector<at::Tensor> steps;
        for (std::size_t i = 0; i < bucket.parameters.size(); ++i) {
            const at::Tensor& gradient = bucket.parameters[i].grad();
            if (!gradient.defined()) continue;
            parameters.push_back(bucket.parameters[i]);
            // The kernel walks the memory of all five in the same order.
            gradients.push_back(gradient.strides() == bucket.parameters[i].strides()
                                    ? gradient
                                    : at::empty_like(bucket.parameters[i]).copy_(gradient));
            means.push_back(bucket.means[i]);
            squares.push_back(bucket.squares[i]);
            steps.push_back(bucket.steps[i]);
        }
        if (parameters.empty()) continue;
        at::_foreach_add_(steps, 1);
        at::_fused_adamw_(parameters, gradients, means, squares, {}, steps, bucket.learningRate * rateFactor,
                          kBeta1, kBeta2, bucket.weightDecay, kEpsilon, false, false);
    }
}

void AdamW::zeroGrad() {
    for (Bucket& bucket : m_buckets)
        for (at::Tensor& parameter : bucket.parameters)
            parameter.mutable_grad().reset();
}

std::vector<at::Tensor> AdamW::state() const {
    std::vector<at::Tensor> state(3 * m_count);
    for (const Bucket& bucket : m_buckets)
        for (std::size_t i = 0; i < bucket.order.size(); ++i) {
            const std::size_t first = 3 * bucket.order[i];
            state[first] = bucket.means[i].clone();
            state[first + 1] = bucket.squares[i].clone();
            state[first + 2] = bucket.steps[i].clone();
        }
    return state;
}

Status AdamW::load(const std::vector<at::Tensor>& state) {
    BDQ_CHECK(checkCount(state.size(), 3 * m_count, "AdamW"));
    for (const Bucket& bucket : m_buckets)
        for (std::size_t i = 0; i < bucket.order.size(); ++i) {
            const std::size_t first = 3 * bucket.order[i];
            BDQ_CHECK(checkSame(state[first], bucket.means[i], "AdamW", first));
            BDQ_CHECK(checkSame(state[first + 1], bucket.squares[i], "AdamW", first + 1));
            BDQ_CHECK(checkSame(state[first + 2], bucket.steps[i], "AdamW", first + 2));
        }
    for (Bucket& bucket : m_buckets)
        for (std::size_t i = 0; i < bucket.order.size(); ++i) {
            const std::size_t first = 3 * bucket.order[i];
            bucket.means[i].copy_(state[first]);
            bucket.squares[i].copy_(state[first + 1]);
            bucket.steps[i].copy_(state[first + 2]);
        }
    return {};
}

double cosineFactor(std::int64_t step, std::int64_t steps, double floor) {
    if (steps <= 0) return 1;
    const double progress = std::clamp(static_cast<double>(step) / static_cast<double>(steps), 0.0, 1.0);
    return floor + (1 - floor) * (1 + std::cos(std::numbers::pi * progress)) / 2;
}

double clipGradientNorm(const std::vector<at::Tensor>& parameters, double maximum) {
    const c10::NoGradGuard noGrad;
    std::vector<at::Tensor> gradients;
    for (const at::Tensor& parameter : parameters)
        if (parameter.grad().defined()) gradients.push_back(parameter.grad());
    if (gradients.empty()) return 0;
    std::vector<at::Tensor> norms = at::_foreach_norm(gradients, 2);
    for (at::Tensor& norm : norms)
        norm = norm.to(norms[0].device(), at::kDouble);
    const double total = at::stack(norms).norm().item<double>();
    if (std::isfinite(total) && total > maximum) at::_foreach_mul_(gradients, maximum / (total + 1e-6));
    return total;
}

CayleySgd::CayleySgd(std::vector<at::Tensor> parameters, double learningRate, double momentum)
    : m_parameters(std::move(parameters)), m_learningRate(learningRate), m_momentum(momentum) {
    TORCH_CHECK(std::isfinite(learningRate) && learningRate > 0 && momentum >= 0 && momentum < 1,
                "CayleySgd: rate ", learningRate, ", momentum ", momentum,
                "; expected a rate above 0 and a momentum in [0, 1)");
    const c10::NoGradGuard noGrad;
    for (const at::Tensor& parameter : m_parameters) {
        requireSquareLeaf(parameter, "CayleySgd");
        m_momenta.push_back(at::zeros_like(parameter));
    }
}

void CayleySgd::step(double rateFactor) {
    const c10::NoGradGuard noGrad;
    ++m_steps;
    for (std::size_t i = 0; i < m_parameters.size(); ++i) {
        at::Tensor& x = m_parameters[i];
        if (!x.grad().defined()) continue;
        const at::Tensor velocity = m_momenta[i] * m_momentum - x.grad().mT();
        const at::Tensor moved = velocity.matmul(x);
        const at::Tensor tangent = moved - x.mT().matmul(x.matmul(moved)) / 2;
        const at::Tensor skew = tangent - tangent.mT();
        const at::Tensor bound = skew.abs().sum(-2, true).amax(-1, true).add_(kEpsilon).reciprocal_();
        const at::Tensor half = skew * bound.clamp_max(m_learningRate * rateFactor) / 2;
        const at::Tensor one = at::eye(x.size(-1), x.options().requires_grad(false));
        m_momenta[i].copy_(skew.matmul(x.mT()));
        const at::Tensor next = at::linalg_solve(one - half, (one + half).matmul(x.mT())).mT();
        x.copy_(m_steps % kQrInterval == 0 ? orthogonalFactor(next) : next);
    }
}

void CayleySgd::zeroGrad() {
    for (at::Tensor& parameter : m_parameters)
        parameter.mutable_grad().reset();
}

std::vector<at::Tensor> CayleySgd::state() const {
    std::vector<at::Tensor> state;
    for (const at::Tensor& momentum : m_momenta)
        state.push_back(momentum.clone());
    state.push_back(at::scalar_tensor(m_steps, at::TensorOptions().dtype(at::kLong)));
    return state;
}

Status CayleySgd::load(const std::vector<at::Tensor>& state) {
    BDQ_CHECK(checkCount(state.size(), m_momenta.size() + 1, "CayleySgd"));
    for (std::size_t i = 0; i < m_momenta.size(); ++i)
        BDQ_CHECK(checkSame(state[i], m_momenta[i], "CayleySgd", i));
    BDQ_CHECK(checkSame(state.back(), at::zeros({}, at::kLong), "CayleySgd", m_momenta.size()));
    for (std::size_t i = 0; i < m_momenta.size(); ++i)
        m_momenta[i].copy_(state[i]);
    m_steps = state.back().item<std::int64_t>();
    return {};
}

} // namespace bdq::train
