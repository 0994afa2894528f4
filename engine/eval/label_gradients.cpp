#include "engine/eval/label_gradients.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "engine/model/token_sampler.h"

namespace bdq {
namespace {

/// d log p(label) / dh = W_label - sum_v p_v W_v for h that the head reads; a few rows of logits at a time.
std::vector<at::Tensor> headGradients(const at::Tensor& read, const at::Tensor& head,
                                      const at::Tensor& draws) {
    constexpr std::int64_t kRows = 256;
    std::vector<at::Tensor> gradients;
    for (std::int64_t label = 0; label < draws.size(0); ++label)
        gradients.push_back(at::empty_like(read));
    for (std::int64_t first = 0; first < read.size(0); first += kRows) {
        const std::int64_t count = std::min(kRows, read.size(0) - first);
        const at::Tensor logits = at::mm(read.narrow(0, first, count), head.t());
        const at::Tensor mean = at::mm(at::softmax(logits, -1), head);
        for (std::int64_t label = 0; label < draws.size(0); ++label) {
            const at::Tensor chosen =
                sampleTokens(logits, draws[label].narrow(0, first, count).unsqueeze(1)).squeeze(1);
            gradients[static_cast<std::size_t>(label)]
                .narrow(0, first, count)
                .copy_(head.index_select(0, chosen).sub_(mean));
        }
    }
    return gradients;
}

} // namespace

std::vector<at::Tensor> labelGradients(const ModelEnds& ends, const at::Tensor& hidden,
                                       const at::Tensor& draws) {
    TORCH_CHECK(hidden.dim() == 2 && hidden.size(0) >= 2 && draws.dim() == 2 &&
                    draws.size(1) == hidden.size(0) - 1,
                "labelGradients: hidden ", hidden.sizes(), " and draws ", draws.sizes(),
                "; expected [tokens >= 2, n] and [labels, tokens - 1]");
    const at::Tensor leaf = hidden.detach().requires_grad_(true);
    at::Tensor read;
    {
        const c10::AutoGradMode on(true);
        read = ends.finalNorm(leaf.narrow(0, 0, hidden.size(0) - 1));
    }
    const std::vector<at::Tensor> byHead = headGradients(read.detach(), ends.head, draws);
    std::vector<at::Tensor> gradients;
    for (std::size_t label = 0; label < byHead.size(); ++label) {
        read.backward(byHead[label], label + 1 < byHead.size());
        gradients.push_back(leaf.grad().detach());
        leaf.mutable_grad().reset();
    }
    return gradients;
}

} // namespace bdq
