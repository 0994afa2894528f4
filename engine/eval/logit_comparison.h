// How far the next-token distributions of two models are apart, without a matrix of all logits.
#pragma once

#include <ATen/core/Tensor.h>

namespace bdq {

/// Row by row, [rows] each, on the device of the hidden states.
struct LogitComparison {
    at::Tensor divergence; ///< KL(p || q) = sum p (log p - log q) in nats, fp64
    /// bool: the largest logit of both is that of the same token; of equal logits the first counts on the
    /// CPU, any on a GPU.
    at::Tensor agree;
    at::Tensor fullLoss;      ///< cross-entropy of p at the targets, fp64, bit for bit tokenLosses'
    at::Tensor quantizedLoss; ///< of q
};

/// `full` (p) and `quantized` (q) are fp32 [rows, n] after the final norm, `head` fp32 [vocab, n] is that of
/// both, `targets` int64 [rows]; all on one device. Two blocks of logits are resident at once.
LogitComparison compareLogits(const at::Tensor& full, const at::Tensor& quantized, const at::Tensor& head,
                              const at::Tensor& targets);

} // namespace bdq
