// The engine's block as the plain one of tests/reference.
#pragma once

#include <ATen/ATen.h>

#include "engine/api/quant_scheme.h"
#include "engine/model/block.h"
#include "tests/reference/quantized_block.h"

namespace bdq::testing {

inline reference::Values valuesOf(const at::Tensor& tensor) {
    const at::Tensor wide = tensor.detach().to(at::kDouble).contiguous();
    return {wide.const_data_ptr<double>(), wide.const_data_ptr<double>() + wide.numel()};
}

inline reference::MatrixXd matrixOf(const at::Tensor& tensor) {
    return reference::matrixOf(valuesOf(tensor), tensor.size(-2), tensor.size(-1));
}

/// Quantized by `scheme` at every site, nothing transformed.
inline reference::PlainBlock plainBlock(const ModelConfig& config, const BlockWeights& weights,
                                        const Scheme& scheme) {
    reference::PlainBlock plain;
    plain.heads = config.heads;
    plain.kvHeads = config.kvHeads;
    plain.headDim = config.headDim;
    plain.ropeTheta = config.ropeTheta;
    plain.epsilon = config.normEpsilon;
    plain.attentionNorm = matrixOf(weights.attentionNorm.unsqueeze(0));
    plain.mlpNorm = matrixOf(weights.mlpNorm.unsqueeze(0));
    plain.keys = plain.values = {scheme.kv.bits, scheme.kv.symmetric};
    for (std::size_t i = 0; i < kLinearSites.size(); ++i) {
        plain.weights[i] = matrixOf(weights.linear[i]);
        const Eigen::Index n = plain.weights[i].cols();
        plain.start[i] = plain.constant[i] = reference::MatrixXd::Identity(n, n);
        plain.weightQuantizers[i] = {scheme.weight.bits, scheme.weight.symmetric};
        plain.activationQuantizers[i] = {scheme.activation.bits, scheme.activation.symmetric};
    }
    return plain;
}

} // namespace bdq::testing
