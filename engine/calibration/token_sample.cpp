#include "engine/calibration/token_sample.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace bdq {

void TokenSample::addEven(const at::Tensor& x) {
    const std::int64_t offset = (m_stride - m_seen % m_stride) % m_stride;
    m_seen += x.size(0);
    if (offset >= x.size(0)) return;
    const at::Tensor taken = x.slice(0, offset, std::nullopt, m_stride);
    m_even = m_even.defined() ? at::cat({m_even, taken}) : taken.clone();
    for (; m_even.size(0) > kEven; m_stride *= 2)
        m_even = m_even.slice(0, 0, std::nullopt, 2).clone();
}

void TokenSample::addLargest(const at::Tensor& x) {
    const auto largestOf = [](const at::Tensor& rows) {
        const at::Tensor magnitudes = rows.abs().amax(1);
        // A stable sort: of equal tokens the earlier one stays, whatever the split.
        const at::Tensor order = std::get<1>(magnitudes.sort(/*stable=*/true, 0, /*descending=*/true));
        return rows.index_select(0, order.narrow(0, 0, std::min(kLargest, rows.size(0))));
    };
    const at::Tensor largest = largestOf(x);
    m_largest = m_largest.defined() ? largestOf(at::cat({m_largest, largest})) : largest;
}

void TokenSample::add(const at::Tensor& x) {
    if (x.size(0) == 0) return;
    addEven(x);
    addLargest(x);
}

at::Tensor TokenSample::tokens() const {
    return m_even.defined() ? at::cat({m_even, m_largest}) : at::Tensor();
}

} // namespace bdq
