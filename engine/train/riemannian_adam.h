// Adam over orthogonal matrices, as OSTQuant uses it (arXiv 2501.13987 section 4; design/transforms.md 4.4).
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "engine/api/result.h"

namespace bdq::train {

/// Riemannian Adam (Becigneul & Ganea, arXiv 1810.00760) on orthogonal X [n, n], the square case of the
/// Stiefel manifold with its canonical metric. With the gradient G of X:
///   A = G X^T - X G^T (skew; the Riemannian gradient is A X, its squared length |A|^2 / 2),
///   M = b1 M + (1 - b1) A,   v = b2 v + (1 - b2) |A|^2 / 2,
///   S = rate (M / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps),
///   X <- (I + S/2)^-1 (I - S/2) X                         Cayley retraction, solved exactly.
/// b1 = 0.9, b2 = 0.999, eps = 1e-8; v is one number a matrix, so a step is a move of about `rate` in the
/// canonical metric. The first moment is kept as the skew M, which carries it from X to X as an isometry. X
/// is made orthogonal by QR every kQrInterval steps, so that rounding does not add up.
class RiemannianAdam {
public:
    static constexpr std::int64_t kQrInterval = 10;

    /// Orthogonal leaves [n, n] or batches [..., n, n], fp32 or fp64; rate > 0. c10::Error otherwise.
    RiemannianAdam(std::vector<at::Tensor> parameters, double learningRate);

    /// One update with `rateFactor` (>= 0) times the rate. Parameters without a gradient are left alone.
    void step(double rateFactor);
    void zeroGrad();

    /// Copies: for every parameter in order M and v ([..., 1, 1]), then the number of steps (int64, no
    /// dimension).
    [[nodiscard]] std::vector<at::Tensor> state() const;
    /// Errors: ShapeMismatch; nothing is changed then.
    Status load(const std::vector<at::Tensor>& state);

private:
    std::vector<at::Tensor> m_parameters;
    std::vector<at::Tensor> m_means;
    std::vector<at::Tensor> m_squares;
    double m_learningRate;
    std::int64_t m_steps = 0;
};

} // namespace bdq::train
