#include "engine/eval/label_gradients.h"

#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "engine/model/token_sampler.h"

namespace bdq {
namespace {

ModelEnds ends(std::int64_t vocab, std::int64_t width) {
    ModelEnds ends;
    ends.head = at::randn({vocab, width});
    ends.embedding = ends.head;
    ends.norm = at::rand({width}) + 0.5;
    ends.normEpsilon = 1e-5;
    return ends;
}

/// Gradient of sum_t log p(label_t) by autograd, fp64.
at::Tensor reference(const ModelEnds& ends, const at::Tensor& hidden, const at::Tensor& labels) {
    const at::Tensor leaf = hidden.to(at::kDouble).requires_grad_(true);
    const c10::AutoGradMode on(true);
    const at::Tensor rows = leaf.narrow(0, 0, hidden.size(0) - 1);
    const at::Tensor read = rows * at::rsqrt(rows.square().mean(-1, true) + ends.normEpsilon) * ends.norm;
    const at::Tensor logp = at::log_softmax(at::mm(read, ends.head.to(at::kDouble).t()), 1);
    logp.gather(1, labels).sum().backward();
    return leaf.grad();
}

TEST(LabelGradients, AreThoseOfTheDrawnLabels) {
    at::manual_seed(1);
    const ModelEnds model = ends(700, 24);
    const at::Tensor hidden = at::randn({301, 24}); // two blocks of rows, the second one short
    const at::Tensor draws = at::rand({3, 300}, at::kDouble);
    const std::vector<at::Tensor> found = labelGradients(model, hidden, draws);
    ASSERT_EQ(found.size(), 3u);
    const at::Tensor logits = at::mm(model.finalNorm(hidden.narrow(0, 0, 300)), model.head.t());
    for (std::int64_t label = 0; label < 3; ++label) {
        const at::Tensor labels = sampleTokens(logits, draws[label].unsqueeze(1));
        const at::Tensor expected = reference(model, hidden, labels);
        // fp32 probabilities of logits up to 20: 20 * 2^-23 relative, times rows of the head of norm 5.
        EXPECT_LT((found[static_cast<std::size_t>(label)] - expected).abs().max().item<double>(), 1e-4);
        EXPECT_EQ(found[static_cast<std::size_t>(label)][300].abs().max().item<double>(), 0.0);
    }
}

// E grad log p = 0 under the model's own labels: what makes its square the Fisher information.
TEST(LabelGradients, HaveMeanZero) {
    at::manual_seed(2);
    constexpr std::int64_t kDraws = 4000;
    const ModelEnds model = ends(40, 8);
    const at::Tensor hidden = at::randn({2, 8});
    const std::vector<at::Tensor> found = labelGradients(model, hidden, at::rand({kDraws, 1}, at::kDouble));
    const at::Tensor samples = at::stack(found).select(1, 0).to(at::kDouble);
    const at::Tensor mean = samples.mean(0);
    const at::Tensor deviation = samples.std(0) / std::sqrt(static_cast<double>(kDraws));
    // Eight entries within 5 standard errors: missed by chance once in 200,000 seeds.
    EXPECT_LT((mean.abs() / deviation).max().item<double>(), 5.0);
}

} // namespace
} // namespace bdq
