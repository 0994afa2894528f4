#include "engine/calibration/input_statistics.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "engine/calibration/sums.h"

namespace bdq {
namespace {

// [tokens, n] -> [blocks, tokens, 128], the last block zero padded.
at::Tensor inBlocks(const at::Tensor& x) {
    const std::int64_t block = transform::kMomentBlock;
    const std::int64_t padding = (block - x.size(1) % block) % block;
    const at::Tensor padded = padding == 0 ? x : at::constant_pad_nd(x, {0, padding});
    return padded.view({x.size(0), -1, block}).transpose(0, 1);
}

void accumulate(at::Tensor& sum, const at::Tensor& value) {
    sum = sum.defined() ? sum.add_(value) : value;
}

} // namespace

// On the CPU in chunks whose fp64 copy stays in the cache.
void InputStatistics::addBlocks(const at::Tensor& x) {
    constexpr std::int64_t kCpuRows = 128;
    const std::int64_t step = x.is_cpu() ? kCpuRows : x.size(0);
    for (std::int64_t first = 0; first < x.size(0); first += step) {
        const std::int64_t rows = std::min(step, x.size(0) - first);
        const at::Tensor blocks = inBlocks(x.narrow(0, first, rows).to(at::kDouble));
        const at::Tensor transposed = blocks.transpose(1, 2);
        if (m_blocks.defined())
            m_blocks.baddbmm_(transposed, blocks);
        else
            m_blocks = at::bmm(transposed, blocks);
    }
}

void InputStatistics::add(const at::Tensor& x) {
    m_moments.merge(columnMoments(x));
    addBlocks(x);
    const auto [low, high] = at::aminmax(x, 1);
    m_tokenMin.push_back(low.cpu());
    m_tokenMax.push_back(high.cpu());
    m_tokens += x.size(0);
    if (m_needs.secondMoment) {
        accumulate(m_absolute, columnSums(x.abs()));
        m_second.add(x);
    }
    if (m_needs.sample) m_sample.add(x);
}

transform::SiteMoments InputStatistics::moments() const {
    const auto count = static_cast<double>(m_tokens);
    transform::SiteMoments moments{(m_moments.square / count).cpu(),
                                   m_moments.absmax.cpu(),
                                   (m_blocks / count).cpu(),
                                   m_tokens,
                                   {},
                                   {},
                                   {}};
    if (m_needs.secondMoment) {
        moments.meanAbs = (m_absolute / count).cpu();
        moments.secondMoment = m_second.mean();
    }
    if (m_needs.sample) moments.sample = m_sample.tokens();
    return moments;
}

at::Tensor InputStatistics::kurtosis() const {
    return m_moments.kurtosis(m_tokens).cpu();
}

at::Tensor InputStatistics::tokenMin() const {
    return at::cat(m_tokenMin);
}
at::Tensor InputStatistics::tokenMax() const {
    return at::cat(m_tokenMax);
}

void SecondMoment::add(const at::Tensor& x) {
    accumulate(m_sum, at::mm(x.t(), x).to(at::kDouble));
    m_tokens += x.size(0);
}

at::Tensor SecondMoment::mean() const {
    return m_sum / static_cast<double>(m_tokens);
}

} // namespace bdq
