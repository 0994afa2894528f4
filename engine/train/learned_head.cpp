#include "engine/train/learned_head.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

namespace bdq::train {

namespace {
constexpr std::int64_t kMaxHeadDim = 4096;
}

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
    if (form.svd) {
        head.m_factor.emplace(headDim, form.seed, device, type);
        head.m_leaves = head.m_factor->leaves();
    } else {
        head.m_leaves["matrix"] = leaf(start ? start->matrix() : at::eye(headDim, at::kDouble), device, type);
    }
    return head;
}

MatrixPair LearnedHead::matrices() const {
    if (m_factor) return m_factor->matrices();
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
    return at::matmul(m_prepared.forward.t().to(valueRows.scalar_type()), heads).reshape(valueRows.sizes());
}

at::Tensor LearnedHead::foldOutput(const at::Tensor& output) const {
    const at::Tensor rows = output.reshape({-1, m_headDim});
    return at::matmul(rows, m_prepared.inverseTransposed.to(output.scalar_type())).reshape(output.sizes());
}

Result<transform::HeadRotation> LearnedHead::bake() const {
    const c10::NoGradGuard noGrad;
    auto baked = transform::HeadRotation::fromMatrix(matrices().forward);
    if (!baked) return passOn(std::move(baked).error(), "trained head matrix");
    return baked;
}

} // namespace bdq::train
