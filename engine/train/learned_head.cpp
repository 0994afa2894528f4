#include "engine/train/learned_head.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

namespace bdq::train {

namespace {
constexpr std::int64_t kMaxHeadDim = 4096;
constexpr const char* kRotation = "rotation";
constexpr const char* kScale = "scale";
} // namespace

Result<LearnedHead> LearnedHead::create(std::int64_t headDim,
                                        const std::optional<transform::HeadRotation>& start,
                                        const HeadParameterisation& form, at::Device device,
                                        at::ScalarType type) {
    if (headDim < 1 || headDim > kMaxHeadDim)
        return fail(ErrorCode::InvalidSpec, "learned head: head_dim is " + std::to_string(headDim) +
                                                "; expected 1.." + std::to_string(kMaxHeadDim));
    if (start && start->headDim() != headDim)
        return fail(ErrorCode::ShapeMismatch, "learned head: start has order " +
                                                  std::to_string(start->headDim()) + "; expected " +
                                                  std::to_string(headDim));
    if (start && form.svd)
        return fail(ErrorCode::InvalidSpec, "learned head: found a start; expected none for an SVD pair");
    LearnedHead head;
    head.m_headDim = headDim;
    head.m_type = type;
    head.m_form = form.form;
    if (form.svd) {
        head.m_factor.emplace(headDim, form.seed, device, type);
        head.m_leaves = head.m_factor->leaves();
        return head;
    }
    BDQ_CHECK(head.setLeaves(start, form, device));
    return head;
}

Status LearnedHead::setLeaves(const std::optional<transform::HeadRotation>& start,
                              const HeadParameterisation& form, at::Device device) {
    const at::Tensor matrix = start ? start->matrix() : at::eye(m_headDim, at::kDouble);
    if (form.form == HeadForm::Free) {
        m_leaves["matrix"] = leaf(matrix, device, m_type);
        return {};
    }
    if (form.form == HeadForm::Fixed) {
        m_fixed = matrix.to(device, at::kDouble);
        return {};
    }
    if (form.form == HeadForm::PairScale) {
        if (m_headDim % 2 != 0)
            return fail(ErrorCode::InvalidSpec, "learned head: head_dim is " + std::to_string(m_headDim) +
                                                    "; expected an even number for rotary pairs");
        m_fixed = matrix.to(device, at::kDouble);
        m_leaves[kScale] = leaf(at::zeros({m_headDim / 2}, at::kDouble), device, m_type);
        return {};
    }
    const at::Tensor rotation = form.rotation.defined() ? form.rotation : matrix;
    if (rotation.dim() < 2 || rotation.dim() > 3 || rotation.size(-1) != m_headDim ||
        rotation.size(-2) != m_headDim)
        return fail(ErrorCode::ShapeMismatch, "learned head: rotation is " + c10::str(rotation.sizes()) +
                                                  "; expected [head_dim, head_dim] or [kv_heads, head_dim, "
                                                  "head_dim], head_dim = " +
                                                  std::to_string(m_headDim));
    m_leaves[kRotation] = leaf(rotation, device, at::kDouble);
    if (form.form == HeadForm::RotationAndScale)
        m_leaves[kScale] =
            leaf(at::zeros(rotation.sizes().slice(0, rotation.dim() - 1), at::kDouble), device, m_type);
    return {};
}

std::vector<at::Tensor> LearnedHead::parameters() const {
    std::vector<at::Tensor> free;
    for (const auto& [name, tensor] : m_leaves)
        if (name != kRotation) free.push_back(tensor);
    return free;
}

std::vector<at::Tensor> LearnedHead::rotations() const {
    const auto found = m_leaves.find(kRotation);
    return found == m_leaves.end() ? std::vector<at::Tensor>{} : std::vector<at::Tensor>{found->second};
}

MatrixPair LearnedHead::matrices() const {
    if (m_factor) return m_factor->matrices();
    if (m_form == HeadForm::Fixed) return {m_fixed, std::get<0>(at::linalg_inv_ex(m_fixed)).t()};
    if (m_form == HeadForm::PairScale) {
        const at::Tensor scale = m_leaves.at(kScale).to(at::kDouble).repeat({2}).exp().unsqueeze(1);
        const at::Tensor inverse = std::get<0>(at::linalg_inv_ex(m_fixed)).t();
        return {scale * m_fixed, inverse / scale};
    }
    if (m_form == HeadForm::Rotation) return {m_leaves.at(kRotation), m_leaves.at(kRotation)};
    if (m_form == HeadForm::RotationAndScale) {
        const at::Tensor& rotation = m_leaves.at(kRotation);
        const at::Tensor scale = m_leaves.at(kScale).to(at::kDouble).exp().unsqueeze(-2);
        return {rotation * scale, rotation / scale};
    }
    const at::Tensor forward = m_leaves.at("matrix").to(at::kDouble);
    return {forward, std::get<0>(at::linalg_inv_ex(forward)).t()};
}

void LearnedHead::prepare() {
    const c10::impl::ExcludeDispatchKeyGuard noAutocast(c10::autocast_dispatch_keyset);
    const MatrixPair pair = matrices();
    m_prepared = {pair.forward.to(m_type), pair.inverseTransposed.to(m_type)};
}

at::Tensor LearnedHead::applyToKeys(const at::Tensor& keys) const {
    return at::matmul(keys, m_prepared.forward.to(keys.scalar_type()));
}

at::Tensor LearnedHead::applyToQueries(const at::Tensor& queries) const {
    return at::matmul(queries, m_prepared.inverseTransposed.to(queries.scalar_type()));
}

at::Tensor LearnedHead::foldValue(const at::Tensor& valueRows) const {
    const at::Tensor heads = valueRows.reshape({-1, m_headDim, valueRows.size(1)});
    return at::matmul(m_prepared.forward.mT().to(valueRows.scalar_type()), heads).reshape(valueRows.sizes());
}

at::Tensor LearnedHead::foldOutput(const at::Tensor& output) const {
    const at::Tensor inverse = m_prepared.inverseTransposed.to(output.scalar_type());
    if (inverse.dim() == 2)
        return at::matmul(output.reshape({-1, m_headDim}), inverse).reshape(output.sizes());
    // The query heads of one cache head lie next to each other: [out, kv heads, group, head_dim].
    const std::int64_t heads = inverse.size(0);
    const std::int64_t group = output.size(1) / (heads * m_headDim);
    const at::Tensor rows =
        output.reshape({-1, heads, group, m_headDim}).transpose(0, 1).reshape({heads, -1, m_headDim});
    return at::bmm(rows, inverse).view({heads, -1, group, m_headDim}).transpose(0, 1).reshape(output.sizes());
}

Result<transform::HeadRotation> LearnedHead::bake() const {
    const c10::NoGradGuard noGrad;
    auto baked = transform::HeadRotation::fromMatrix(matrices().forward);
    if (!baked) return passOn(std::move(baked).error(), "trained head matrix");
    return baked;
}

} // namespace bdq::train
