#include "engine/pipeline/block_capture.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace bdq {

HiddenStates embedTokens(const at::Tensor& embedding, const at::Tensor& ids, bool onGpu) {
    constexpr std::int64_t kGpuBatchTokens = 8192;
    const std::int64_t batch = onGpu ? std::max<std::int64_t>(1, kGpuBatchTokens / ids.size(1)) : 1;
    HiddenStates states;
    for (std::int64_t first = 0; first < ids.size(0); first += batch) {
        const at::Tensor part = ids.narrow(0, first, std::min(batch, ids.size(0) - first));
        states.push_back(at::embedding(embedding, part.to(embedding.device())));
    }
    return states;
}

} // namespace bdq
