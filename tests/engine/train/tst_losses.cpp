#include <cmath>
#include <cstdint>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "engine/train/losses.h"
#include "tests/engine/quant/random_tensors.h"

namespace bdq::train {
namespace {

using test::normal;

constexpr std::int64_t kRows = 13;
constexpr std::int64_t kFeatures = 10;
constexpr std::int64_t kVocabulary = 37;
constexpr LogitLoss kAll[] = {LogitLoss::Kl, LogitLoss::CrossEntropy, LogitLoss::RcePrinted,
                              LogitLoss::RceSafe};

struct Inputs {
    at::Tensor student;
    at::Tensor teacher;
    at::Tensor head;
    at::Tensor targets;
};

Inputs inputs(at::ScalarType type) {
    const at::Tensor targets = normal({kRows}, 4).abs().mul(1000).to(at::kLong).remainder(kVocabulary);
    return {normal({kRows, kFeatures}, 1, type), normal({kRows, kFeatures}, 2, type),
            normal({kVocabulary, kFeatures}, 3, type), targets};
}

/// The definitions over whole matrices, left to autograd.
at::Tensor directLoss(LogitLoss kind, const Inputs& in, const at::Tensor& student) {
    const at::Tensor p = student.matmul(in.head.t()).softmax(1);
    if (kind == LogitLoss::CrossEntropy) return -p.gather(1, in.targets.unsqueeze(1)).log().mean();
    const at::Tensor q = in.teacher.matmul(in.head.t()).softmax(1);
    if (kind == LogitLoss::Kl) return (q * (q / p).log()).sum(1).mean();
    const double weight = kind == LogitLoss::RcePrinted ? 1.0 : 0.1;
    return -(q * p.log() - weight * p * (0.5 * p + 0.5 * q).log()).sum(1).mean();
}

TEST(LogitLoss, EqualsAutogradOfTheDefinitionForEveryChunk) {
    const Inputs in = inputs(at::kDouble);
    for (const LogitLoss kind : kAll) {
        const at::Tensor student = in.student.clone().requires_grad_(true);
        const at::Tensor expected = directLoss(kind, in, student);
        expected.backward();
        for (const std::int64_t chunk : {1, 4, 13, 100}) {
            const auto found = logitLoss(kind, in.student, in.teacher, in.head, in.targets, chunk);
            // 37 terms of size up to 10, roundings of 2^-53 each, margin 10.
            EXPECT_NEAR(found.loss.item<double>(), expected.item<double>(), 4e-13) << logitLossName(kind);
            EXPECT_LE((found.hiddenGradient - student.grad()).abs().max().item<double>(), 4e-13)
                << logitLossName(kind) << " in chunks of " << chunk;
        }
    }
}

TEST(LogitLoss, Fp32AgreesWithFp64) {
    const Inputs exact = inputs(at::kDouble);
    for (const LogitLoss kind : kAll) {
        const auto expected = logitLoss(kind, exact.student, exact.teacher, exact.head, exact.targets, 5);
        const auto found = logitLoss(kind, exact.student.to(at::kFloat), exact.teacher.to(at::kFloat),
                                     exact.head.to(at::kFloat), exact.targets, 5);
        // Logits up to 15 with 10 roundings of 2^-24: 1e-5 relative.
        EXPECT_NEAR(found.loss.item<double>(), expected.loss.item<double>(), 1e-4) << logitLossName(kind);
        EXPECT_TRUE(at::allclose(found.hiddenGradient.to(at::kDouble), expected.hiddenGradient, 1e-4, 1e-5))
            << logitLossName(kind);
        EXPECT_EQ(found.loss.scalar_type(), at::kDouble);
        EXPECT_EQ(found.hiddenGradient.scalar_type(), at::kFloat);
    }
}

TEST(LogitLoss, KlOfEqualModelsIsZeroButTheirRceIsNotAtItsMinimum) {
    const Inputs in = inputs(at::kDouble);
    const auto kl = logitLoss(LogitLoss::Kl, in.teacher, in.teacher, in.head, {}, 5);
    EXPECT_NEAR(kl.loss.item<double>(), 0, 1e-15);
    EXPECT_LE(kl.hiddenGradient.abs().max().item<double>(), 1e-16);
    // p = q is not the minimum of the printed form (design/bdq.md 7): its gradient there is the entropy's.
    const auto rce = logitLoss(LogitLoss::RcePrinted, in.teacher, in.teacher, in.head, {}, 5);
    EXPECT_GT(rce.hiddenGradient.abs().max().item<double>(), 1e-3);
}

TEST(LogitLoss, ConfidentModelsStayFinite) {
    Inputs in = inputs(at::kFloat);
    in.head.mul_(1000); // probabilities that underflow to 0
    for (const LogitLoss kind : kAll) {
        const auto found = logitLoss(kind, in.student, in.teacher, in.head, in.targets, 4);
        EXPECT_TRUE(std::isfinite(found.loss.item<double>())) << logitLossName(kind);
        EXPECT_TRUE(at::isfinite(found.hiddenGradient).all().item<bool>()) << logitLossName(kind);
    }
}

TEST(LogitLoss, GradientFlowsOnThroughTheStudent) {
    const Inputs in = inputs(at::kDouble);
    const at::Tensor leaf = in.student.clone().requires_grad_(true);
    const at::Tensor hidden = leaf * 2;
    const auto found = logitLoss(LogitLoss::Kl, hidden, in.teacher, in.head, {}, 5);
    EXPECT_FALSE(found.hiddenGradient.requires_grad());
    hidden.backward(found.hiddenGradient);
    EXPECT_TRUE(at::equal(leaf.grad(), found.hiddenGradient * 2));
}

TEST(LogitLoss, RefusesWrongArguments) {
    const Inputs in = inputs(at::kFloat);
    EXPECT_THROW(logitLoss(LogitLoss::Kl, in.student, {}, in.head, in.targets, 4), c10::Error);
    EXPECT_THROW(logitLoss(LogitLoss::CrossEntropy, in.student, {}, in.head, {}, 4), c10::Error);
    EXPECT_THROW(logitLoss(LogitLoss::Kl, in.student, in.teacher, in.head.t(), {}, 4), c10::Error);
    EXPECT_THROW(logitLoss(LogitLoss::Kl, in.student, in.teacher, in.head, {}, 0), c10::Error);
    EXPECT_THROW(logitLoss(LogitLoss::Kl, in.student, in.teacher.to(at::kDouble), in.head, {}, 4),
                 c10::Error);
}

} // namespace
} // namespace bdq::train
