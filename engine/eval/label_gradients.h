// Gradients of the model's log probability of labels that the model itself draws: samples of the Fisher
// information.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "engine/eval/model_ends.h"

namespace bdq {

/// For each of draws.size(0) labellings of one sequence: gradient of sum_t log p(label_t | tokens up to t) by
/// the output of the last block, t all tokens but the last, which predicts nothing. `hidden` fp32 [tokens,
/// n], that output; `draws` fp64 [labels, tokens - 1] in [0, 1), on the same device, choose the labels from
/// the model's own distribution. Returns fp32 [tokens, n] a labelling.
std::vector<at::Tensor> labelGradients(const ModelEnds& ends, const at::Tensor& hidden,
                                       const at::Tensor& draws);

} // namespace bdq
