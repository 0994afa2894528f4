#include "engine/eval/token_loss.h"

#include <algorithm>
#include <limits>

#include <ATen/ATen.h>

namespace bdq {
namespace {

// 2048 rows x 1024 logits in fp32 are 8 MB: the matmul still runs at full rate, the softmax reads a cache. On
// a GPU launches cost more than memory.
constexpr std::int64_t kVocabularyBlock = 1024;
constexpr std::int64_t kDeviceVocabularyBlock = 16384;

} // namespace

at::Tensor tokenLosses(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets) {
    const std::int64_t rows = hidden.size(0);
    const std::int64_t vocabulary = head.size(0);
    const std::int64_t block =
        std::min(vocabulary, hidden.is_cpu() ? kVocabularyBlock : kDeviceVocabularyBlock);
    const at::Tensor buffer = at::empty({rows * block}, hidden.options());
    at::Tensor maximum = at::full({rows, 1}, -std::numeric_limits<float>::infinity(), hidden.options());
    at::Tensor sum = at::zeros({rows, 1}, hidden.options().dtype(at::kDouble));
    for (std::int64_t first = 0; first < vocabulary; first += block) {
        const std::int64_t count = std::min(block, vocabulary - first);
        at::Tensor logits = buffer.narrow(0, 0, rows * count).view({rows, count});
        at::mm_out(logits, hidden, head.narrow(0, first, count).t());
        const at::Tensor larger = at::maximum(maximum, logits.amax(1, true));
        sum.mul_((maximum - larger).exp_());
        sum.add_(logits.sub_(larger).exp_().sum(1, true));
        maximum = larger;
    }
    const at::Tensor chosen = (hidden * head.index_select(0, targets)).sum(1, false, at::kDouble);
    return (sum.log_() + maximum).squeeze(1) - chosen;
}

} // namespace bdq
