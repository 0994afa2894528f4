#include "engine/transform/structured_multiply.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace bdq::transform {

at::Tensor multiplyBlocks(const at::Tensor& x, const at::Tensor& blocks) {
    const std::int64_t n = x.size(-1);
    const std::int64_t k = blocks.size(1);
    const at::Tensor rows = x.reshape({-1, n});
    at::Tensor result = at::empty_like(rows);
    if (n % k == 0 && !rows.device().is_cpu()) {
        const at::Tensor parts = rows.view({-1, n / k, k}).transpose(0, 1);
        result.view({-1, n / k, k}).transpose(0, 1).copy_(at::bmm(parts, blocks));
        return result.view(x.sizes());
    }
    // One product per block straight between the strided slices: no transposed copies.
    for (std::int64_t i = 0; i * k < n; ++i) {
        const std::int64_t width = std::min(k, n - i * k);
        at::Tensor target = result.narrow(1, i * k, width);
        at::mm_out(target, rows.narrow(1, i * k, width), blocks[i].narrow(0, 0, width).narrow(1, 0, width));
    }
    return result.view(x.sizes());
}

at::Tensor multiplyRight(const at::Tensor& x, const at::Tensor& right) {
    return at::mm(x.reshape({-1, right.size(0)}), right).view(x.sizes());
}

at::Tensor multiplyLeft(const at::Tensor& x, const at::Tensor& left, std::int64_t b) {
    const std::int64_t a = left.size(0);
    const at::Tensor matrices = x.reshape({-1, a, b});
    return at::bmm(left.t().unsqueeze(0).expand({matrices.size(0), a, a}), matrices).view(x.sizes());
}

} // namespace bdq::transform
