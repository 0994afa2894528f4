#include "engine/transform/principal_rotation.h"

#include <ATen/ATen.h>

#include "engine/transform/site_transform.h"

namespace bdq::transform {

void RowCovariance::add(const at::Tensor& rows) {
    const at::Tensor values = rows.to(at::kDouble);
    const at::Tensor square = at::matmul(values.t(), values);
    m_sum = m_rows == 0 ? values.sum(0) : m_sum + values.sum(0);
    m_square = m_rows == 0 ? square : m_square.add_(square);
    m_rows += rows.size(0);
}

at::Tensor RowCovariance::covariance() const {
    const auto rows = static_cast<double>(m_rows);
    return (m_square - at::outer(m_sum, m_sum) / rows) / rows;
}

Result<at::Tensor> hadamardMatrix(std::int64_t n, std::uint64_t seed) {
    TransformParts parts;
    parts.hadamard = true;
    parts.hadamardSeed = seed;
    BDQ_TRY(const SiteTransform hadamard, SiteTransform::create(n, parts));
    return hadamard.applyToActivations(at::eye(n, at::kDouble));
}

Result<at::Tensor> principalRotation(const at::Tensor& covariance, std::uint64_t seed) {
    if (!at::isfinite(covariance).all().item<bool>())
        return fail(ErrorCode::NonFinite, "principal rotation: the covariance of order " +
                                              std::to_string(covariance.size(0)) +
                                              " holds NaN or infinity; expected finite numbers");
    BDQ_TRY(const at::Tensor hadamard, hadamardMatrix(covariance.size(0), seed));
    const at::Tensor axes = std::get<1>(at::linalg_eigh(covariance));
    // Eigenvectors have no sign of their own; libraries differ in theirs.
    const at::Tensor largest = axes.gather(0, axes.abs().argmax(0, true));
    const at::Tensor signs = at::where(largest < 0, -at::ones_like(largest), at::ones_like(largest));
    return at::matmul(axes * signs, hadamard.to(axes.device()));
}

} // namespace bdq::transform
