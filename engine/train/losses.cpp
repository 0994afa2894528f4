#include "engine/train/losses.h"

#include <algorithm>
#include <cfloat>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

namespace bdq::train {

namespace {

constexpr double kDelta = 0.5;      ///< BDQ's, arXiv 2605.18800 appendix D
constexpr double kSafeWeight = 0.1; ///< design/bdq.md 7, R1
constexpr std::int64_t kTopTokens = 1000;

void requireArguments(LogitLoss kind, const at::Tensor& student, const at::Tensor& teacher,
                      const at::Tensor& head, const at::Tensor& targets, std::int64_t chunkRows) {
    TORCH_CHECK(
        student.dim() == 2 && head.dim() == 2 && student.size(1) == head.size(1) && student.numel() > 0 &&
            (student.scalar_type() == at::kFloat || student.scalar_type() == at::kDouble) &&
            head.scalar_type() == student.scalar_type(),
        "logitLoss: student is ", student.scalar_type(), " of ", student.sizes(), ", head ",
        head.scalar_type(), " of ", head.sizes(), "; expected [rows, n] and [vocab, n], both fp32 or fp64");
    TORCH_CHECK(chunkRows >= 1, "logitLoss: chunkRows is ", chunkRows, "; expected at least 1");
    if (kind == LogitLoss::CrossEntropy) {
        TORCH_CHECK(targets.defined() && targets.scalar_type() == at::kLong && targets.dim() == 1 &&
                        targets.size(0) == student.size(0),
                    "logitLoss: targets are not int64 [", student.size(0), "]");
        return;
    }
    TORCH_CHECK(teacher.defined() && teacher.sizes() == student.sizes() &&
                    teacher.scalar_type() == student.scalar_type(),
                "logitLoss: the teacher's hidden states do not match the student's ", student.scalar_type(),
                " of ", student.sizes());
}

/// Sum of the loss over rows, and its gradient by the logits [rows, vocab].
struct ChunkLoss {
    at::Tensor sum;
    at::Tensor gradient;
};

ChunkLoss crossEntropy(const at::Tensor& logProbabilities, const at::Tensor& targets) {
    const at::Tensor places = targets.unsqueeze(1);
    const at::Tensor sum = -logProbabilities.gather(1, places).sum(at::kDouble);
    const at::Tensor one = at::ones({1, 1}, logProbabilities.options()).expand_as(places);
    return {sum, logProbabilities.exp().scatter_add_(1, places, -one)};
}

ChunkLoss divergence(const at::Tensor& logP, const at::Tensor& logQ) {
    const at::Tensor q = logQ.exp();
    const at::Tensor sum = (logQ - logP).mul_(q).sum(at::kDouble);
    return {sum, logP.exp().sub_(q)};
}

// Over the teacher's kTopTokens likeliest tokens, both distributions over the whole vocabulary
// (design/transforms.md 4.4).
ChunkLoss topDivergence(const at::Tensor& logP, const at::Tensor& logQ) {
    const std::int64_t count = std::min(kTopTokens, logQ.size(1));
    const auto [best, places] = logQ.topk(count, 1, true, false);
    const at::Tensor q = best.exp();
    const at::Tensor sum = (best - logP.gather(1, places)).mul_(q).sum(at::kDouble);
    return {sum, (logP.exp() * q.sum(1, true)).scatter_add_(1, places, -q)};
}

ChunkLoss recursiveCrossEntropy(const at::Tensor& logP, const at::Tensor& logQ, double weight) {
    const at::Tensor p = logP.exp();
    const at::Tensor q = logQ.exp();
    const at::Tensor crossed = (q * logP).sum(at::kDouble).neg_();
    // Where both underflow p log m is 0; the floor keeps its logarithm finite.
    const at::Tensor mixture = (p * kDelta).add_(q, 1 - kDelta).clamp_min_(FLT_MIN);
    const at::Tensor logM = mixture.log();
    const at::Tensor extra = (p * logM).sum(at::kDouble);
    at::Tensor slope = (p / mixture).mul_(kDelta).add_(logM);
    slope.sub_((p * slope).sum(1, true)).mul_(p);
    return {crossed.add_(extra, weight), (p - q).add_(slope, weight)};
}

ChunkLoss chunkLoss(LogitLoss kind, const at::Tensor& logP, const at::Tensor& teacherLogits,
                    const at::Tensor& targets) {
    if (kind == LogitLoss::CrossEntropy) return crossEntropy(logP, targets);
    const at::Tensor logQ = at::log_softmax(teacherLogits, 1);
    if (kind == LogitLoss::Kl) return divergence(logP, logQ);
    if (kind == LogitLoss::KlTop) return topDivergence(logP, logQ);
    return recursiveCrossEntropy(logP, logQ, kind == LogitLoss::RcePrinted ? 1.0 : kSafeWeight);
}

} // namespace

LossAndGradient logitLoss(LogitLoss kind, const at::Tensor& student, const at::Tensor& teacher,
                          const at::Tensor& head, const at::Tensor& targets, std::int64_t chunkRows) {
    requireArguments(kind, student, teacher, head, targets, chunkRows);
    const c10::NoGradGuard noGrad;
    const std::int64_t rows = student.size(0);
    const bool taught = kind != LogitLoss::CrossEntropy;
    const at::Tensor plain = student.detach();
    const at::Tensor transposed = head.detach().t();
    LossAndGradient result{at::zeros({}, plain.options().dtype(at::kDouble)), at::empty_like(plain)};
    for (std::int64_t first = 0; first < rows; first += chunkRows) {
        const std::int64_t count = std::min(chunkRows, rows - first);
        const at::Tensor logP = at::log_softmax(plain.narrow(0, first, count).matmul(transposed), 1);
        const ChunkLoss chunk = chunkLoss(
            kind, logP, taught ? teacher.detach().narrow(0, first, count).matmul(transposed) : at::Tensor(),
            taught ? at::Tensor() : targets.narrow(0, first, count));
        result.loss.add_(chunk.sum);
        result.hiddenGradient.narrow(0, first, count).copy_(chunk.gradient.matmul(head.detach()));
    }
    result.loss.div_(static_cast<double>(rows));
    result.hiddenGradient.div_(static_cast<double>(rows));
    return result;
}

} // namespace bdq::train
