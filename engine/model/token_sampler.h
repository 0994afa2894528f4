// Tokens drawn from next-token distributions.
#pragma once

#include <ATen/core/Tensor.h>

namespace bdq {

/// One token a row of `logits` [rows, vocab], with the probability of their softmax, by inverting its
/// cumulative distribution at `draws` [rows, 1] fp64 in [0, 1). Returns int64 [rows, 1]; never a token of
/// probability 0.
at::Tensor sampleTokens(const at::Tensor& logits, const at::Tensor& draws);

} // namespace bdq
