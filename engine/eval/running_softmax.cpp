#include "engine/eval/running_softmax.h"

#include <algorithm>
#include <limits>

#include <ATen/ATen.h>

namespace bdq {
namespace {

constexpr std::int64_t kVocabularyBlock = 1024;
constexpr std::int64_t kDeviceVocabularyBlock = 16384;

} // namespace

std::int64_t vocabularyBlock(const at::Tensor& hidden, std::int64_t vocabulary) {
    return std::min(vocabulary, hidden.is_cpu() ? kVocabularyBlock : kDeviceVocabularyBlock);
}

RunningSoftmax::RunningSoftmax(std::int64_t rows, const at::TensorOptions& options)
    : m_maximum(at::full({rows, 1}, -std::numeric_limits<float>::infinity(), options)),
      m_sum(at::zeros({rows, 1}, options.dtype(at::kDouble))) {}

at::Tensor RunningSoftmax::add(at::Tensor& logits) {
    const at::Tensor larger = at::maximum(m_maximum, logits.amax(1, true));
    at::Tensor correction = (m_maximum - larger).exp_();
    m_sum.mul_(correction);
    m_sum.add_(logits.sub_(larger).exp_().sum(1, true));
    m_maximum = larger;
    return correction;
}

at::Tensor RunningSoftmax::logSum() const {
    return m_sum.log() + m_maximum;
}

} // namespace bdq
