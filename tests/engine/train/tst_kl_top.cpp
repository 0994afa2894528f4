// OSTQuant's loss over the teacher's likeliest tokens: value by plain loops, gradient by central differences.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "engine/train/losses.h"
#include "tests/engine/train/finite_differences.h"

namespace bdq::train {
namespace {

using test::normal;

constexpr std::int64_t kRows = 5;
constexpr std::int64_t kFeatures = 6;
constexpr std::int64_t kVocabulary = 1300; ///< more than the 1000 that count
// 1000 terms of size below 1, roundings of 2^-53 each, margin 10.
constexpr double kSum = 1e-12;

struct KlTop : ::testing::Test {
    at::Tensor student = normal({kRows, kFeatures}, 1, at::kDouble);
    at::Tensor teacher = normal({kRows, kFeatures}, 2, at::kDouble);
    at::Tensor head = normal({kVocabulary, kFeatures}, 3, at::kDouble);

    [[nodiscard]] std::vector<double> probabilities(const at::Tensor& hidden, std::int64_t row) const {
        std::vector<double> p(kVocabulary);
        double total = 0;
        for (std::int64_t t = 0; t < kVocabulary; ++t) {
            double logit = 0;
            for (std::int64_t i = 0; i < kFeatures; ++i)
                logit += hidden[row][i].item<double>() * head[t][i].item<double>();
            total += p[static_cast<std::size_t>(t)] = std::exp(logit);
        }
        for (double& value : p)
            value /= total;
        return p;
    }
};

TEST_F(KlTop, IsTheSumOverTheTeachersThousandLikeliestTokens) {
    double expected = 0;
    for (std::int64_t row = 0; row < kRows; ++row) {
        const std::vector<double> p = probabilities(student, row);
        const std::vector<double> q = probabilities(teacher, row);
        std::vector<std::size_t> order(q.size());
        std::iota(order.begin(), order.end(), 0);
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return q[a] > q[b]; });
        for (std::size_t k = 0; k < 1000; ++k)
            expected += q[order[k]] * (std::log(q[order[k]]) - std::log(p[order[k]])) / kRows;
    }
    const auto found = logitLoss(LogitLoss::KlTop, student, teacher, head, {}, 2);
    EXPECT_NEAR(found.loss.item<double>(), expected, kSum);
    const auto whole = logitLoss(LogitLoss::Kl, student, teacher, head, {}, 2);
    EXPECT_GT(std::abs(whole.loss.item<double>() - expected), 100 * kSum);
}

TEST_F(KlTop, GradientAgreesWithFiniteDifferences) {
    const auto gradient = logitLoss(LogitLoss::KlTop, student, teacher, head, {}, 2).hiddenGradient;
    for (std::uint64_t seed = 10; seed < 20; ++seed) {
        const at::Tensor direction = normal(student.sizes(), seed, at::kDouble);
        const auto at = [&](double step) {
            return logitLoss(LogitLoss::KlTop, student + step * direction, teacher, head, {}, 2)
                .loss.item<double>();
        };
        const double expected = (at(test::kStep) - at(-test::kStep)) / (2 * test::kStep);
        const auto found = (gradient * direction).sum().item<double>();
        const double scale = gradient.norm().item<double>() * direction.norm().item<double>();
        EXPECT_LE(std::abs(found - expected), test::kGradient * scale) << found << " " << expected;
    }
}

TEST_F(KlTop, EqualModelsHaveNoneAndASmallVocabularyCountsWhole) {
    EXPECT_NEAR(logitLoss(LogitLoss::KlTop, teacher, teacher, head, {}, 3).loss.item<double>(), 0, kSum);
    const at::Tensor small = head.narrow(0, 0, 40);
    EXPECT_NEAR(logitLoss(LogitLoss::KlTop, student, teacher, small, {}, 3).loss.item<double>(),
                logitLoss(LogitLoss::Kl, student, teacher, small, {}, 3).loss.item<double>(), kSum);
}

} // namespace
} // namespace bdq::train
