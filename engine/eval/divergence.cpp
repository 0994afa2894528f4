#include "engine/eval/divergence.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "engine/eval/running_softmax.h"

namespace bdq {
namespace {

// Rows whose logits of a vocabulary block stay in cache.
constexpr std::int64_t kRows = 2048;

/// log sum exp of the logits, fp64 [rows].
at::Tensor logSumExp(const at::Tensor& hidden, const at::Tensor& head) {
    const std::int64_t block = vocabularyBlock(hidden, head.size(0));
    RunningSoftmax softmax(hidden.size(0), hidden.options());
    const at::Tensor buffer = at::empty({hidden.size(0) * block}, hidden.options());
    for (std::int64_t first = 0; first < head.size(0); first += block) {
        const std::int64_t count = std::min(block, head.size(0) - first);
        at::Tensor logits = buffer.narrow(0, 0, hidden.size(0) * count).view({hidden.size(0), count});
        at::mm_out(logits, hidden, head.narrow(0, first, count).t());
        softmax.add(logits);
    }
    return softmax.logSum().squeeze(1);
}

/// sum_v p_v W_v, fp64 [rows, n].
at::Tensor meanOfHead(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& logSum) {
    const std::int64_t block = vocabularyBlock(hidden, head.size(0));
    const at::Tensor shift = logSum.to(at::kFloat).unsqueeze(1);
    at::Tensor mean = at::zeros_like(hidden, hidden.options().dtype(at::kDouble));
    at::Tensor mass = at::zeros_like(logSum);
    for (std::int64_t first = 0; first < head.size(0); first += block) {
        const at::Tensor rows = head.narrow(0, first, std::min(block, head.size(0) - first));
        const at::Tensor probability = at::mm(hidden, rows.t()).sub_(shift).exp_();
        mean.add_(at::mm(probability, rows));
        mass.add_(probability.sum(1, false, at::kDouble));
    }
    return mean.div_(mass.unsqueeze(1)); // the shift was rounded to fp32
}

template <class Visit> void forRows(const at::Tensor& rows, Visit visit) {
    for (std::int64_t first = 0; first < rows.size(0); first += kRows)
        visit(first, std::min(kRows, rows.size(0) - first));
}

} // namespace

DivergenceReference::DivergenceReference(const at::Tensor& hidden, const at::Tensor& head)
    : m_head(head), m_hidden(hidden.to(at::kDouble)), m_mean(at::empty_like(m_hidden)),
      m_logSum(at::empty({hidden.size(0)}, m_hidden.options())) {
    forRows(hidden, [&](std::int64_t first, std::int64_t count) {
        const at::Tensor part = hidden.narrow(0, first, count);
        const at::Tensor logSum = logSumExp(part, head);
        m_logSum.narrow(0, first, count).copy_(logSum);
        m_mean.narrow(0, first, count).copy_(meanOfHead(part, head, logSum));
    });
}

at::Tensor DivergenceReference::divergence(const at::Tensor& hidden) const {
    at::Tensor result = (m_hidden - hidden).mul_(m_mean).sum(1).sub_(m_logSum);
    forRows(hidden, [&](std::int64_t first, std::int64_t count) {
        result.narrow(0, first, count).add_(logSumExp(hidden.narrow(0, first, count), m_head));
    });
    return result;
}

} // namespace bdq
