#include "engine/transform/head_rotation.h"

#include <cmath>
#include <string>

#include <ATen/ATen.h>

#include "engine/analysis/hadamard.h"
#include "engine/transform/eigen_tensor.h"

namespace bdq::transform {

namespace {

constexpr std::int64_t kMaxHeadDim = 4096;

Status requireMatrix(const at::Tensor& weight, const char* name, std::int64_t rows, std::int64_t columns) {
    const auto matches = [](std::int64_t found, std::int64_t expected) {
        return expected < 0 || found == expected;
    };
    if (weight.defined() && weight.dim() == 2 && at::isFloatingType(weight.scalar_type()) &&
        matches(weight.size(0), rows) && matches(weight.size(1), columns))
        return {};
    std::string found = "nothing";
    if (weight.defined()) {
        found = std::string(at::toString(weight.scalar_type())) + " [";
        for (const std::int64_t size : weight.sizes())
            found += std::to_string(size) + " ";
        found += "]";
    }
    const auto text = [](std::int64_t size) { return size < 0 ? std::string("any") : std::to_string(size); };
    return fail(ErrorCode::ShapeMismatch, std::string("foldValueRotation: ") + name + " is " + found +
                                              "; expected floating point [" + text(rows) + ", " +
                                              text(columns) + "]");
}

at::Tensor multiply(const at::Tensor& x, const at::Tensor& single, const at::Tensor& twice) {
    return x.matmul(x.scalar_type() == at::kDouble ? twice : single);
}

} // namespace

Result<HeadRotation> HeadRotation::create(std::int64_t headDim, std::uint64_t seed) {
    if (headDim < 1 || headDim > kMaxHeadDim)
        return fail(ErrorCode::InvalidSpec, "head rotation: head_dim is " + std::to_string(headDim) +
                                                "; expected 1.." + std::to_string(kMaxHeadDim));
    BDQ_TRY(const analysis::HadamardPlan plan, analysis::hadamardPlan(headDim));
    BDQ_TRY(const Eigen::MatrixXd hadamard, analysis::denseHadamard(plan));
    const Eigen::MatrixXd signedRows = analysis::randomSigns(headDim, seed).asDiagonal() * hadamard;
    return fromMatrix(tensorOf(signedRows));
}

Result<HeadRotation> HeadRotation::fromMatrix(const at::Tensor& matrix) {
    if (!matrix.defined() || matrix.dim() != 2 || !at::isFloatingType(matrix.scalar_type()) ||
        matrix.size(0) != matrix.size(1) || matrix.size(0) < 1 || matrix.size(0) > kMaxHeadDim)
        return fail(ErrorCode::ShapeMismatch,
                    "head rotation: matrix is " +
                        (matrix.defined() ? c10::str(matrix.sizes()) : "undefined") +
                        "; expected floating point [d, d] with d in 1.." + std::to_string(kMaxHeadDim));
    HeadRotation rotation;
    rotation.m_forward32 = matrix.detach().to(at::kCPU, at::kFloat).contiguous().clone();
    rotation.m_forward = rotation.m_forward32.to(at::kDouble);
    const auto [inverse, info] = at::linalg_inv_ex(rotation.m_forward);
    if (info.item<int>() != 0 || !at::isfinite(rotation.m_forward).all().item<bool>() ||
        !at::isfinite(inverse).all().item<bool>())
        return fail(ErrorCode::NonFinite, "head rotation: matrix of order " + std::to_string(matrix.size(0)) +
                                              " is singular or not finite; expected an invertible one");
    rotation.m_inverseTransposed = inverse.t().contiguous();
    rotation.m_inverseTransposed32 = rotation.m_inverseTransposed.to(at::kFloat);
    return rotation;
}

at::Tensor HeadRotation::applyToKeys(const at::Tensor& keys) const {
    return multiply(keys, m_forward32, m_forward);
}

at::Tensor HeadRotation::applyToQueries(const at::Tensor& queries) const {
    return multiply(queries, m_inverseTransposed32, m_inverseTransposed);
}

HeadRotation HeadRotation::to(const at::Device& device) const {
    HeadRotation moved;
    moved.m_forward = m_forward.to(device);
    moved.m_inverseTransposed = m_inverseTransposed.to(device);
    moved.m_forward32 = m_forward32.to(device);
    moved.m_inverseTransposed32 = m_inverseTransposed32.to(device);
    return moved;
}

Result<FoldedValues> foldValueRotation(const at::Tensor& valueWeight, const at::Tensor& outputWeight,
                                       const at::Tensor& valueBias, const HeadRotation& rotation,
                                       std::int64_t heads, std::int64_t kvHeads) {
    const std::int64_t d = rotation.headDim();
    BDQ_CHECK(requireMatrix(valueWeight, "v weight", kvHeads * d, -1));
    BDQ_CHECK(requireMatrix(outputWeight, "o weight", -1, heads * d));
    if (valueBias.defined() && (valueBias.dim() != 1 || valueBias.size(0) != kvHeads * d))
        return fail(ErrorCode::ShapeMismatch, "foldValueRotation: v bias has " +
                                                  std::to_string(valueBias.numel()) + " numbers; expected " +
                                                  std::to_string(kvHeads * d));
    const at::Tensor forward = rotation.matrix().to(valueWeight.device());
    const at::Tensor inverse = rotation.inverseTransposed().to(outputWeight.device());
    FoldedValues folded;
    const at::Tensor rows = valueWeight.to(at::kDouble).reshape({kvHeads, d, valueWeight.size(1)});
    folded.valueWeight =
        at::matmul(forward.t(), rows).reshape(valueWeight.sizes()).to(valueWeight.scalar_type());
    const at::Tensor columns = outputWeight.to(at::kDouble).reshape({outputWeight.size(0), heads, d});
    folded.outputWeight =
        at::matmul(columns, inverse).reshape(outputWeight.sizes()).to(outputWeight.scalar_type());
    if (valueBias.defined())
        folded.valueBias = at::matmul(valueBias.to(at::kDouble).reshape({kvHeads, d}), forward)
                               .reshape({-1})
                               .to(valueBias.scalar_type());
    return folded;
}

} // namespace bdq::transform
