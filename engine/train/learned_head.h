// Trainable matrix of size head_dim: of keys and queries after RoPE, or of values folded into v's rows and
// o's columns.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "engine/api/result.h"
#include "engine/train/leaves.h"
#include "engine/train/svd_factor.h"
#include "engine/transform/head_rotation.h"

namespace bdq::train {

/// What is learned about a matrix that is not an SvdFactor.
enum class HeadForm {
    Free,             ///< the matrix itself
    Fixed,            ///< nothing: the start stays
    Rotation,         ///< R, which an optimizer of orthogonal matrices keeps so (SpinQuant, arXiv 2405.16406)
    RotationAndScale, ///< R diag(exp s), s = 0 at the start (OSTQuant, arXiv 2501.13987: R_ov and S_ov)
    /// diag(exp s) M with the start M fixed and one s for each rotary pair (i, i + head_dim / 2), 0 at the
    /// start: commutes with RoPE, so it is OSTQuant's S_qk, which the paper has before it
    PairScale
};

struct HeadParameterisation {
    bool svd =
        false; ///< false: a free matrix, from the start (BDQ); true: SvdFactor (FlatQuant), without a start
    std::uint64_t seed = 0; ///< of the SvdFactor
    HeadForm form = HeadForm::Free;
    /// Of the forms with a rotation, instead of the start: orthogonal fp64 [head_dim, head_dim] for all
    /// heads, or [kv_heads, head_dim, head_dim] for values only.
    at::Tensor rotation{};
};

/// P [head_dim, head_dim], one for all heads, or of values [kv_heads, head_dim, head_dim], one for each head
/// of the cache. Parameters are fp32 (or fp64, for tests) leaves; matrices are
/// computed in fp64. Not usable under c10::InferenceMode; copies share parameters.
class LearnedHead {
public:
    /// `start`: nothing = identity. Errors: InvalidSpec (head_dim outside 1..4096, a start for an SVD pair),
    /// ShapeMismatch (start of other size).
    static Result<LearnedHead> create(std::int64_t headDim,
                                      const std::optional<transform::HeadRotation>& start,
                                      const HeadParameterisation& form, at::Device device,
                                      at::ScalarType type = at::kFloat);

    /// Differentiable matrices from the parameters: once per step, before the functions below.
    void prepare();
    /// k P for k [..., head_dim], any floating type.
    [[nodiscard]] at::Tensor applyToKeys(const at::Tensor& keys) const;
    /// q P^-T, so that (k P) . (q P^-T) = k . q.
    [[nodiscard]] at::Tensor applyToQueries(const at::Tensor& queries) const;
    /// v rows [kv_heads * head_dim, in] -> per head P^T W. A bias is folded as one column [kv_heads *
    /// head_dim, 1].
    [[nodiscard]] at::Tensor foldValue(const at::Tensor& valueRows) const;
    /// o [out, heads * head_dim] -> per head W P^-T.
    [[nodiscard]] at::Tensor foldOutput(const at::Tensor& output) const;

    /// Leaves without constraints, and those (fp64) that must stay orthogonal.
    [[nodiscard]] std::vector<at::Tensor> parameters() const;
    [[nodiscard]] std::vector<at::Tensor> rotations() const;
    /// Of one matrix for all heads, in fp64, on the CPU. Errors: NonFinite (singular, NaN, infinity).
    [[nodiscard]] Result<transform::HeadRotation> bake() const;
    [[nodiscard]] NamedTensors state() const { return copyOf(m_leaves); }
    /// Into the existing parameters; call prepare() afterwards. Errors: of assign().
    Status load(const NamedTensors& values) { return assign(m_leaves, values, "learned head"); }

private:
    LearnedHead() = default;
    Status setLeaves(const std::optional<transform::HeadRotation>& start, const HeadParameterisation& form,
                     at::Device device);
    [[nodiscard]] MatrixPair matrices() const;

    std::int64_t m_headDim = 0;
    at::ScalarType m_type = at::kFloat;
    HeadForm m_form = HeadForm::Free;
    std::optional<SvdFactor> m_factor;
    NamedTensors m_leaves;
    at::Tensor m_fixed;    ///< start of Fixed and PairScale, fp64
    MatrixPair m_prepared; ///< of the parameters' type
};

} // namespace bdq::train
