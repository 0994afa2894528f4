// The last parts of a site transform: rotation of the residual stream and the diagonal behind it.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "engine/transform/site_transform.h"

namespace bdq::transform {

namespace {

// A rotation stored in fp32 misses R^T R v = v by about 2^-24 sqrt(n); 100 times that for n = 16384.
constexpr double kOrthogonal = 1e-4;

std::string found(const char* name, const at::Tensor& tensor) {
    return std::string("site transform: ") + name + " is " + at::toString(tensor.scalar_type()) +
           c10::str(tensor.sizes()) + "; expected ";
}

/// n^2 instead of n^3: one random vector there and back; another one would have to be lucky.
bool isOrthogonal(const at::Tensor& rotation) {
    at::Generator generator = at::detail::createCPUGenerator(1);
    const at::Tensor probe = at::randn({rotation.size(0)}, generator, rotation.options());
    const at::Tensor back = rotation.t().mv(rotation.mv(probe));
    return (back - probe).norm().item<double>() <= kOrthogonal * probe.norm().item<double>();
}

} // namespace

Status SiteTransform::setFolded(const TransformParts& parts) {
    Folded folded;
    if (parts.rotation.defined()) {
        if (!at::isFloatingType(parts.rotation.scalar_type()) ||
            parts.rotation.sizes() != at::IntArrayRef{m_features, m_features})
            return fail(ErrorCode::ShapeMismatch,
                        found("rotation", parts.rotation) +
                            "Float or Double [n, n], n = " + std::to_string(m_features));
        const at::Tensor rounded = parts.rotation.to(at::kCPU, at::kFloat).to(at::kDouble).contiguous();
        if (!isOrthogonal(rounded))
            return fail(ErrorCode::NonFinite, "site transform: the rotation of order " +
                                                  std::to_string(m_features) +
                                                  " is not orthogonal; expected R^T R = 1 to 1e-4");
        folded.rotation = Pair::of(rounded);
    }
    if (parts.outerDiagonal.defined()) {
        const at::Tensor& scale = parts.outerDiagonal;
        if (!at::isFloatingType(scale.scalar_type()) || scale.sizes() != at::IntArrayRef{m_features})
            return fail(ErrorCode::ShapeMismatch,
                        found("outer diagonal", scale) +
                            "Float or Double [n], n = " + std::to_string(m_features));
        const at::Tensor forward = scale.to(at::kCPU, at::kFloat).to(at::kDouble).contiguous();
        const at::Tensor inverse = forward.reciprocal();
        if (!at::isfinite(forward).all().item<bool>() || !at::isfinite(inverse).all().item<bool>())
            return fail(ErrorCode::NonFinite,
                        "site transform: the outer diagonal holds 0, NaN or infinity; expected finite "
                        "numbers that are not 0");
        folded.scale = Diagonal{Pair::of(forward), Pair::of(inverse)};
    }
    m_folded = std::move(folded);
    return {};
}

at::Tensor SiteTransform::Folded::apply(const at::Tensor& x, bool inverse) const {
    at::Tensor result = x;
    if (rotation) result = at::matmul(result, rotation->as(x.scalar_type()));
    if (scale) result = result * (inverse ? scale->inverse : scale->forward).as(x.scalar_type());
    return result;
}

at::Tensor SiteTransform::Folded::revert(const at::Tensor& x, bool inverse) const {
    at::Tensor result = x;
    if (scale) result = result * (inverse ? scale->inverse : scale->forward).as(x.scalar_type());
    if (rotation) result = at::matmul(result, rotation->as(x.scalar_type()).t());
    return result;
}

SiteTransform::Folded SiteTransform::Folded::to(const at::Device& device) const {
    Folded moved;
    if (rotation) moved.rotation = rotation->to(device);
    if (scale) moved.scale = Diagonal{scale->forward.to(device), scale->inverse.to(device)};
    return moved;
}

} // namespace bdq::transform
