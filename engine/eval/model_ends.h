// What lies before the first and after the last block of a model, on one device.
#pragma once

#include <ATen/core/Tensor.h>

#include "engine/api/result.h"
#include "engine/model/device.h"
#include "engine/model/weights.h"

namespace bdq {

struct ModelEnds {
    at::Tensor embedding; ///< fp32 [vocab, hidden]
    at::Tensor head;      ///< fp32 [vocab, hidden]; the embedding itself when tied
    at::Tensor norm;      ///< [hidden]
    double normEpsilon = 0;

    /// Errors: the readers'.
    static Result<ModelEnds> load(const ModelWeights& weights, const ComputeDevice& device);
    /// Output of the last block -> what the head reads.
    [[nodiscard]] at::Tensor finalNorm(const at::Tensor& hidden) const;
};

/// Bytes of hidden states that may be resident at once; more work is done in groups, each of which reloads
/// the layers.
double residentHiddenBytes(const ComputeDevice& device);

} // namespace bdq
