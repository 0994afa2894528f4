// Trainable input transform of one linear site: activations x -> x P, weights W -> W P^-T, differentiable in
// x, W and in the parameters of P = D B H (design/product.md 8; bdq.md 9; transforms.md 3).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "engine/api/result.h"
#include "engine/train/leaves.h"
#include "engine/train/svd_factor.h"
#include "engine/transform/site_transform.h"

namespace bdq::train {

/// How B is learned.
enum class Rotation {
    Fixed,        ///< B of the start
    CayleyBlocks, ///< B of the start times orthogonal blocks (I - A)(I + A)^-1, A skew, 0 at the start (BDQ)
    FreeBlocks, ///< any blocks, from the start's; the weight side takes their inverse (CAT, arXiv 2603.04359)
    Kronecker,  ///< P1 kron P2 as SvdFactor pairs (FlatQuant, arXiv 2410.09426)
    Shared      ///< B = the leaf SiteParameterisation::shared (SpinQuant, arXiv 2405.16406)
};

struct SiteParameterisation {
    bool learnDiagonal = true; ///< D, from the start's (1 where it has none)
    /// D in log space (BDQ; positive start required), or the numbers themselves, free to change sign
    /// (FlatQuant).
    bool logDiagonal = true;
    Rotation rotation = Rotation::CayleyBlocks;
    /// Channels per block where the start has no blocks; the last block is shorter when it does not divide n.
    std::int64_t blockSize = 64;
    /// Order of P1; 0 = kroneckerSizes(n). FlatQuant's transform across heads: the number of heads, and no
    /// right factor.
    std::int64_t kroneckerLeft = 0;
    bool learnKroneckerRight = true; ///< false: P2 = identity
    std::uint64_t seed = 0;          ///< of the Kronecker factors; sites need different ones
    /// Whether prepare() multiplies P out to [n, n]; nothing = on devices other than the CPU up to
    /// kDenseLimit.
    std::optional<bool> dense = std::nullopt;
    /// [n, n] orthogonal fp64 leaf of Rotation::Shared, which many sites have in common: not among
    /// parameters() nor in state(). The start must have no blocks, no Kronecker factors and no Hadamard.
    at::Tensor shared{};
    /// A diagonal behind everything else, log space, from 1: x -> (x P) * s, W -> (W P^-T) / s (OSTQuant,
    /// arXiv 2501.13987: the scale that folds into the norm of a rotated residual stream).
    bool learnOuterDiagonal = false;
};

/// Up to this n one [n, n] product is faster on a GPU than the structured ones, which are bound by memory.
inline constexpr std::int64_t kDenseLimit = 2048;

/// Parameters are fp32 (or fp64, for tests) leaves with requires_grad on one device. Small matrices are
/// computed in fp64 in every precision. Not usable under c10::InferenceMode; copies share parameters.
class LearnedSite {
public:
    /// `start`: D, B and H of a closed form; the identity of any size is allowed. Errors: InvalidSpec (a
    /// start that the parameterisation cannot represent), ShapeMismatch (start of other size).
    static Result<LearnedSite> create(std::int64_t features, const transform::SiteTransform& start,
                                      const SiteParameterisation& form, at::Device device,
                                      at::ScalarType type = at::kFloat);

    /// Skew matrices A, fp64 [blocks, k, k], of Rotation::CayleyBlocks; undefined otherwise.
    [[nodiscard]] at::Tensor skew() const;
    /// Differentiable matrices from the parameters, free of autocast: once per step, before the functions
    /// below. `rotations`: cayley(skew()) where the caller has it already, so that one solve serves many
    /// sites.
    void prepare(const at::Tensor& rotations = {});
    /// x [..., n] -> x P. Floating point of the parameters' type; bfloat16 and half too (result of that type
    /// when P is dense, else of the parameters').
    [[nodiscard]] at::Tensor applyToActivations(const at::Tensor& x) const { return apply(x, m_activations); }
    /// W [out, n] -> W P^-T.
    [[nodiscard]] at::Tensor applyToWeight(const at::Tensor& weight) const {
        return apply(weight, m_weights);
    }

    [[nodiscard]] std::vector<at::Tensor> parameters() const { return tensorsOf(m_leaves); }
    /// The transform that the parameters stand for, computed in fp64, on the CPU. Errors: NonFinite (NaN or
    /// infinity in a parameter, singular matrix).
    [[nodiscard]] Result<transform::SiteTransform> bake() const;

    /// Copies of the parameters by name, on their device.
    [[nodiscard]] NamedTensors state() const { return copyOf(m_leaves); }
    /// Into the existing parameters, whose tensors stay the same; call prepare() afterwards. Errors: of
    /// assign().
    Status load(const NamedTensors& values) { return assign(m_leaves, values, "learned site"); }

private:
    /// B in fp64: blocks [nb, k, k], or Kronecker factors (right undefined = identity); all undefined =
    /// identity.
    struct Middle {
        MatrixPair blocks, left, right;
        [[nodiscard]] bool isIdentity() const { return !blocks.forward.defined() && !left.forward.defined(); }
        /// Activations and weights get the same matrices (orthogonal B).
        [[nodiscard]] bool sameSides() const { return blocks.forward.is_same(blocks.inverseTransposed); }
    };
    /// One side, ready to be applied: dense [n, n] alone, or scale [n], blocks or factors, then H, then outer
    /// [n].
    struct Side {
        at::Tensor dense, scale, blocks, left, right, outer;
    };

    LearnedSite() = default;
    Status setDiagonal(const at::Tensor& start, const SiteParameterisation& form);
    Status setBlocks(const transform::TransformParts& start, const SiteParameterisation& form);
    Status setKronecker(const transform::TransformParts& start, const SiteParameterisation& form);
    Status setShared(const transform::TransformParts& start, const SiteParameterisation& form);
    void setPadding(std::int64_t size);
    [[nodiscard]] at::Tensor diagonal() const;
    [[nodiscard]] MatrixPair blocks(const at::Tensor& rotations) const;
    [[nodiscard]] Middle middle(const at::Tensor& rotations) const;
    [[nodiscard]] at::Tensor denseOf(const at::Tensor& blocks, const at::Tensor& left,
                                     const at::Tensor& right) const;
    void prepareDense(const Middle& middle);
    [[nodiscard]] at::Tensor apply(const at::Tensor& x, const Side& side) const;

    std::int64_t m_features = 0;
    at::Device m_device = at::kCPU;
    at::ScalarType m_type = at::kFloat;
    Rotation m_rotation = Rotation::Fixed;
    bool m_logDiagonal = true;
    bool m_dense = false;
    NamedTensors m_leaves;
    at::Tensor m_fixedDiagonal;           ///< fp64 [n]; undefined when learned or 1
    MatrixPair m_startBlocks;             ///< fp64 constants; one tensor twice when orthogonal
    MatrixPair m_fixedLeft, m_fixedRight; ///< fp64 constants
    at::Tensor m_inside;  ///< fp64 [nb, k, k], 0 in the padding of a shorter last block; undefined = 1
    at::Tensor m_padding; ///< fp64 [nb, k, k], the identity of the padding
    std::optional<SvdFactor> m_left, m_right;
    transform::SiteTransform m_hadamard; ///< H alone
    at::Tensor m_shared;                 ///< leaf [n, n] of other sites, too
    at::Tensor m_hadamardRows;           ///< H as fp64 [n, n], once prepare() has needed it
    at::Tensor m_constantDense[2];       ///< of a fixed B: activations, weights, without D
    Side m_activations, m_weights;
};

} // namespace bdq::train
