// Cross-entropy of next tokens without a matrix of all logits.
#pragma once

#include <ATen/core/Tensor.h>

namespace bdq {

/// log(sum over the vocabulary of exp(h . w)) - h . w[target] of every row, fp64 [rows].
/// `hidden` fp32 [rows, n] after the final norm, `head` fp32 [vocab, n], `targets` int64 [rows] in [0,
/// vocab); all on one device. The logits exist block by block of the vocabulary, with a running maximum and
/// sum as in the online softmax (arXiv 1805.02867), so that they stay in cache and take [rows, block] instead
/// of [rows, vocab] of memory.
at::Tensor tokenLosses(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets);

/// h . w[target] of every row, fp64 [rows]; arguments as above.
at::Tensor targetLogits(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets);

} // namespace bdq
