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

std::vector<float> toVector(const at::Tensor& tensor) {
    const at::Tensor values = tensor.to(at::kCPU, at::kFloat).contiguous();
    const float* data = values.const_data_ptr<float>();
    return {data, data + values.numel()};
}

/// [nb, k, k] -> the blocks one after the other, a shorter last one without its padding.
std::vector<float> packBlocks(const at::Tensor& blocks, std::int64_t n) {
    std::vector<float> packed;
    const std::int64_t k = blocks.size(1);
    for (std::int64_t i = 0; i < blocks.size(0); ++i) {
        const std::int64_t width = std::min(k, n - i * k);
        const auto part = toVector(blocks[i].narrow(0, 0, width).narrow(1, 0, width));
        packed.insert(packed.end(), part.begin(), part.end());
    }
    return packed;
}

Result<at::Tensor> unpackBlocks(const std::vector<float>& packed, std::int64_t k, std::int64_t n) {
    if (k < 1 || k > n)
        return fail(ErrorCode::BadFormat, "site transform: block size is " + std::to_string(k) +
                                              "; expected 1.." + std::to_string(n));
    const std::int64_t whole = n / k;
    const std::int64_t rest = n % k;
    const auto expected = static_cast<std::size_t>(whole * k * k + rest * rest);
    if (packed.size() != expected)
        return fail(ErrorCode::BadFormat, "site transform: blocks hold " + std::to_string(packed.size()) +
                                              " numbers; expected " + std::to_string(expected) + " for " +
                                              std::to_string(n) + " channels in blocks of " +
                                              std::to_string(k));
    at::Tensor blocks = at::zeros({whole + (rest > 0 ? 1 : 0), k, k}, at::kFloat);
    std::copy_n(packed.data(), whole * k * k, blocks.mutable_data_ptr<float>());
    for (std::int64_t row = 0; row < rest; ++row)
        std::copy_n(packed.data() + whole * k * k + row * rest, rest,
                    blocks.mutable_data_ptr<float>() + (whole * k + row) * k);
    return blocks;
}

/// [k, k] from k^2 numbers.
Result<at::Tensor> squareOf(const std::vector<float>& values, const char* name) {
    const auto order = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(values.size()))));
    if (order < 1 || static_cast<std::size_t>(order) * static_cast<std::size_t>(order) != values.size())
        return fail(ErrorCode::BadFormat, std::string("site transform: ") + name + " holds " +
                                              std::to_string(values.size()) +
                                              " numbers; expected a square number of them");
    at::Tensor matrix = at::empty({order, order}, at::kFloat);
    std::copy(values.begin(), values.end(), matrix.mutable_data_ptr<float>());
    return matrix;
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
    if (parts.blocks.defined()) BDQ_CHECK(transform.setBlocks(parts.blocks, parts.blockSize));
    if (parts.kroneckerLeft.defined() || parts.kroneckerRight.defined())
        BDQ_CHECK(transform.setKronecker(parts.kroneckerLeft, parts.kroneckerRight));
    if (parts.hadamard) BDQ_CHECK(transform.setHadamard(parts.hadamardSeed));
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

