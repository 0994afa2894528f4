// Transforms as the arrays of an analysis or a run on disk, and back.
#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "engine/transform/site_transform.h"

namespace bdq::transform {

namespace {

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

Result<at::Tensor> unpackBlocks(const std::vector<float>& packed, std::int64_t k, std::int64_t n,
                                const char* name) {
    if (k < 1 || k > n)
        return fail(ErrorCode::BadFormat, std::string("site transform: size of ") + name + " is " +
                                              std::to_string(k) + "; expected 1.." + std::to_string(n));
    const std::int64_t whole = n / k;
    const std::int64_t rest = n % k;
    const auto expected = static_cast<std::size_t>(whole * k * k + rest * rest);
    if (packed.size() != expected)
        return fail(ErrorCode::BadFormat, std::string("site transform: ") + name + " hold " +
                                              std::to_string(packed.size()) + " numbers; expected " +
                                              std::to_string(expected) + " for " + std::to_string(n) +
                                              " channels in blocks of " + std::to_string(k));
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
    if (detail.blockSize != 0 || !detail.blocks.empty()) {
        BDQ_TRY(parts.blocks, unpackBlocks(detail.blocks, detail.blockSize, features, "blocks"));
        parts.blockSize = detail.blockSize;
    }
    if (!detail.permutation.empty())
        parts.permutation =
            at::tensor(at::ArrayRef<std::int32_t>(detail.permutation), at::kInt).to(at::kLong);
    if (detail.secondBlockSize != 0 || !detail.secondBlocks.empty()) {
        BDQ_TRY(parts.secondBlocks,
                unpackBlocks(detail.secondBlocks, detail.secondBlockSize, features, "second blocks"));
        parts.secondBlockSize = detail.secondBlockSize;
    }
    if (!detail.kroneckerLeft.empty() || !detail.kroneckerRight.empty()) {
        BDQ_TRY(parts.kroneckerLeft, squareOf(detail.kroneckerLeft, "left Kronecker factor"));
        BDQ_TRY(parts.kroneckerRight, squareOf(detail.kroneckerRight, "right Kronecker factor"));
    }
    parts.hadamard = detail.hadamard;
    parts.hadamardSeed = hadamardSeed;
    return create(features, parts);
}

void SiteTransform::toDetail(TransformDetail& detail) const {
    detail.diagonal = m_diagonal ? toVector(m_diagonal->forward.f32) : std::vector<float>{};
    detail.blockSize = m_blocks ? static_cast<int>(m_blocks->size()) : 0;
    detail.blocks = m_blocks ? packBlocks(m_blocks->forward.f32, m_features) : std::vector<float>{};
    detail.inverseBlocks =
        m_blocks ? packBlocks(m_blocks->inverseTransposed.f32, m_features) : std::vector<float>{};
    const auto factor = [](const Factor& f) { return toVector(f.forward.f32); };
    detail.kroneckerLeft = m_kronecker ? factor(m_kronecker->left) : std::vector<float>{};
    detail.kroneckerRight = m_kronecker ? factor(m_kronecker->right) : std::vector<float>{};
    detail.permutation.clear();
    if (m_permutation) {
        const at::Tensor channels = m_permutation->forward.to(at::kCPU, at::kInt);
        const auto* first = channels.const_data_ptr<std::int32_t>();
        detail.permutation.assign(first, first + channels.numel());
    }
    detail.secondBlockSize = m_second ? static_cast<int>(m_second->size()) : 0;
    detail.secondBlocks = m_second ? packBlocks(m_second->forward.f32, m_features) : std::vector<float>{};
    detail.hadamard = m_hadamard.has_value();
}

} // namespace bdq::transform
