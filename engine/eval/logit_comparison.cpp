#include "engine/eval/logit_comparison.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include <ATen/ATen.h>

#include "engine/eval/running_softmax.h"
#include "engine/eval/token_loss.h"

namespace bdq {
namespace {

/// The largest logit of every row so far and where it was.
class RunningArgmax {
public:
    RunningArgmax(std::int64_t rows, const at::TensorOptions& options)
        : m_value(at::full({rows}, -std::numeric_limits<float>::infinity(), options)),
          m_index(at::zeros({rows}, options.dtype(at::kLong))) {}
    void add(const at::Tensor& logits, std::int64_t first) {
        const auto [value, index] = logits.max(1);
        const at::Tensor larger = value > m_value;
        m_index = at::where(larger, index + first, m_index);
        m_value = at::where(larger, value, m_value);
    }
    [[nodiscard]] const at::Tensor& index() const { return m_index; }

private:
    at::Tensor m_value;
    at::Tensor m_index;
};

/// One model's side: its block of logits and what is kept of the blocks before.
struct Side {
    Side(const at::Tensor& states, std::int64_t block)
        : hidden(states), buffer(at::empty({states.size(0) * block}, states.options())),
          softmax(states.size(0), states.options()), top(states.size(0), states.options()) {}
    at::Tensor logits(const at::Tensor& head, std::int64_t first, std::int64_t count) {
        at::Tensor block = buffer.narrow(0, 0, hidden.size(0) * count).view({hidden.size(0), count});
        at::mm_out(block, hidden, head.narrow(0, first, count).t());
        top.add(block, first);
        return block;
    }
    at::Tensor hidden;
    at::Tensor buffer;
    RunningSoftmax softmax;
    RunningArgmax top;
};

} // namespace

LogitComparison compareLogits(const at::Tensor& full, const at::Tensor& quantized, const at::Tensor& head,
                              const at::Tensor& targets) {
    const std::int64_t vocabulary = head.size(0);
    const std::int64_t block = vocabularyBlock(full, vocabulary);
    Side p(full, block);
    Side q(quantized, block);
    // With logits a of p and b of q: KL = sum p (a - b) - log sum exp a + log sum exp b.
    at::Tensor weighted = at::zeros({full.size(0), 1}, full.options().dtype(at::kDouble));
    for (std::int64_t first = 0; first < vocabulary; first += block) {
        const std::int64_t count = std::min(block, vocabulary - first);
        at::Tensor a = p.logits(head, first, count);
        at::Tensor b = q.logits(head, first, count);
        at::Tensor difference = a - b;
        weighted.mul_(p.softmax.add(a));
        q.softmax.add(b);
        weighted.add_(difference.mul_(a).sum(1, true, at::kDouble));
    }
    const at::Tensor logSumP = p.softmax.logSum();
    const at::Tensor logSumQ = q.softmax.logSum();
    LogitComparison result;
    result.divergence = (weighted.div_(p.softmax.sum()) - logSumP + logSumQ).squeeze(1);
    result.agree = p.top.index() == q.top.index();
    result.fullLoss = logSumP.squeeze(1) - targetLogits(full, head, targets);
    result.quantizedLoss = logSumQ.squeeze(1) - targetLogits(quantized, head, targets);
    return result;
}

} // namespace bdq
