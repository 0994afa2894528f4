// Input transform of one site: x -> ((x * d) B) R C H and W -> ((W / d) B^-T) R C^-T H, so that x W^T stays
// what it was. B is block-diagonal or a Kronecker product, R a permutation of channels, C block-diagonal.
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
        kroneckerRight; ///< P2 [b, b], a b = n, fp32 or fp64: B = P1 kron P2 instead of blocks (FlatQuant,
                        ///< arXiv 2410.09426); both or neither; an exact identity costs nothing
    at::Tensor permutation;  ///< R: int64 [n], channel j becomes channel permutation[j] of x D B (DuQuant,
                             ///< arXiv 2406.01721); undefined = none
    at::Tensor secondBlocks; ///< C, shaped as blocks; undefined = identity
    std::int64_t secondBlockSize = 0;
    bool hadamard = false;          ///< randomised Hadamard at the end
    std::uint64_t hadamardSeed = 0; ///< of its signs
    /// R [n, n], orthogonal to 1e-4, and s [n], non-zero, fp32 or fp64: after everything else, x -> (x R) * s
    /// and W -> (W R) / s. Both fold into the weights around the site (SpinQuant, arXiv 2405.16406; OSTQuant,
    /// arXiv 2501.13987), and one R serves many sites: copies share it, a TransformDetail has neither.
    at::Tensor rotation;
    at::Tensor outerDiagonal;
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
    /// and Kronecker factors at once, a channel twice in the permutation), Unsupported (no Hadamard plan for
    /// n).
    static Result<SiteTransform> create(std::int64_t features, const TransformParts& parts);
    /// From a saved analysis or run. Errors: as create, and BadFormat when the arrays do not fit `features`.
    static Result<SiteTransform> fromDetail(const TransformDetail& detail, std::int64_t features,
                                            std::uint64_t hadamardSeed);

    [[nodiscard]] bool isIdentity() const {
        return !m_diagonal && !m_blocks && !m_kronecker && !m_permutation && !m_second && !m_hadamard &&
               !m_folded;
    }
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

    /// Writes diagonal, both kinds of blocks and their sizes, inverseBlocks, Kronecker factors, permutation
    /// and hadamard (fp32); the caller stores hadamardSeed().
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
        [[nodiscard]] Blocks to(const at::Device& device) const;
        [[nodiscard]] std::int64_t size() const { return forward.f32.size(1); }
        [[nodiscard]] std::int64_t multiplies(std::int64_t features) const;
    };
    struct Permutation {
        at::Tensor forward, inverse; ///< int64 [n]
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
    struct Folded {
        std::optional<Pair> rotation; ///< R [n, n]
        std::optional<Diagonal> scale;
        [[nodiscard]] at::Tensor apply(const at::Tensor& x, bool inverse) const;
        [[nodiscard]] at::Tensor revert(const at::Tensor& x, bool inverse) const;
        [[nodiscard]] Folded to(const at::Device& device) const;
    };
    enum class Side { Forward, InverseTransposed, Inverse, Transposed };

    Status setDiagonal(const at::Tensor& diagonal);
    Result<Blocks> makeBlocks(const at::Tensor& blocks, std::int64_t size, const char* name) const;
    Status setPermutation(const at::Tensor& permutation);
    Status setKronecker(const at::Tensor& left, const at::Tensor& right);
    static Result<Factor> makeFactor(const at::Tensor& matrix, const char* name);
    Status setHadamard(std::uint64_t seed);
    Status setFolded(const TransformParts& parts);
    void requireRows(const at::Tensor& x) const;
    [[nodiscard]] at::Tensor paddedSigns(const Blocks& blocks, at::ScalarType type) const;
    [[nodiscard]] at::Tensor applyBlocks(const at::Tensor& x, const Blocks& blocks, Side side,
                                         bool signsFollow) const;
    [[nodiscard]] at::Tensor apply(const at::Tensor& x, Side side) const;
    [[nodiscard]] at::Tensor revert(const at::Tensor& x, Side side) const;

    std::int64_t m_features = 0;
    std::optional<Diagonal> m_diagonal;
    std::optional<Blocks> m_blocks;
    std::optional<Kronecker> m_kronecker;
    std::optional<Permutation> m_permutation;
    std::optional<Blocks> m_second;
    std::optional<Hadamard> m_hadamard;
    std::optional<Folded> m_folded;
    std::uint64_t m_hadamardSeed = 0;
};

} // namespace bdq::transform
