#include "engine/eval/token_loss.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "engine/eval/running_softmax.h"

namespace bdq {

at::Tensor tokenLosses(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets) {
    const std::int64_t rows = hidden.size(0);
    const std::int64_t vocabulary = head.size(0);
    const std::int64_t block = vocabularyBlock(hidden, vocabulary);
    const at::Tensor buffer = at::empty({rows * block}, hidden.options());
    RunningSoftmax softmax(rows, hidden.options());
    for (std::int64_t first = 0; first < vocabulary; first += block) {
        const std::int64_t count = std::min(block, vocabulary - first);
        at::Tensor logits = buffer.narrow(0, 0, rows * count).view({rows, count});
        at::mm_out(logits, hidden, head.narrow(0, first, count).t());
        softmax.add(logits);
    }
    return softmax.logSum().squeeze(1) - targetLogits(hidden, head, targets);
}

at::Tensor targetLogits(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets) {
    return (hidden * head.index_select(0, targets)).sum(1, false, at::kDouble);
}

} // namespace bdq
