// Input transform of one site: x -> ((x * d) B) H and W -> ((W / d) B^-T) H, so that x W^T stays what it was.
// B is block-diagonal or a Kronecker product.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <ATen/core/Tensor.h>

#include "engine/api/result.h"
#include "engine/api/site_analysis.h"

namespace bdq::transform {

/// Parts of a transform; leave out what is not used.
struct TransformParts {
    at::Tensor diagonal; ///< d [n], fp32 or fp64, non-zero; undefined = 1
    at::Tensor blocks;   ///< B_i [ceil(n / k), k, k] fp32 or fp64; of a shorter last block only the leading
                         ///< [m, m] part counts; undefined = identity
    std::int64_t blockSize = 0; ///< k; 0 = no blocks
    at::Tensor kroneckerLeft;   ///< P1 [a, a] and
    at::Tensor
        kroneckerRight;    ///< P2 [b, b], a b = n, fp32 or fp64: B = P1 kron P2 instead of blocks (FlatQuant,
                           ///< arXiv 2410.09426); both or neither; an exact identity costs nothing
    bool hadamard = false; ///< randomised Hadamard at the end
    std::uint64_t hadamardSeed = 0; ///< of its signs
};

/// Immutable; copies share storage. Row vectors: activations x [..., n], weights W [out, n] as in torch.
/// H = diag(signs) (A kron B) / sqrt(n) with the factors of analysis::hadamardPlan, applied as two small
/// products per token (cost n (a + b)), and so is P1 kron P2. d and B (or its factors) are rounded to fp32
/// first and the weight side is derived from the rounded values in fp64, so the pair stays exact
/// (design/cat_wush.md 6.3, "precision").
class SiteTransform {
public:
    /// Identity of any size.
    SiteTransform() = default;

    /// Errors: ShapeMismatch, NonFinite (zero or non-finite d, singular block or factor), InvalidSpec (blocks
    /// and Kronecker factors at once), Unsupported (no Hadamard plan for n).
    static Result<SiteTransform> create(std::int64_t features, const TransformParts& parts);
    /// From a saved analysis or run. Errors: as create, and BadFormat when the arrays do not fit `features`.
    static Result<SiteTransform> fromDetail(const TransformDetail& detail, std::int64_t features,
                                            std::uint64_t hadamardSeed);

    [[nodiscard]] bool isIdentity() const { return !m_diagonal && !m_blocks && !m_kronecker && !m_hadamard; }
    /// n; 0 for the default-constructed identity.
    [[nodiscard]] std::int64_t features() const { return m_features; }
    [[nodiscard]] std::uint64_t hadamardSeed() const { return m_hadamardSeed; }
    /// What create() was given, fp64 with values exact in fp32; a shorter last block is padded with the
    /// identity.
    [[nodiscard]] TransformParts parts() const;

    /// x P; x fp32 or fp64 [..., n] on this transform's device. Preconditions (c10::Error otherwise): dtype,
    /// last size.
    [[nodiscard]] at::Tensor applyToActivations(const at::Tensor& x) const;
    /// W P^-T; W fp32 or fp64 [out, n].
    [[nodiscard]] at::Tensor applyToWeight(const at::Tensor& weight) const;
    /// x P^-1 and W P^T: back to the original space.
    [[nodiscard]] at::Tensor revertActivations(const at::Tensor& x) const;
    [[nodiscard]] at::Tensor revertWeight(const at::Tensor& weight) const;

    [[nodiscard]] SiteTransform to(const at::Device& device) const;

    /// Writes diagonal, blockSize, blocks, inverseBlocks, Kronecker factors and hadamard (fp32); the caller
    /// stores hadamardSeed().
    void toDetail(TransformDetail& detail) const;

    /// Multiplications per token of what stays online. The diagonal is folded into the layer before (norm
    /// gain, v or up rows), so it is not counted.
    [[nodiscard]] std::int64_t onlineMultiplies() const;
    /// e.g. "diagonal (folded), 9 blocks of 64, Hadamard 24 x 24: 64512 multiplications per token".
    [[nodiscard]] std::string describe() const;

private:
    /// One parameter in both precisions; fp64 holds exactly the values that fp32 rounds.
    struct Pair {
        at::Tensor f32;
        at::Tensor f64;
        static Pair of(const at::Tensor& values);
        [[nodiscard]] Pair to(const at::Device& device) const;
        [[nodiscard]] const at::Tensor& as(at::ScalarType type) const {
            return type == at::kDouble ? f64 : f32;
        }
    };
    struct Hadamard {
        Pair signs;                ///< [n], +-1
        Pair left, right;          ///< [a, a], [b, b]: normalised factors, n = segments * a * b
        std::int64_t segments = 1; ///< > 1: block Hadamard, the same factors on each of `segments` pieces
        [[nodiscard]] at::Tensor multiply(const at::Tensor& x, bool transposed) const; ///< without the signs
    };
    struct Blocks {
        Pair forward, inverseTransposed; ///< [nb, k, k], identity in the padding of a shorter last block
    };
    struct Factor {
        Pair forward, inverseTransposed; ///< [k, k]
        bool identity = false;           ///< exactly: its product is left out
        [[nodiscard]] Factor to(const at::Device& device) const;
    };
    struct Kronecker {
        Factor left, right;
        template <class Choose>
        [[nodiscard]] at::Tensor multiply(const at::Tensor& x, const Choose& choose) const;
    };
    struct Diagonal {
        Pair forward, inverse; ///< [n]
    };
    enum class Side { Forward, InverseTransposed, Inverse, Transposed };

    Status setDiagonal(const at::Tensor& diagonal);
    Status setBlocks(const at::Tensor& blocks, std::int64_t size);
    Status setKronecker(const at::Tensor& left, const at::Tensor& right);
    static Result<Factor> makeFactor(const at::Tensor& matrix, const char* name);
    Status setHadamard(std::uint64_t seed);
    void requireRows(const at::Tensor& x) const;
    [[nodiscard]] at::Tensor paddedSigns(at::ScalarType type) const;
    [[nodiscard]] at::Tensor apply(const at::Tensor& x, Side side) const;
    [[nodiscard]] at::Tensor revert(const at::Tensor& x, Side side) const;

    std::int64_t m_features = 0;
    std::optional<Diagonal> m_diagonal;
    std::optional<Blocks> m_blocks;
    std::optional<Kronecker> m_kronecker;
    std::optional<Hadamard> m_hadamard;
    std::uint64_t m_hadamardSeed = 0;
};

} // namespace bdq::transform
