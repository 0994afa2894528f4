// Losses on the logits of a whole model, for end-to-end training.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "engine/api/method.h"

namespace bdq::train {

struct LossAndGradient {
    at::Tensor loss;           ///< fp64, no dimension, on the inputs' device: mean over rows, in nats
    at::Tensor hiddenGradient; ///< d loss / d student, like student
};

/// Loss between the logits z = student head^T and those of the teacher or the next tokens, and its gradient,
/// holding the logits of at most `chunkRows` rows at a time. With p = softmax(z), q = softmax(teacher
/// head^T):
///   Kl            sum_i q_i (log q_i - log p_i)
///   CrossEntropy  -log p_target
///   RcePrinted    -sum_i (q_i log p_i - p_i log m_i), m = p / 2 + q / 2        arXiv 2605.18800 Eq. 21,
///   delta = 0.5 RceSafe       the same with 0.1 on its second term (design/bdq.md 7, R1)
/// d/dz is p - q (one-hot q for CrossEntropy), plus w p_j (g_j - sum_i p_i g_i), g = log m + p / (2 m), for
/// the second term of weight w.
///
/// student, teacher: hidden states after the last norm, [rows, n]; head [vocab, n]: all fp32 or all fp64, one
/// device. targets: int64 [rows], values in [0, vocab); only CrossEntropy reads them, only the others read
/// the teacher (the unused one may be undefined). No gradient is recorded: go on with
/// student.backward(hiddenGradient). c10::Error for wrong shapes, dtypes, or chunkRows < 1.
LossAndGradient logitLoss(LogitLoss kind, const at::Tensor& student, const at::Tensor& teacher,
                          const at::Tensor& head, const at::Tensor& targets, std::int64_t chunkRows);

} // namespace bdq::train
