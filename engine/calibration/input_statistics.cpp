#include "engine/calibration/input_statistics.h"

#include <ATen/ATen.h>

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

void InputStatistics::add(const at::Tensor& x) {
    const at::Tensor wide = x.to(at::kDouble);
    const at::Tensor square = wide * wide;
    accumulate(m_sumSquare, square.sum(0));
    accumulate(m_sumFourth, (square * square).sum(0));
    const at::Tensor absmax = x.abs().amax(0);
    m_absmax = m_absmax.defined() ? at::maximum(m_absmax, absmax) : absmax;
    const at::Tensor blocks = inBlocks(wide);
    accumulate(m_blocks, at::bmm(blocks.transpose(1, 2), blocks));
    m_tokenMin.push_back(x.amin(1).cpu());
    m_tokenMax.push_back(x.amax(1).cpu());
    m_tokens += x.size(0);
}

transform::SiteMoments InputStatistics::moments() const {
    const auto count = static_cast<double>(m_tokens);
    return {(m_sumSquare / count).cpu(), m_absmax.cpu(), (m_blocks / count).cpu(), m_tokens};
}

at::Tensor InputStatistics::kurtosis() const {
    const at::Tensor variance = m_sumSquare * m_sumSquare;
    const at::Tensor ratio = m_sumFourth * static_cast<double>(m_tokens) / variance;
    return at::where(variance > 0, ratio, at::zeros_like(ratio)).cpu();
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
