// How far many variants of a model are from the full one: what the full model contributes is computed once.
#pragma once

#include <ATen/core/Tensor.h>

namespace bdq {

/// With logits a = h W^T of the full model, b = g W^T of a variant and p = softmax(a):
///   KL(p || softmax(b)) = (h - g) . m - log sum exp a + log sum exp b,   m = sum_v p_v W_v.
/// m and log sum exp a are kept, so that a variant costs one product with the head and one softmax.
class DivergenceReference {
public:
    /// `hidden` fp32 [rows, n]: the full model's states after the final norm; `head` fp32 [vocab, n] is that
    /// of all variants.
    DivergenceReference(const at::Tensor& hidden, const at::Tensor& head);

    /// KL of the next-token distributions, row by row, nats, fp64 [rows]. `hidden` as above, of the variant.
    /// Rounding of fp32 logits leaves about 1e-6 a row, on either side of 0.
    [[nodiscard]] at::Tensor divergence(const at::Tensor& hidden) const;

private:
    at::Tensor m_head;
    at::Tensor m_hidden; ///< h, fp64 [rows, n]
    at::Tensor m_mean;   ///< m, fp64 [rows, n]
    at::Tensor m_logSum; ///< fp64 [rows]
};

} // namespace bdq