Status SiteTransform::setBlocks(const at::Tensor& blocks, std::int64_t size) {
    if (size < 1)
        return fail(ErrorCode::InvalidSpec,
                    "site transform: block size is " + std::to_string(size) + "; expected at least 1");
    const std::int64_t count = (m_features - 1) / size + 1;
    BDQ_CHECK(requireSizes(blocks, {count, size, size}, "blocks"));
    if (size > m_features) // one short block: its padding is not kept
        return setBlocks(blocks.narrow(1, 0, m_features).narrow(2, 0, m_features), m_features);
    at::Tensor forward = roundedOnce(blocks).clone();
    if (const std::int64_t rest = m_features % size; rest > 0) {
        at::Tensor last = forward[count - 1];
        const at::Tensor kept = last.narrow(0, 0, rest).narrow(1, 0, rest).clone();
        last.copy_(at::eye(size, last.options()));
        last.narrow(0, 0, rest).narrow(1, 0, rest).copy_(kept);
    }
    BDQ_CHECK(requireFinite(forward, "blocks"));
    const auto [inverse, info] = at::linalg_inv_ex(forward);
    if (info.ne(0).any().item<bool>())
        return fail(ErrorCode::NonFinite,
                    "site transform: a block of " + std::to_string(size) + " channels is singular");
    BDQ_CHECK(requireFinite(inverse, "the inverse of the blocks"));
    m_blocks = Blocks{Pair::of(forward), Pair::of(inverse.transpose(1, 2).contiguous())};
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

Result<SiteTransform> SiteTransform::fromDetail(const TransformDetail& detail, std::int64_t features,
                                                std::uint64_t hadamardSeed) {
    TransformParts parts;
    if (!detail.diagonal.empty()) {
        if (static_cast<std::int64_t>(detail.diagonal.size()) != features)
            return fail(ErrorCode::BadFormat, "site transform: diagonal holds " +
                                                  std::to_string(detail.diagonal.size()) +
                                                  " numbers; expected " + std::to_string(features));
        parts.diagonal = at::empty({features}, at::kFloat);
        std::copy(detail.diagonal.begin(), detail.diagonal.end(), parts.diagonal.mutable_data_ptr<float>());
    }
    if (detail.blockSize != 0) {
        BDQ_TRY(parts.blocks, unpackBlocks(detail.blocks, detail.blockSize, features));
        parts.blockSize = detail.blockSize;
    }
    if (!detail.kroneckerLeft.empty() || !detail.kroneckerRight.empty()) {
        BDQ_TRY(parts.kroneckerLeft, squareOf(detail.kroneckerLeft, "left Kronecker factor"));
        BDQ_TRY(parts.kroneckerRight, squareOf(detail.kroneckerRight, "right Kronecker factor"));
    }
    parts.hadamard = detail.hadamard;
    parts.hadamardSeed = hadamardSeed;
    return create(features, parts);
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
    parts.hadamard = m_hadamard.has_value();
    parts.hadamardSeed = m_hadamardSeed;
    return parts;
}

void SiteTransform::toDetail(TransformDetail& detail) const {
    detail.diagonal = m_diagonal ? toVector(m_diagonal->forward.f32) : std::vector<float>{};
    detail.blockSize = m_blocks ? static_cast<int>(m_blocks->forward.f32.size(1)) : 0;
    detail.blocks = m_blocks ? packBlocks(m_blocks->forward.f32, m_features) : std::vector<float>{};
    detail.inverseBlocks =
        m_blocks ? packBlocks(m_blocks->inverseTransposed.f32, m_features) : std::vector<float>{};
    const auto factor = [](const Factor& f) { return toVector(f.forward.f32); };
    detail.kroneckerLeft = m_kronecker ? factor(m_kronecker->left) : std::vector<float>{};
    detail.kroneckerRight = m_kronecker ? factor(m_kronecker->right) : std::vector<float>{};
    detail.hadamard = m_hadamard.has_value();
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

SiteTransform SiteTransform::to(const at::Device& device) const {
    SiteTransform moved = *this;
    if (m_diagonal)
        moved.m_diagonal = Diagonal{m_diagonal->forward.to(device), m_diagonal->inverse.to(device)};
    if (m_blocks)
        moved.m_blocks = Blocks{m_blocks->forward.to(device), m_blocks->inverseTransposed.to(device)};
    if (m_kronecker)
        moved.m_kronecker = Kronecker{m_kronecker->left.to(device), m_kronecker->right.to(device)};
    if (m_hadamard)
        moved.m_hadamard = Hadamard{m_hadamard->signs.to(device), m_hadamard->left.to(device),
                                    m_hadamard->right.to(device), m_hadamard->segments};
    return moved;
}

void SiteTransform::requireRows(const at::Tensor& x) const {
    TORCH_CHECK(x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble, "site transform: x is ",
                x.scalar_type(), "; expected Float or Double");
    TORCH_CHECK(x.dim() >= 1 && x.size(-1) == m_features, "site transform: x is ", x.sizes(),
                "; expected rows of ", m_features, " channels");
}

// x P = x D B S K with B the blocks or the learned Kronecker product, S the signs and K the Hadamard matrix;
// x P^-T = x D^-1 B^-T S K because S and K are orthogonal.
at::Tensor SiteTransform::apply(const at::Tensor& x, Side side) const {
    if (isIdentity()) return x;
    requireRows(x);
    const at::ScalarType type = x.scalar_type();
    const bool inverse = side == Side::InverseTransposed;
    at::Tensor scale;
    if (m_diagonal) scale = (inverse ? m_diagonal->inverse : m_diagonal->forward).as(type);
    if (m_hadamard && !m_blocks && !m_kronecker) {
        const at::Tensor& signs = m_hadamard->signs.as(type);
        scale = scale.defined() ? scale * signs : signs;
    }
    at::Tensor result = scale.defined() ? x * scale : x;
    if (m_blocks) {
        at::Tensor blocks = (inverse ? m_blocks->inverseTransposed : m_blocks->forward).as(type);
        // The signs ride on the columns of the blocks: one pass over the tokens less.
        if (m_hadamard) blocks = blocks * paddedSigns(type);
        result = multiplyBlocks(result, blocks);
    }
    if (m_kronecker) {
        result = m_kronecker->multiply(
            result, [&](const Factor& f) { return (inverse ? f.inverseTransposed : f.forward).as(type); });
        if (m_hadamard) result = result * m_hadamard->signs.as(type);
    }
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

at::Tensor SiteTransform::paddedSigns(at::ScalarType type) const {
    const at::Tensor& signs = m_hadamard->signs.as(type);
    const at::Tensor& blocks = m_blocks->forward.f32;
    const std::int64_t padding = blocks.size(0) * blocks.size(1) - m_features;
    return at::constant_pad_nd(signs, {0, padding}, 1).view({blocks.size(0), 1, blocks.size(1)});
}

// x P^-1 = x K^T S B^-1 D^-1 and W P^T = W K^T S B^T D.
at::Tensor SiteTransform::revert(const at::Tensor& x, Side side) const {
    if (isIdentity()) return x;
    requireRows(x);
    const at::ScalarType type = x.scalar_type();
    const bool inverse = side == Side::Inverse;
    at::Tensor result = x;
    if (m_hadamard) result = m_hadamard->multiply(result, true) * m_hadamard->signs.as(type);
    if (m_blocks) {
        const Pair& pair = inverse ? m_blocks->inverseTransposed : m_blocks->forward;
        result = multiplyBlocks(result, pair.as(type).transpose(1, 2));
    }
    if (m_kronecker)
        result = m_kronecker->multiply(result, [&](const Factor& f) {
            return (inverse ? f.inverseTransposed : f.forward).as(type).t();
        });
    if (m_diagonal) result = result * (inverse ? m_diagonal->inverse : m_diagonal->forward).as(type);
    return result;
}

at::Tensor SiteTransform::applyToActivations(const at::Tensor& x) const {
    return apply(x, Side::Forward);
}
at::Tensor SiteTransform::applyToWeight(const at::Tensor& weight) const {
    return apply(weight, Side::InverseTransposed);
}
at::Tensor SiteTransform::revertActivations(const at::Tensor& x) const {
    return revert(x, Side::Inverse);
}
at::Tensor SiteTransform::revertWeight(const at::Tensor& weight) const {
    return revert(weight, Side::Transposed);
}

std::int64_t SiteTransform::onlineMultiplies() const {
    std::int64_t count = 0;
    if (m_blocks) {
        const std::int64_t k = m_blocks->forward.f32.size(1);
        const std::int64_t rest = m_features % k;
        count += m_features / k * k * k + rest * rest;
    }
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
    if (m_blocks) {
        const at::Tensor& blocks = m_blocks->forward.f32;
        add(std::to_string(blocks.size(0)) + " blocks of " + std::to_string(blocks.size(1)));
    }
    if (m_kronecker)
        add("Kronecker " + std::to_string(m_kronecker->left.forward.f32.size(0)) + " x " +
            std::to_string(m_kronecker->right.forward.f32.size(0)));
    if (m_hadamard) {
        const std::string factors = std::to_string(m_hadamard->left.f32.size(0)) + " x " +
                                    std::to_string(m_hadamard->right.f32.size(0));
        add(m_hadamard->segments == 1 ? "Hadamard " + factors
                                      : std::to_string(m_hadamard->segments) + " block Hadamards " + factors);
    }
    return text + ": " + std::to_string(onlineMultiplies()) + " multiplications per token";
}

} // namespace bdq::transform
