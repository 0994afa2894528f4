#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "engine/transform/head_rotation.h"
#include "tests/engine/quant/random_tensors.h"

namespace bdq::transform {
namespace {

using test::normal;

constexpr double kDouble = 1e-9; // design/transforms.md 12
// head_dim products with three roundings each, 2^-24, terms cancelling to sqrt(head_dim).
constexpr double kSingle = 1e-5;

double relativeDifference(const at::Tensor& a, const at::Tensor& b) {
    return ((a - b).abs().max() / b.abs().max()).to(at::kDouble).item<double>();
}

TEST(HeadRotation, LeavesScoresUnchanged) {
    for (const std::int64_t d : {1, 20, 64, 80, 96, 128}) {
        const auto rotation = HeadRotation::create(d, 3).value();
        const at::Tensor q = normal({2, 6, 9, d}, 1, at::kDouble);
        const at::Tensor k = normal({2, 6, 9, d}, 2, at::kDouble);
        const at::Tensor expected = q.matmul(k.transpose(-1, -2));
        const at::Tensor found = rotation.applyToQueries(q).matmul(rotation.applyToKeys(k).transpose(-1, -2));
        EXPECT_LT(relativeDifference(found, expected), kDouble) << d;
        const at::Tensor single = rotation.applyToQueries(q.to(at::kFloat))
                                      .matmul(rotation.applyToKeys(k.to(at::kFloat)).transpose(-1, -2));
        EXPECT_LT(relativeDifference(single, expected), kSingle) << d;
    }
}

TEST(HeadRotation, IsOrthogonalToFp32Rounding) {
    const auto rotation = HeadRotation::create(96, 4).value();
    const at::Tensor product = rotation.matrix().matmul(rotation.matrix().t());
    EXPECT_LT((product - at::eye(96, at::kDouble)).abs().max().item<double>(), 1e-7);
    EXPECT_LT((rotation.matrix() - HeadRotation::create(96, 4).value().matrix()).abs().max().item<double>(),
              0x1p-60);
    EXPECT_GT((rotation.matrix() - HeadRotation::create(96, 5).value().matrix()).abs().max().item<double>(),
              0.1);
}

TEST(HeadRotation, FoldedValuesLeaveAttentionUnchanged) {
    constexpr std::int64_t kHeads = 9;
    constexpr std::int64_t kKvHeads = 3;
    constexpr std::int64_t kDim = 64;
    constexpr std::int64_t kTokens = 7;
    const auto rotation = HeadRotation::create(kDim, 6).value();
    const at::Tensor x = normal({kTokens, 50}, 7, at::kDouble);
    const at::Tensor wv = normal({kKvHeads * kDim, 50}, 8, at::kDouble);
    const at::Tensor bias = normal({kKvHeads * kDim}, 9, at::kDouble);
    const at::Tensor wo = normal({50, kHeads * kDim}, 10, at::kDouble);
    const at::Tensor scores = normal({kHeads, kTokens, kTokens}, 11, at::kDouble).softmax(-1);
    const auto attention = [&](const at::Tensor& v, const at::Tensor& b, const at::Tensor& o) {
        const at::Tensor values = (x.matmul(v.t()) + b).view({kTokens, kKvHeads, kDim}).transpose(0, 1);
        const at::Tensor mixed = scores.matmul(values.repeat_interleave(kHeads / kKvHeads, 0));
        return mixed.transpose(0, 1).reshape({kTokens, kHeads * kDim}).matmul(o.t());
    };
    const auto folded = foldValueRotation(wv, wo, bias, rotation, kHeads, kKvHeads).value();
    EXPECT_LT(relativeDifference(attention(folded.valueWeight, folded.valueBias, folded.outputWeight),
                                 attention(wv, bias, wo)),
              kDouble);
    // The cache itself must have changed: v P per head.
    const at::Tensor expected = wv.view({kKvHeads, kDim, 50});
    EXPECT_LT(relativeDifference(folded.valueWeight.view({kKvHeads, kDim, 50})[1],
                                 rotation.matrix().t().matmul(expected[1])),
              kDouble);
}

TEST(HeadRotation, KeepsDtypeAndOptionalBias) {
    const auto rotation = HeadRotation::create(8, 1).value();
    const auto folded =
        foldValueRotation(normal({16, 5}, 1), normal({5, 32}, 2), at::Tensor(), rotation, 4, 2).value();
    EXPECT_EQ(folded.valueWeight.scalar_type(), at::kFloat);
    EXPECT_EQ(folded.outputWeight.scalar_type(), at::kFloat);
    EXPECT_FALSE(folded.valueBias.defined());
}

TEST(HeadRotation, RefusesWrongShapes) {
    EXPECT_EQ(HeadRotation::create(0, 1).error().code, ErrorCode::InvalidSpec);
    EXPECT_EQ(HeadRotation::create(5000, 1).error().code, ErrorCode::InvalidSpec);
    const auto rotation = HeadRotation::create(8, 1).value();
    const at::Tensor v = normal({16, 5}, 1);
    const at::Tensor o = normal({5, 32}, 2);
    EXPECT_EQ(foldValueRotation(v, o, {}, rotation, 4, 3).error().code, ErrorCode::ShapeMismatch);
    EXPECT_EQ(foldValueRotation(v, o, {}, rotation, 3, 2).error().code, ErrorCode::ShapeMismatch);
    EXPECT_EQ(foldValueRotation(v, o, at::ones({15}), rotation, 4, 2).error().code, ErrorCode::ShapeMismatch);
    EXPECT_EQ(foldValueRotation({}, o, {}, rotation, 4, 2).error().code, ErrorCode::ShapeMismatch);
}

TEST(HeadRotation, TakesAnyInvertibleMatrix) {
    const at::Tensor matrix = test::normal({24, 24}, 5);
    const HeadRotation rotation = HeadRotation::fromMatrix(matrix).value();
    EXPECT_TRUE(at::equal(rotation.matrix(), matrix.to(at::kDouble)));
    const at::Tensor product = rotation.matrix().matmul(rotation.inverseTransposed().t());
    EXPECT_TRUE(
        at::allclose(product, at::eye(24, at::kDouble), 0, 1e-9)); // fp64 inverse, condition below 1e5
    const HeadRotation hadamard = HeadRotation::create(24, 3).value();
    const HeadRotation again = HeadRotation::fromMatrix(hadamard.matrix()).value();
    EXPECT_TRUE(at::equal(again.inverseTransposed(), hadamard.inverseTransposed()));
}

TEST(HeadRotation, RefusesMatricesWithoutInverse) {
    const auto code = [](const at::Tensor& matrix) { return HeadRotation::fromMatrix(matrix).error().code; };
    EXPECT_EQ(code({}), ErrorCode::ShapeMismatch);
    EXPECT_EQ(code(at::ones({3, 4})), ErrorCode::ShapeMismatch);
    EXPECT_EQ(code(at::ones({3})), ErrorCode::ShapeMismatch);
    EXPECT_EQ(code(at::ones({3, 3}, at::kInt)), ErrorCode::ShapeMismatch);
    EXPECT_EQ(code(at::ones({3, 3})), ErrorCode::NonFinite);
    EXPECT_EQ(code(at::full({3, 3}, NAN)), ErrorCode::NonFinite);
}

} // namespace
} // namespace bdq::transform
