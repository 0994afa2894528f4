#include "engine/model/token_sampler.h"

#include <ATen/ATen.h>

namespace bdq {

at::Tensor sampleTokens(const at::Tensor& logits, const at::Tensor& draws) {
    const at::Tensor sums = at::cumsum(at::softmax(logits, -1, at::kDouble), -1);
    const std::int64_t last = logits.size(-1) - 1;
    // The first token whose sum is larger: never one of probability 0.
    return at::searchsorted(sums, draws * sums.narrow(-1, last, 1), false, true).clamp_max(last);
}

} // namespace bdq
