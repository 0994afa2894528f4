#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "engine/train/learned_head.h"
#include "tests/engine/train/finite_differences.h"

namespace bdq::train {
namespace {

using test::normal;
using transform::HeadRotation;

constexpr std::int64_t kHeadDim = 16;
// Sums of at most 64 products rounded at 2^-24, relative to the largest entry.
constexpr double kSingle = 1e-5;
constexpr double kDouble = 1e-12;

double relativeDifference(const at::Tensor& a, const at::Tensor& b) {
    return ((a - b).abs().max() / b.abs().max()).to(at::kDouble).item<double>();
}

enum class Kind { Identity, Hadamard, Svd };

LearnedHead headOf(Kind kind, at::ScalarType type) {
    HeadParameterisation form;
    form.svd = kind == Kind::Svd;
    form.seed = 4;
    std::optional<HeadRotation> start;
    if (kind == Kind::Hadamard) start = HeadRotation::create(kHeadDim, 6).value();
    return LearnedHead::create(kHeadDim, start, form, at::kCPU, type).value();
}

void disturb(LearnedHead& head) {
    NamedTensors values = head.state();
    std::uint64_t seed = 40;
    for (auto& [name, value] : values)
        value = value + 0.05 * normal(value.sizes(), ++seed, value.scalar_type());
    ASSERT_TRUE(head.load(values));
    head.prepare();
}

class EveryHead : public testing::TestWithParam<Kind> {};

TEST_P(EveryHead, KeepsScoresAndOutputs) {
    LearnedHead head = headOf(GetParam(), at::kDouble);
    disturb(head);
    const at::Tensor q = normal({2, 6, 5, kHeadDim}, 1, at::kDouble);
    const at::Tensor k = normal({2, 6, 5, kHeadDim}, 2, at::kDouble);
    EXPECT_LT(relativeDifference(head.applyToQueries(q).matmul(head.applyToKeys(k).transpose(-1, -2)),
                                 q.matmul(k.transpose(-1, -2))),
              kDouble);
    // Four heads share two kv heads: head h reads kv head h / 2, weighs rows, and o adds the heads up.
    const at::Tensor value = normal({2 * kHeadDim, 20}, 3, at::kDouble);
    const at::Tensor output = normal({20, 4 * kHeadDim}, 4, at::kDouble);
    const at::Tensor bias = normal({2 * kHeadDim}, 6, at::kDouble);
    const auto attend = [&](const at::Tensor& v, const at::Tensor& o, const at::Tensor& b) {
        const at::Tensor rows = normal({7, 20}, 5, at::kDouble).matmul(v.t()) + b;
        const at::Tensor heads =
            rows.view({7, 2, kHeadDim}).repeat_interleave(2, 1).reshape({7, 4 * kHeadDim});
        return heads.matmul(o.t());
    };
    const at::Tensor foldedBias = head.foldValue(bias.unsqueeze(1)).squeeze(1);
    EXPECT_LT(relativeDifference(attend(head.foldValue(value), head.foldOutput(output), foldedBias),
                                 attend(value, output, bias)),
              kDouble);
}

TEST_P(EveryHead, BakesToWhatItComputes) {
    LearnedHead head = headOf(GetParam(), at::kFloat);
    disturb(head);
    const HeadRotation baked = head.bake().value();
    const at::Tensor x = normal({3, 4, kHeadDim}, 8);
    EXPECT_LT(relativeDifference(baked.applyToKeys(x), head.applyToKeys(x)), kSingle);
    EXPECT_LT(relativeDifference(baked.applyToQueries(x), head.applyToQueries(x)), kSingle);
    const at::Tensor value = normal({2 * kHeadDim, 20}, 3);
    const at::Tensor output = normal({20, 4 * kHeadDim}, 4);
    const auto folded = transform::foldValueRotation(value, output, {}, baked, 4, 2).value();
    EXPECT_LT(relativeDifference(folded.valueWeight, head.foldValue(value)), kSingle);
    EXPECT_LT(relativeDifference(folded.outputWeight, head.foldOutput(output)), kSingle);
}

TEST_P(EveryHead, GradientsEqualFiniteDifferences) {
    LearnedHead head = headOf(GetParam(), at::kDouble);
    disturb(head);
    const at::Tensor x = normal({4, kHeadDim}, 12, at::kDouble).requires_grad_(true);
    const at::Tensor value = normal({2 * kHeadDim, 5}, 13, at::kDouble).requires_grad_(true);
    const at::Tensor output = normal({5, 3 * kHeadDim}, 14, at::kDouble).requires_grad_(true);
    const auto loss = [&] {
        head.prepare();
        return head.applyToKeys(x).sin().sum() + head.applyToQueries(x).pow(3).sum() +
               head.foldValue(value).cos().sum() + head.foldOutput(output).sin().sum();
    };
    std::vector<at::Tensor> all = head.parameters();
    all.insert(all.end(), {x, value, output});
    test::expectGradients(all, loss);
}

TEST_P(EveryHead, AStateBringsItBack) {
    LearnedHead head = headOf(GetParam(), at::kFloat);
    disturb(head);
    const at::Tensor x = normal({4, kHeadDim}, 14);
    const at::Tensor before = head.applyToQueries(x);
    const NamedTensors kept = head.state();
    disturb(head);
    EXPECT_FALSE(at::equal(head.applyToQueries(x), before));
    ASSERT_TRUE(head.load(kept));
    head.prepare();
    EXPECT_TRUE(at::equal(head.applyToQueries(x), before));
    EXPECT_EQ(head.load({}).error().code, ErrorCode::BadFormat);
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryHead, testing::Values(Kind::Identity, Kind::Hadamard, Kind::Svd));

TEST(LearnedHead, StartsAtItsStart) {
    LearnedHead plain = headOf(Kind::Identity, at::kFloat);
    LearnedHead rotated = headOf(Kind::Hadamard, at::kFloat);
    plain.prepare();
    rotated.prepare();
    const at::Tensor x = normal({4, kHeadDim}, 1);
    EXPECT_TRUE(at::equal(plain.applyToKeys(x), x));
    const HeadRotation start = HeadRotation::create(kHeadDim, 6).value();
    EXPECT_LT(relativeDifference(rotated.applyToKeys(x), start.applyToKeys(x)), kSingle);
    EXPECT_LT(relativeDifference(rotated.applyToQueries(x), start.applyToQueries(x)), kSingle);
}

TEST(LearnedHead, RefusesWhatDoesNotFit) {
    const auto start = HeadRotation::create(8, 1).value();
    EXPECT_EQ(LearnedHead::create(16, start, {}, at::kCPU).error().code, ErrorCode::ShapeMismatch);
    EXPECT_EQ(LearnedHead::create(8, start, {true, 0}, at::kCPU).error().code, ErrorCode::InvalidSpec);
    EXPECT_EQ(LearnedHead::create(0, {}, {}, at::kCPU).error().code, ErrorCode::InvalidSpec);
    EXPECT_EQ(LearnedHead::create(5000, {}, {}, at::kCPU).error().code, ErrorCode::InvalidSpec);
}

TEST(LearnedHead, ASingularMatrixIsRefusedWhenBaked) {
    LearnedHead head = headOf(Kind::Identity, at::kFloat);
    ASSERT_TRUE(head.load({{"matrix", at::ones({kHeadDim, kHeadDim})}}));
    EXPECT_EQ(head.bake().error().code, ErrorCode::NonFinite);
}

} // namespace
} // namespace bdq::train
