// Rotations of size head_dim for the KV cache: K after RoPE (with q) and V (folded into v rows and o
// columns).
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "engine/api/result.h"

namespace bdq::transform {

/// P [head_dim, head_dim] rounded to fp32, with P^-T derived from the rounded values in fp64.
class HeadRotation {
public:
    /// Randomised Hadamard. Errors: InvalidSpec (headDim outside 1..4096), Unsupported (no Hadamard plan).
    static Result<HeadRotation> create(std::int64_t headDim, std::uint64_t seed);
    /// Any invertible P [d, d], floating point, any device; the result lives on the CPU. Errors:
    /// ShapeMismatch, NonFinite (singular, NaN, infinity).
    static Result<HeadRotation> fromMatrix(const at::Tensor& matrix);

    [[nodiscard]] std::int64_t headDim() const { return m_forward.size(0); }
    /// P fp64 [d, d], values exact in fp32; acts on the right of row vectors.
    [[nodiscard]] const at::Tensor& matrix() const { return m_forward; }
    /// P^-T fp64 [d, d].
    [[nodiscard]] const at::Tensor& inverseTransposed() const { return m_inverseTransposed; }

    /// k P for k [..., head_dim] (fp32 or fp64, any device), after RoPE.
    [[nodiscard]] at::Tensor applyToKeys(const at::Tensor& keys) const;
    /// q P^-T, so that (k P) . (q P^-T) = k . q.
    [[nodiscard]] at::Tensor applyToQueries(const at::Tensor& queries) const;

    [[nodiscard]] HeadRotation to(const at::Device& device) const;

private:
    at::Tensor m_forward;             ///< fp64
    at::Tensor m_inverseTransposed;   ///< fp64
    at::Tensor m_forward32;           ///< fp32
    at::Tensor m_inverseTransposed32; ///< fp32
};

/// Weights of the value and output projections after the fold; y unchanged.
struct FoldedValues {
    at::Tensor valueWeight;  ///< [kv_heads * head_dim, in]: per head P^T W_v
    at::Tensor outputWeight; ///< [out, heads * head_dim]: per head W_o P^-T
    at::Tensor valueBias;    ///< [kv_heads * head_dim] per head b P; undefined when there was none
};

/// Folds P into v's rows and o's columns (QuaRot, arXiv 2404.00456: V side; design/transforms.md 4.1); one P
/// for all heads, so grouped-query attention needs nothing else. Computed in fp64, returned in the dtype of
/// the weights. `valueBias` may be undefined. Errors: ShapeMismatch naming the tensor.
Result<FoldedValues> foldValueRotation(const at::Tensor& valueWeight, const at::Tensor& outputWeight,
                                       const at::Tensor& valueBias, const HeadRotation& rotation,
                                       std::int64_t heads, std::int64_t kvHeads);

} // namespace bdq::transform
