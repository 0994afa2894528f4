#include "engine/train/learned_site.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include "engine/train/cayley.h"
#include "engine/train/kronecker.h"
#include "engine/transform/structured_multiply.h"

namespace bdq::train {

namespace {

/// Closed-form rotations are stored in fp32: their products with themselves are off by some 2^-24 sqrt(k).
constexpr double kOrthogonal = 1e-5;
constexpr const char* kOuter = "outer";

MatrixPair pairOf(const at::Tensor& matrix, at::Device device) {
    if (!matrix.defined()) return {};
    const at::Tensor forward = matrix.to(device, at::kDouble).clone();
    const at::Tensor one = at::eye(forward.size(-1), forward.options());
    const at::Tensor gram = at::matmul(forward, forward.transpose(-1, -2));
    if ((gram - one).abs().max().item<double>() < kOrthogonal) return {forward, forward};
    return {forward, at::linalg_inv(forward).transpose(-1, -2).contiguous()};
}

Status invalid(const std::string& text) {
    return fail(ErrorCode::InvalidSpec, "learned site: " + text);
}

/// x blockdiag(blocks) with blocks [nb, k, k] padded to nb * k channels; differentiable.
at::Tensor multiplyPaddedBlocks(const at::Tensor& x, const at::Tensor& blocks) {
    const std::int64_t n = x.size(-1);
    const std::int64_t count = blocks.size(0);
    const std::int64_t k = blocks.size(1);
    at::Tensor rows = x.reshape({-1, n});
    if (n < count * k) rows = at::constant_pad_nd(rows, {0, count * k - n});
    const at::Tensor parts = rows.view({-1, count, k}).transpose(0, 1);
    const at::Tensor product = at::bmm(parts, blocks).transpose(0, 1).reshape({-1, count * k});
    return product.narrow(1, 0, n).reshape(x.sizes());
}

} // namespace

Result<LearnedSite> LearnedSite::create(std::int64_t features, const transform::SiteTransform& start,
                                        const SiteParameterisation& form, at::Device device,
                                        at::ScalarType type) {
    if (features < 1 || (start.features() != 0 && start.features() != features))
        return fail(ErrorCode::ShapeMismatch, "learned site: start has " + std::to_string(start.features()) +
                                                  " channels; expected " + std::to_string(features));
    if (type != at::kFloat && type != at::kDouble)
        return fail(ErrorCode::InvalidSpec, std::string("learned site: type is ") + at::toString(type) +
                                                "; expected Float or Double");
    LearnedSite site;
    site.m_features = features;
    site.m_device = device;
    site.m_type = type;
    site.m_rotation = form.rotation;
    const transform::TransformParts parts = start.parts();
    if (parts.permutation.defined() || parts.secondBlocks.defined())
        return fail(ErrorCode::InvalidSpec,
                    "learned site: start has a permutation or second blocks; expected neither");
    BDQ_CHECK(site.setDiagonal(parts.diagonal, form));
    BDQ_CHECK(site.setBlocks(parts, form));
    BDQ_CHECK(site.setKronecker(parts, form));
    BDQ_CHECK(site.setShared(parts, form));
    if (parts.hadamard) {
        transform::TransformParts hadamard;
        hadamard.hadamard = true;
        hadamard.hadamardSeed = parts.hadamardSeed;
        BDQ_TRY(const transform::SiteTransform made, transform::SiteTransform::create(features, hadamard));
        site.m_hadamard = made.to(device);
    }
    const bool structured = parts.hadamard || !site.middle({}).isIdentity();
    site.m_dense = structured && form.dense.value_or(!device.is_cpu() && features <= kDenseLimit);
    return site;
}

Status LearnedSite::setDiagonal(const at::Tensor& start, const SiteParameterisation& form) {
    m_logDiagonal = form.logDiagonal;
    if (!form.learnDiagonal) {
        if (start.defined()) m_fixedDiagonal = start.to(m_device).clone();
        return {};
    }
    const at::Tensor values = start.defined() ? start : at::ones({m_features}, at::kDouble);
    if (m_logDiagonal && values.le(0).any().item<bool>())
        return invalid("smallest entry of the starting diagonal is " +
                       std::to_string(values.min().item<double>()) +
                       "; expected positive numbers for a diagonal learned in log space");
    m_leaves["diagonal"] = leaf(m_logDiagonal ? values.log() : values, m_device, m_type);
    return {};
}

Status LearnedSite::setBlocks(const transform::TransformParts& start, const SiteParameterisation& form) {
    const bool learned = form.rotation == Rotation::CayleyBlocks || form.rotation == Rotation::FreeBlocks;
    if (form.rotation == Rotation::Kronecker && start.blocks.defined())
        return invalid("start has blocks; expected none for Kronecker factors");
    if (form.blockSize < 1)
        return invalid("block size is " + std::to_string(form.blockSize) + "; expected >= 1");
    if (form.rotation != Rotation::FreeBlocks) m_startBlocks = pairOf(start.blocks, m_device);
    if (!learned) return {};
    const std::int64_t size = start.blocks.defined() ? start.blockSize : std::min(form.blockSize, m_features);
    const std::int64_t count = (m_features - 1) / size + 1;
    setPadding(size);
    if (form.rotation == Rotation::CayleyBlocks) {
        m_leaves["skew"] = leaf(at::zeros({count, size, size}), m_device, m_type);
        return {};
    }
    const at::Tensor identity = at::eye(size, at::kDouble).expand({count, size, size});
    m_leaves["blocks"] = leaf(start.blocks.defined() ? start.blocks : identity, m_device, m_type);
    return {};
}

void LearnedSite::setPadding(std::int64_t size) {
    const std::int64_t rest = m_features % size;
    if (rest == 0) return;
    const std::int64_t count = m_features / size + 1;
    m_inside = at::ones({count, size, size}, at::kDouble);
    m_inside[count - 1].zero_().narrow(0, 0, rest).narrow(1, 0, rest).fill_(1);
    m_padding = at::zeros_like(m_inside);
    m_padding[count - 1].diagonal().narrow(0, rest, size - rest).fill_(1);
    m_inside = m_inside.to(m_device);
    m_padding = m_padding.to(m_device);
}

Status LearnedSite::setKronecker(const transform::TransformParts& start, const SiteParameterisation& form) {
    if (start.kroneckerLeft.defined()) {
        if (form.rotation != Rotation::Fixed)
            return invalid("start has Kronecker factors; expected none unless the rotation is fixed");
        m_fixedLeft = pairOf(start.kroneckerLeft, m_device);
        m_fixedRight = pairOf(start.kroneckerRight, m_device);
        return {};
    }
    if (form.rotation != Rotation::Kronecker) return {};
    KroneckerSizes sizes = kroneckerSizes(m_features);
    if (form.kroneckerLeft != 0) {
        if (form.kroneckerLeft < 1 || m_features % form.kroneckerLeft != 0)
            return invalid("order of the left Kronecker factor is " + std::to_string(form.kroneckerLeft) +
                           "; expected a divisor of " + std::to_string(m_features));
        sizes = {form.kroneckerLeft, m_features / form.kroneckerLeft};
    }
    m_left.emplace(sizes.left, 2 * form.seed, m_device, m_type);
    addLeaves(m_leaves, "left.", m_left->leaves());
    if (!form.learnKroneckerRight) return {};
    m_right.emplace(sizes.right, 2 * form.seed + 1, m_device, m_type);
    addLeaves(m_leaves, "right.", m_right->leaves());
    return {};
}

Status LearnedSite::setShared(const transform::TransformParts& start, const SiteParameterisation& form) {
    if (form.learnOuterDiagonal) m_leaves[kOuter] = leaf(at::zeros({m_features}), m_device, m_type);
    if (form.rotation != Rotation::Shared) return {};
    if (start.blocks.defined() || start.kroneckerLeft.defined() || start.hadamard)
        return invalid(
            "start has blocks, Kronecker factors or a Hadamard; expected a diagonal alone before a "
            "shared rotation");
    if (!form.shared.defined() || form.shared.scalar_type() != at::kDouble ||
        form.shared.sizes() != at::IntArrayRef{m_features, m_features})
        return fail(ErrorCode::ShapeMismatch,
                    "learned site: the shared rotation is " +
                        (form.shared.defined()
                             ? at::toString(form.shared.scalar_type()) + c10::str(form.shared.sizes())
                             : std::string("undefined")) +
                        "; expected Double[" + std::to_string(m_features) + ", " +
                        std::to_string(m_features) + "]");
    m_shared = form.shared;
    return {};
}

at::Tensor LearnedSite::diagonal() const {
    const auto learned = m_leaves.find("diagonal");
    if (learned == m_leaves.end()) return m_fixedDiagonal;
    const at::Tensor values = learned->second.to(at::kDouble);
    return m_logDiagonal ? values.exp() : values;
}

at::Tensor LearnedSite::skew() const {
    if (m_rotation != Rotation::CayleyBlocks) return {};
    const at::Tensor free = m_leaves.at("skew").to(at::kDouble);
    return skewOf(m_inside.defined() ? free * m_inside : free);
}

MatrixPair LearnedSite::blocks(const at::Tensor& rotations) const {
    if (m_rotation == Rotation::CayleyBlocks) {
        const at::Tensor learned = rotations.defined() ? rotations : cayley(skew());
        if (!m_startBlocks.forward.defined()) return {learned, learned};
        const at::Tensor forward = at::bmm(m_startBlocks.forward, learned);
        if (m_startBlocks.forward.is_same(m_startBlocks.inverseTransposed)) return {forward, forward};
        return {forward, at::bmm(m_startBlocks.inverseTransposed, learned)};
    }
    if (m_rotation == Rotation::FreeBlocks) {
        at::Tensor forward = m_leaves.at("blocks").to(at::kDouble);
        if (m_inside.defined()) forward = forward * m_inside + m_padding;
        return {forward, std::get<0>(at::linalg_inv_ex(forward)).transpose(1, 2)};
    }
    if (m_rotation == Rotation::Shared) {
        const at::Tensor rotation = m_shared.unsqueeze(0);
        return {rotation, rotation};
    }
    return m_startBlocks;
}

LearnedSite::Middle LearnedSite::middle(const at::Tensor& rotations) const {
    Middle made{blocks(rotations), m_fixedLeft, m_fixedRight};
    if (m_left) made.left = m_left->matrices();
    if (m_right) made.right = m_right->matrices();
    return made;
}

at::Tensor LearnedSite::denseOf(const at::Tensor& blocks, const at::Tensor& left,
                                const at::Tensor& right) const {
    at::Tensor rows;
    if (blocks.defined() && m_hadamardRows.defined() && m_features % blocks.size(1) == 0) {
        const at::Tensor parts = m_hadamardRows.view({blocks.size(0), blocks.size(1), m_features});
        return at::bmm(blocks, parts).view({m_features, m_features}).to(m_type);
    }
    if (blocks.defined()) {
        const std::int64_t padded = blocks.size(0) * blocks.size(1);
        rows = at::diag_embed(blocks.permute({1, 2, 0}), 0, 0, 2).reshape({padded, padded});
        rows = rows.narrow(0, 0, m_features).narrow(1, 0, m_features);
    } else if (left.defined()) {
        const at::Tensor one = at::eye(m_features / left.size(0), left.options().requires_grad(false));
        rows = at::kron(left, right.defined() ? right : one);
    } else {
        rows = at::eye(m_features, at::TensorOptions().dtype(at::kDouble).device(m_device));
    }
    return m_hadamard.applyToActivations(rows).to(m_type);
}

void LearnedSite::prepareDense(const Middle& middle) {
    at::Tensor& forward = m_activations.dense = m_constantDense[0];
    at::Tensor& inverse = m_weights.dense = m_constantDense[1];
    if (!forward.defined()) {
        if (!m_hadamardRows.defined() && !m_hadamard.isIdentity() && m_rotation != Rotation::Fixed)
            m_hadamardRows = m_hadamard.applyToActivations(
                at::eye(m_features, at::TensorOptions().dtype(at::kDouble).device(m_device)));
        const auto& [blocks, left, right] = middle;
        forward = denseOf(blocks.forward, left.forward, right.forward);
        inverse = middle.sameSides() && !left.forward.defined()
                      ? forward
                      : denseOf(blocks.inverseTransposed, left.inverseTransposed, right.inverseTransposed);
        if (m_rotation == Rotation::Fixed) {
            m_constantDense[0] = forward;
            m_constantDense[1] = inverse;
        }
    }
    if (!m_activations.scale.defined()) return;
    // On the n rows of the matrix instead of on every token.
    forward = m_activations.scale.unsqueeze(1) * forward;
    inverse = m_weights.scale.unsqueeze(1) * inverse;
    m_activations.scale = m_weights.scale = at::Tensor();
}

void LearnedSite::prepare(const at::Tensor& rotations) {
    // A transform rounded to bfloat16 would not be undone by its inverse.
    const c10::impl::ExcludeDispatchKeyGuard noAutocast(c10::autocast_dispatch_keyset);
    m_activations = {};
    m_weights = {};
    if (const at::Tensor d = diagonal(); d.defined()) {
        m_activations.scale = d.to(m_type);
        m_weights.scale = d.reciprocal().to(m_type);
    }
    if (const auto outer = m_leaves.find(kOuter); outer != m_leaves.end()) {
        m_activations.outer = outer->second.exp();
        m_weights.outer = outer->second.neg().exp();
    }
    const Middle made = middle(rotations);
    if (m_dense) return prepareDense(made);
    const auto cast = [this](const at::Tensor& t) { return t.defined() ? t.to(m_type) : t; };
    m_activations.blocks = cast(made.blocks.forward);
    m_weights.blocks = made.sameSides() ? m_activations.blocks : cast(made.blocks.inverseTransposed);
    m_activations.left = cast(made.left.forward);
    m_weights.left = cast(made.left.inverseTransposed);
    m_activations.right = cast(made.right.forward);
    m_weights.right = cast(made.right.inverseTransposed);
}

at::Tensor LearnedSite::apply(const at::Tensor& x, const Side& side) const {
    TORCH_CHECK(x.dim() >= 1 && x.size(-1) == m_features, "learned site: x is ", x.sizes(),
                "; expected rows of ", m_features, " channels");
    if (side.dense.defined()) {
        const at::Tensor product = at::matmul(x, side.dense.to(x.scalar_type()));
        return side.outer.defined() ? product * side.outer.to(product.scalar_type()) : product;
    }
    const c10::impl::ExcludeDispatchKeyGuard noAutocast(c10::autocast_dispatch_keyset);
    at::Tensor result = x.to(m_type);
    if (side.scale.defined()) result = result * side.scale;
    if (side.blocks.defined()) result = multiplyPaddedBlocks(result, side.blocks);
    if (side.right.defined()) result = transform::multiplyRight(result, side.right);
    if (side.left.defined())
        result = transform::multiplyLeft(result, side.left, m_features / side.left.size(0));
    result = m_hadamard.applyToActivations(result);
    return side.outer.defined() ? result * side.outer : result;
}

Result<transform::SiteTransform> LearnedSite::bake() const {
    const c10::NoGradGuard noGrad;
    const c10::impl::ExcludeDispatchKeyGuard noAutocast(c10::autocast_dispatch_keyset);
    const Middle made = middle({});
    transform::TransformParts parts;
    parts.diagonal = diagonal();
    if (const auto outer = m_leaves.find(kOuter); outer != m_leaves.end())
        parts.outerDiagonal = outer->second.to(at::kDouble).exp();
    if (m_rotation == Rotation::Shared) {
        parts.rotation = m_shared;
    } else if (made.blocks.forward.defined()) {
        parts.blocks = made.blocks.forward;
        parts.blockSize = parts.blocks.size(1);
    }
    if (made.left.forward.defined()) {
        const std::int64_t right = m_features / made.left.forward.size(0);
        parts.kroneckerLeft = made.left.forward;
        parts.kroneckerRight =
            made.right.forward.defined() ? made.right.forward : at::eye(right, at::kDouble);
    }
    parts.hadamard = !m_hadamard.isIdentity();
    parts.hadamardSeed = m_hadamard.hadamardSeed();
    auto baked = transform::SiteTransform::create(m_features, parts);
    if (!baked) return passOn(std::move(baked).error(), "trained transform");
    return baked;
}

} // namespace bdq::train
