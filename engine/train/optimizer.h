// Optimizers of the training stage. They update leaves (tensors with requires_grad) in place from x.grad().
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "engine/api/result.h"

namespace bdq::train {

struct ParameterGroup {
    std::vector<at::Tensor> parameters; ///< leaves, fp32 or fp64, not empty, any shape
    double learningRate = 0;            ///< > 0
    double weightDecay = 0;             ///< >= 0, decoupled: p -= rate decay p
};

/// AdamW (arXiv 1711.05101, Algorithm 2) with PyTorch's defaults: betas 0.9 and 0.999, eps 1e-8, bias
/// correction. Parameters without a gradient are left alone. One fused kernel a group and device where ATen
/// has it.
class AdamW {
public:
    /// c10::Error unless every parameter is a defined fp32 or fp64 leaf and the rates are in range.
    explicit AdamW(std::vector<ParameterGroup> groups);

    /// One update with the rate of each group times `rateFactor` (>= 0).
    void step(double rateFactor);
    /// Drops the gradients.
    void zeroGrad();

    /// Copies of the state: for every parameter in order first moment, second moment (its shape), number of
    /// steps (fp32, no dimension).
    [[nodiscard]] std::vector<at::Tensor> state() const;
    /// Restores what state() returned, from any device. Errors: ShapeMismatch; nothing is changed then.
    Status load(const std::vector<at::Tensor>& state);

private:
    /// Parameters of one group on one device and of one type.
    struct Bucket {
        std::vector<at::Tensor> parameters;
        std::vector<at::Tensor> means;
        std::vector<at::Tensor> squares;
        std::vector<at::Tensor> steps;
        std::vector<std::size_t> order; ///< position among all parameters
        double learningRate = 0;
        double weightDecay = 0;
    };
    void addParameter(const at::Tensor& parameter, const ParameterGroup& group, std::size_t groupIndex);

    std::vector<Bucket> m_buckets;
    std::vector<std::size_t> m_groupOfBucket;
    std::size_t m_count = 0;
};

/// Cosine annealing from 1 at step 0 to `floor` at `steps` (> 0) and after: floor + (1 - floor)(1 + cos(pi
/// t)) / 2 (SGDR, arXiv 1608.03983 Eq. 5, one period).
double cosineFactor(std::int64_t step, std::int64_t steps, double floor = 1e-3);

/// Scales the gradients of `parameters` by maximum / (norm + 1e-6) if the Euclidean norm over all of them
/// exceeds `maximum` (> 0); returns the norm before (fp64 sum over tensors). A norm that is not finite is
/// returned and nothing is changed. Parameters without a gradient count as 0.
double clipGradientNorm(const std::vector<at::Tensor>& parameters, double maximum);

/// Gradient descent over orthogonal matrices: Cayley SGD (Li et al., arXiv 2002.01113, Algorithm 1) as
/// SpinQuant uses it (arXiv 2405.16406 section 3.2; design/transforms.md 4.2), with the fixed-point iteration
/// solved exactly:
///   V = momentum V - G^T,  M = V X,  A = S - S^T with S = M - X^T (X M) / 2,
///   alpha = min(rate, 1 / (||A||_1 + eps)),  V = A X^T,  (I - alpha A/2) Y = (I + alpha A/2) X^T,  X = Y^T.
/// The exact solve keeps X orthogonal to rounding, which five fixed-point steps do not; so that rounding does
/// not add up either, X is made orthogonal by QR every kQrInterval steps (SpinQuant: at random, 1 step in
/// 100).
class CayleySgd {
public:
    static constexpr std::int64_t kQrInterval = 100;

    /// Square orthogonal leaves [n, n] or batches [..., n, n], fp32 or fp64. c10::Error otherwise.
    CayleySgd(std::vector<at::Tensor> parameters, double learningRate, double momentum = 0);

    void step(double rateFactor);
    void zeroGrad();

    /// Copies: the momentum V of every parameter, then the number of steps (int64, no dimension).
    [[nodiscard]] std::vector<at::Tensor> state() const;
    /// Errors: ShapeMismatch; nothing is changed then.
    Status load(const std::vector<at::Tensor>& state);

private:
    std::vector<at::Tensor> m_parameters;
    std::vector<at::Tensor> m_momenta;
    double m_learningRate;
    double m_momentum;
    std::int64_t m_steps = 0;
};

} // namespace bdq::train
