#include "engine/transform/site_transform.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "engine/analysis/hadamard.h"
#include "engine/transform/eigen_tensor.h"
#include "engine/transform/structured_multiply.h"

namespace bdq::transform {

namespace {

Status requireFinite(const at::Tensor& tensor, const char* name) {
    if (at::isfinite(tensor).all().item<bool>()) return {};
    return fail(ErrorCode::NonFinite,
                std::string("site transform: ") + name + " holds NaN or infinity; expected finite numbers");
}

Status requireSizes(const at::Tensor& tensor, const std::vector<std::int64_t>& expected, const char* name) {
    if (at::isFloatingType(tensor.scalar_type()) && tensor.sizes() == at::IntArrayRef(expected)) return {};
    std::string text =
        std::string("site transform: ") + name + " is " + at::toString(tensor.scalar_type()) + " [";
    for (const std::int64_t size : tensor.sizes())
        text += std::to_string(size) + " ";
    text += "]; expected Float or Double [";
    for (const std::int64_t size : expected)
        text += std::to_string(size) + " ";
    return fail(ErrorCode::ShapeMismatch, text + "]");
}

/// fp64 tensor whose values are exact in fp32.
at::Tensor roundedOnce(const at::Tensor& tensor) {
    return tensor.to(at::kCPU, at::kFloat).to(at::kDouble).contiguous();
}

} // namespace

Result<SiteTransform> SiteTransform::create(std::int64_t features, const TransformParts& parts) {
    if (features < 1 || features > analysis::kMaxHadamardSize)
        return fail(ErrorCode::InvalidSpec, "site transform: " + std::to_string(features) +
                                                " channels; expected 1.." +
                                                std::to_string(analysis::kMaxHadamardSize));
    SiteTransform transform;
    transform.m_features = features;
    if (parts.diagonal.defined()) BDQ_CHECK(transform.setDiagonal(parts.diagonal));
    if (parts.blocks.defined()) {
        BDQ_TRY(transform.m_blocks, transform.makeBlocks(parts.blocks, parts.blockSize, "blocks"));
    }
    if (parts.kroneckerLeft.defined() || parts.kroneckerRight.defined())
        BDQ_CHECK(transform.setKronecker(parts.kroneckerLeft, parts.kroneckerRight));
    if (parts.permutation.defined()) BDQ_CHECK(transform.setPermutation(parts.permutation));
    if (parts.secondBlocks.defined()) {
        BDQ_TRY(transform.m_second,
                transform.makeBlocks(parts.secondBlocks, parts.secondBlockSize, "second blocks"));
    }
    if (parts.hadamard) BDQ_CHECK(transform.setHadamard(parts.hadamardSeed));
    if (parts.rotation.defined() || parts.outerDiagonal.defined()) BDQ_CHECK(transform.setFolded(parts));
    return transform;
}

Status SiteTransform::setDiagonal(const at::Tensor& diagonal) {
    BDQ_CHECK(requireSizes(diagonal, {m_features}, "diagonal"));
    const at::Tensor forward = roundedOnce(diagonal);
    const at::Tensor inverse = forward.reciprocal();
    BDQ_CHECK(requireFinite(forward, "diagonal"));
    BDQ_CHECK(requireFinite(inverse, "the inverse of the diagonal (an entry is 0)"));
    m_diagonal = Diagonal{Pair::of(forward), Pair::of(inverse)};
    return {};
}

Result<SiteTransform::Blocks> SiteTransform::makeBlocks(const at::Tensor& blocks, std::int64_t size,
                                                        const char* name) const {
    if (size < 1)
        return fail(ErrorCode::InvalidSpec, std::string("site transform: size of ") + name + " is " +
                                                std::to_string(size) + "; expected at least 1");
    const std::int64_t count = (m_features - 1) / size + 1;
    BDQ_CHECK(requireSizes(blocks, {count, size, size}, name));
    if (size > m_features) // one short block: its padding is not kept
        return makeBlocks(blocks.narrow(1, 0, m_features).narrow(2, 0, m_features), m_features, name);
    at::Tensor forward = roundedOnce(blocks).clone();
    if (const std::int64_t rest = m_features % size; rest > 0) {
        at::Tensor last = forward[count - 1];
        const at::Tensor kept = last.narrow(0, 0, rest).narrow(1, 0, rest).clone();
        last.copy_(at::eye(size, last.options()));
        last.narrow(0, 0, rest).narrow(1, 0, rest).copy_(kept);
    }
    BDQ_CHECK(requireFinite(forward, name));
    const auto [inverse, info] = at::linalg_inv_ex(forward);
    if (info.ne(0).any().item<bool>())
        return fail(ErrorCode::NonFinite, std::string("site transform: one of the ") + name + " of " +
                                              std::to_string(size) + " channels is singular");
    BDQ_CHECK(requireFinite(inverse, "the inverse of the blocks"));
    return Blocks{Pair::of(forward), Pair::of(inverse.transpose(1, 2).contiguous())};
}

Status SiteTransform::setPermutation(const at::Tensor& permutation) {
    if (permutation.scalar_type() != at::kLong || permutation.sizes() != at::IntArrayRef{m_features})
        return fail(ErrorCode::ShapeMismatch,
                    std::string("site transform: permutation is ") + at::toString(permutation.scalar_type()) +
                        " with " + std::to_string(permutation.numel()) + " entries; expected Long [" +
                        std::to_string(m_features) + "]");
    const at::Tensor forward = permutation.to(at::kCPU).contiguous();
    const auto [sorted, inverse] = forward.sort();
    const at::Tensor misplaced = sorted.ne(at::arange(m_features, at::kLong)).nonzero();
    if (misplaced.size(0) > 0) {
        const auto channel = misplaced[0][0].item<std::int64_t>();
        return fail(ErrorCode::InvalidSpec, "site transform: sorted entry " + std::to_string(channel) +
                                                " of the permutation is " +
                                                std::to_string(sorted[channel].item<std::int64_t>()) +
                                                "; expected every channel once");
    }
    m_permutation = Permutation{forward, inverse};
    return {};
}

Status SiteTransform::setKronecker(const at::Tensor& left, const at::Tensor& right) {
    if (m_blocks)
        return fail(ErrorCode::InvalidSpec,
                    "site transform: found blocks and Kronecker factors; expected one of them");
    const auto order = [](const at::Tensor& factor) {
        return factor.defined() && factor.dim() == 2 ? factor.size(0) : std::int64_t{0};
    };
    const std::int64_t a = order(left);
    const std::int64_t b = order(right);
    if (a < 1 || b < 1 || a > m_features || m_features % a != 0 || m_features / a != b)
        return fail(ErrorCode::ShapeMismatch, "site transform: Kronecker factors have orders " +
                                                  std::to_string(a) + " and " + std::to_string(b) +
                                                  "; expected a product of " + std::to_string(m_features));
    Kronecker kronecker;
    BDQ_TRY(kronecker.left, makeFactor(left, "the left Kronecker factor"));
    BDQ_TRY(kronecker.right, makeFactor(right, "the right Kronecker factor"));
    m_kronecker = std::move(kronecker);
    return {};
}

Result<SiteTransform::Factor> SiteTransform::makeFactor(const at::Tensor& matrix, const char* name) {
    BDQ_CHECK(requireSizes(matrix, {matrix.size(0), matrix.size(0)}, name));
    const at::Tensor forward = roundedOnce(matrix);
    BDQ_CHECK(requireFinite(forward, name));
    const auto [inverse, info] = at::linalg_inv_ex(forward);
    if (info.item<int>() != 0)
        return fail(ErrorCode::NonFinite, std::string("site transform: ") + name + " of order " +
                                              std::to_string(forward.size(0)) + " is singular");
    BDQ_CHECK(requireFinite(inverse, name));
    const bool identity = at::equal(forward, at::eye(forward.size(0), forward.options()));
    return Factor{Pair::of(forward), Pair::of(inverse.t().contiguous()), identity};
}

Status SiteTransform::setHadamard(std::uint64_t seed) {
    BDQ_TRY(const analysis::HadamardPlan plan, analysis::hadamardPlan(m_features));
    Hadamard hadamard;
    hadamard.segments = plan.blocks;
    const bool two = plan.factors.size() == 2;
    // The whole normalisation sits in one factor: the other stays exact in fp32.
    const double norm = 1.0 / std::sqrt(static_cast<double>(plan.blockSize()));
    hadamard.left = Pair::of(two ? tensorOf(plan.factors.front()) : at::ones({1, 1}, at::kDouble));
    hadamard.right = Pair::of(tensorOf(plan.factors.back()) * norm);
    hadamard.signs = Pair::of(tensorOf(analysis::randomSigns(m_features, seed)).view({-1}));
    m_hadamard = std::move(hadamard);
    m_hadamardSeed = seed;
    return {};
}

TransformParts SiteTransform::parts() const {
    TransformParts parts;
    if (m_diagonal) parts.diagonal = m_diagonal->forward.f64;
    if (m_blocks) {
        parts.blocks = m_blocks->forward.f64;
        parts.blockSize = parts.blocks.size(1);
    }
    if (m_kronecker) {
        parts.kroneckerLeft = m_kronecker->left.forward.f64;
        parts.kroneckerRight = m_kronecker->right.forward.f64;
    }
    if (m_permutation) parts.permutation = m_permutation->forward;
    if (m_second) {
        parts.secondBlocks = m_second->forward.f64;
        parts.secondBlockSize = m_second->size();
    }
    parts.hadamard = m_hadamard.has_value();
    parts.hadamardSeed = m_hadamardSeed;
    if (m_folded && m_folded->rotation) parts.rotation = m_folded->rotation->f64;
    if (m_folded && m_folded->scale) parts.outerDiagonal = m_folded->scale->forward.f64;
    return parts;
}

SiteTransform::Pair SiteTransform::Pair::of(const at::Tensor& values) {
    return {values.to(at::kFloat), values.to(at::kDouble)};
}

SiteTransform::Pair SiteTransform::Pair::to(const at::Device& device) const {
    return {f32.to(device), f64.to(device)};
}

SiteTransform::Factor SiteTransform::Factor::to(const at::Device& device) const {
    return {forward.to(device), inverseTransposed.to(device), identity};
}

SiteTransform::Blocks SiteTransform::Blocks::to(const at::Device& device) const {
    return {forward.to(device), inverseTransposed.to(device)};
}

SiteTransform SiteTransform::to(const at::Device& device) const {
    SiteTransform moved = *this;
    if (m_diagonal)
        moved.m_diagonal = Diagonal{m_diagonal->forward.to(device), m_diagonal->inverse.to(device)};
    if (m_blocks) moved.m_blocks = m_blocks->to(device);
    if (m_permutation)
        moved.m_permutation =
            Permutation{m_permutation->forward.to(device), m_permutation->inverse.to(device)};
    if (m_second) moved.m_second = m_second->to(device);
    if (m_kronecker)
        moved.m_kronecker = Kronecker{m_kronecker->left.to(device), m_kronecker->right.to(device)};
    if (m_hadamard)
        moved.m_hadamard = Hadamard{m_hadamard->signs.to(device), m_hadamard->left.to(device),
                                    m_hadamard->right.to(device), m_hadamard->segments};
    if (m_folded) moved.m_folded = m_folded->to(device);
    return moved;
}

void SiteTransform::requireRows(const at::Tensor& x) const {
    TORCH_CHECK(x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble, "site transform: x is ",
                x.scalar_type(), "; expected Float or Double");
    TORCH_CHECK(x.dim() >= 1 && x.size(-1) == m_features, "site transform: x is ", x.sizes(),
                "; expected rows of ", m_features, " channels");
}

at::Tensor SiteTransform::applyBlocks(const at::Tensor& x, const Blocks& blocks, Side side,
                                      bool signsFollow) const {
    const at::ScalarType type = x.scalar_type();
    const bool inverse = side == Side::InverseTransposed;
    at::Tensor matrices = (inverse ? blocks.inverseTransposed : blocks.forward).as(type);
    // The signs ride on the columns of the blocks: one pass over the tokens less.
    if (signsFollow) matrices = matrices * paddedSigns(blocks, type);
    return multiplyBlocks(x, matrices);
}

// x P = x D B R C S K with B the blocks or the learned Kronecker product, R the permutation, C the second
// blocks, S the signs and K the Hadamard matrix; x P^-T = x D^-1 B^-T R C^-T S K because R, S and K are
// orthogonal.
at::Tensor SiteTransform::apply(const at::Tensor& x, Side side) const {
    if (isIdentity()) return x;
    requireRows(x);
    const at::ScalarType type = x.scalar_type();
    const bool inverse = side == Side::InverseTransposed;
    const bool reordered = m_permutation || m_second;
    bool signsLeft = m_hadamard.has_value();
    at::Tensor scale;
    if (m_diagonal) scale = (inverse ? m_diagonal->inverse : m_diagonal->forward).as(type);
    if (signsLeft && !m_blocks && !m_kronecker && !reordered) {
        const at::Tensor& signs = m_hadamard->signs.as(type);
        scale = scale.defined() ? scale * signs : signs;
        signsLeft = false;
    }
    at::Tensor result = scale.defined() ? x * scale : x;
    if (m_blocks) {
        result = applyBlocks(result, *m_blocks, side, signsLeft && !reordered);
        signsLeft = signsLeft && reordered;
    }
    if (m_kronecker)
        result = m_kronecker->multiply(
            result, [&](const Factor& f) { return (inverse ? f.inverseTransposed : f.forward).as(type); });
    if (m_permutation) result = result.index_select(-1, m_permutation->forward);
    if (m_second) {
        result = applyBlocks(result, *m_second, side, signsLeft);
        signsLeft = false;
    }
    if (signsLeft) result = result * m_hadamard->signs.as(type);
    return m_hadamard ? m_hadamard->multiply(result, false) : result;
}

at::Tensor SiteTransform::Hadamard::multiply(const at::Tensor& x, bool transposed) const {
    const auto as = [&](const Pair& pair) {
        const at::Tensor& factor = pair.as(x.scalar_type());
        return transposed ? factor.t() : factor;
    };
    const at::Tensor inner = multiplyRight(x, as(right));
    return left.f32.size(0) == 1 ? inner : multiplyLeft(inner, as(left), right.f32.size(0));
}

template <class Choose>
at::Tensor SiteTransform::Kronecker::multiply(const at::Tensor& x, const Choose& choose) const {
    at::Tensor result = x;
    if (!right.identity) result = multiplyRight(result, choose(right));
    if (!left.identity) result = multiplyLeft(result, choose(left), right.forward.f32.size(0));
    return result;
}

at::Tensor SiteTransform::paddedSigns(const Blocks& blocks, at::ScalarType type) const {
    const at::Tensor& signs = m_hadamard->signs.as(type);
    const std::int64_t count = blocks.forward.f32.size(0);
    const std::int64_t padding = count * blocks.size() - m_features;
    return at::constant_pad_nd(signs, {0, padding}, 1).view({count, 1, blocks.size()});
}

// x P^-1 = x K^T S C^-1 R^T B^-1 D^-1 and W P^T = W K^T S C^T R^T B^T D.
at::Tensor SiteTransform::revert(const at::Tensor& x, Side side) const {
    if (isIdentity()) return x;
    requireRows(x);
    const at::ScalarType type = x.scalar_type();
    const bool inverse = side == Side::Inverse;
    const auto undo = [&](const at::Tensor& rows, const Blocks& blocks) {
        const Pair& pair = inverse ? blocks.inverseTransposed : blocks.forward;
        return multiplyBlocks(rows, pair.as(type).transpose(1, 2));
    };
    at::Tensor result = x;
    if (m_hadamard) result = m_hadamard->multiply(result, true) * m_hadamard->signs.as(type);
    if (m_second) result = undo(result, *m_second);
    if (m_permutation) result = result.index_select(-1, m_permutation->inverse);
    if (m_blocks) result = undo(result, *m_blocks);
    if (m_kronecker)
        result = m_kronecker->multiply(result, [&](const Factor& f) {
            return (inverse ? f.inverseTransposed : f.forward).as(type).t();
        });
    if (m_diagonal) result = result * (inverse ? m_diagonal->inverse : m_diagonal->forward).as(type);
    return result;
}

at::Tensor SiteTransform::applyToActivations(const at::Tensor& x) const {
    const at::Tensor result = apply(x, Side::Forward);
    return m_folded ? m_folded->apply(result, false) : result;
}
at::Tensor SiteTransform::applyToWeight(const at::Tensor& weight) const {
    const at::Tensor result = apply(weight, Side::InverseTransposed);
    return m_folded ? m_folded->apply(result, true) : result;
}
at::Tensor SiteTransform::revertActivations(const at::Tensor& x) const {
    return revert(m_folded ? m_folded->revert(x, true) : x, Side::Inverse);
}
at::Tensor SiteTransform::revertWeight(const at::Tensor& weight) const {
    return revert(m_folded ? m_folded->revert(weight, false) : weight, Side::Transposed);
}

std::int64_t SiteTransform::Blocks::multiplies(std::int64_t features) const {
    const std::int64_t rest = features % size();
    return features / size() * size() * size() + rest * rest;
}

std::int64_t SiteTransform::onlineMultiplies() const {
    std::int64_t count = 0;
    for (const auto* blocks : {&m_blocks, &m_second})
        if (*blocks) count += (*blocks)->multiplies(m_features);
    if (m_kronecker)
        for (const Factor* factor : {&m_kronecker->left, &m_kronecker->right})
            count += factor->identity ? 0 : m_features * factor->forward.f32.size(0);
    if (m_hadamard) {
        const std::int64_t a = m_hadamard->left.f32.size(0);
        count += m_features * ((a > 1 ? a : 0) + m_hadamard->right.f32.size(0));
    }
    return count;
}

std::string SiteTransform::describe() const {
    if (isIdentity()) return "none";
    std::string text;
    const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
    if (m_diagonal) add("diagonal (folded)");
    const auto addBlocks = [&add](const Blocks& blocks) {
        add(std::to_string(blocks.forward.f32.size(0)) + " blocks of " + std::to_string(blocks.size()));
    };
    if (m_blocks) addBlocks(*m_blocks);
    if (m_kronecker)
        add("Kronecker " + std::to_string(m_kronecker->left.forward.f32.size(0)) + " x " +
            std::to_string(m_kronecker->right.forward.f32.size(0)));
    if (m_permutation) add("permutation");
    if (m_second) addBlocks(*m_second);
    if (m_hadamard) {
        const std::string factors = std::to_string(m_hadamard->left.f32.size(0)) + " x " +
                                    std::to_string(m_hadamard->right.f32.size(0));
        add(m_hadamard->segments == 1 ? "Hadamard " + factors
                                      : std::to_string(m_hadamard->segments) + " block Hadamards " + factors);
    }
    if (m_folded && m_folded->rotation) add("rotation of the residual stream (folded)");
    if (m_folded && m_folded->scale) add("outer diagonal (folded)");
    return text + ": " + std::to_string(onlineMultiplies()) + " multiplications per token";
}

} // namespace bdq::transform
