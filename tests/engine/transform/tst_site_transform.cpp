#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "engine/analysis/hadamard.h"
#include "engine/transform/eigen_tensor.h"
#include "engine/transform/site_transform.h"
#include "tests/engine/quant/random_tensors.h"

namespace bdq::transform {
namespace {

using test::normal;

// x W^T of n products in fp32 after three passes over each operand: about 2 (3 + log2 n) roundings of 2^-24
// on sums whose terms cancel to the square root of n; blocks with condition number 30 multiply it by that.
constexpr double kSingle = 1e-3;
constexpr double kDouble = 1e-9; // design/transforms.md 12

struct Case {
    const char* name;
    std::int64_t n;
    bool diagonal;
    std::int64_t block;
    bool hadamard;
    std::int64_t kroneckerLeft = 0; ///< 0 = none
    bool identityRight = false;
    std::int64_t second = 0; ///< size of blocks behind a random permutation; 0 = neither
};

const Case kCases[] = {
    {"diagonal", 48, true, 0, false},
    {"hadamard 2^k", 64, false, 0, true},
    {"hadamard 12", 12, false, 0, true},
    {"hadamard 576", 576, false, 0, true},
    {"block fallback", 92, false, 0, true},
    {"blocks", 128, false, 64, false},
    {"ragged blocks", 576, false, 128, false},
    {"one short block", 40, false, 64, false},
    {"all", 1536, true, 64, true},
    {"all, ragged", 576, true, 128, true},
    {"one channel", 1, true, 1, true},
    {"kronecker", 48, false, 0, false, 6},
    {"kronecker across heads", 576, true, 0, false, 9, true},
    {"kronecker of a prime", 7, true, 0, false, 1},
    {"all, kronecker", 96, true, 0, true, 8},
    {"permutation alone", 48, false, 0, false, 0, false, 1},
    {"two rotations", 576, true, 64, false, 0, false, 64},
    {"second blocks ragged", 100, true, 64, true, 0, false, 32},
    {"permutation, hadamard", 64, false, 0, true, 0, false, 1},
};

TransformParts partsOf(const Case& c, std::uint64_t seed) {
    TransformParts parts;
    if (c.diagonal) parts.diagonal = normal({c.n}, seed, at::kDouble).exp();
    if (c.block > 0) {
        const std::int64_t count = (c.n - 1) / c.block + 1;
        parts.blocks = normal({count, c.block, c.block}, seed + 1, at::kDouble) * 0.1 +
                       2 * std::sqrt(static_cast<double>(c.block)) * 0.1 * at::eye(c.block, at::kDouble);
        parts.blockSize = c.block;
    }
    if (c.kroneckerLeft > 0) {
        const auto factor = [&](std::int64_t order, std::uint64_t with) {
            return normal({order, order}, with, at::kDouble) * 0.1 + at::eye(order, at::kDouble);
        };
        const std::int64_t right = c.n / c.kroneckerLeft;
        parts.kroneckerLeft = factor(c.kroneckerLeft, seed + 2);
        parts.kroneckerRight = c.identityRight ? at::eye(right) : factor(right, seed + 3);
    }
    if (c.second > 0) {
        parts.permutation = normal({c.n}, seed + 4).argsort();
        if (c.second > 1) {
            const std::int64_t count = (c.n - 1) / c.second + 1;
            parts.secondBlocks = normal({count, c.second, c.second}, seed + 5, at::kDouble) * 0.05 +
                                 at::eye(c.second, at::kDouble);
            parts.secondBlockSize = c.second;
        }
    }
    parts.hadamard = c.hadamard;
    parts.hadamardSeed = seed;
    return parts;
}

/// blockdiag [n, n] of fp64 blocks rounded to fp32.
at::Tensor denseBlocks(const at::Tensor& parts, std::int64_t size, std::int64_t n) {
    const at::Tensor rounded = parts.to(at::kFloat).to(at::kDouble);
    at::Tensor dense = at::zeros({n, n}, at::kDouble);
    for (std::int64_t start = 0; start < n; start += size) {
        const std::int64_t width = std::min(size, n - start);
        dense.narrow(0, start, width)
            .narrow(1, start, width)
            .copy_(rounded[start / size].narrow(0, 0, width).narrow(1, 0, width));
    }
    return dense;
}

double relativeDifference(const at::Tensor& a, const at::Tensor& b) {
    return ((a - b).abs().max() / b.abs().max()).to(at::kDouble).item<double>();
}

class EveryTransform : public testing::TestWithParam<Case> {};

TEST_P(EveryTransform, LeavesTheProductUnchanged) {
    const Case& c = GetParam();
    const auto transform = SiteTransform::create(c.n, partsOf(c, 5)).value();
    const at::Tensor x = normal({3, 7, c.n}, 6, at::kDouble);
    const at::Tensor weight = normal({11, c.n}, 7, at::kDouble);
    const at::Tensor expected = x.matmul(weight.t());
    const at::Tensor found = transform.applyToActivations(x).matmul(transform.applyToWeight(weight).t());
    EXPECT_LT(relativeDifference(found, expected), kDouble);
    const at::Tensor single = transform.applyToActivations(x.to(at::kFloat))
                                  .matmul(transform.applyToWeight(weight.to(at::kFloat)).t());
    EXPECT_LT(relativeDifference(single, expected), kSingle);
}

TEST_P(EveryTransform, RevertsBothSides) {
    const Case& c = GetParam();
    const auto transform = SiteTransform::create(c.n, partsOf(c, 15)).value();
    const at::Tensor x = normal({9, c.n}, 16, at::kDouble);
    EXPECT_LT(relativeDifference(transform.revertActivations(transform.applyToActivations(x)), x), kDouble);
    EXPECT_LT(relativeDifference(transform.revertWeight(transform.applyToWeight(x)), x), kDouble);
}

TEST_P(EveryTransform, EqualsTheDenseMatrices) {
    const Case& c = GetParam();
    const TransformParts parts = partsOf(c, 25);
    const auto transform = SiteTransform::create(c.n, parts).value();
    at::Tensor dense = at::eye(c.n, at::kDouble);
    const auto rounded = [](const at::Tensor& t) { return t.to(at::kFloat).to(at::kDouble); };
    if (c.diagonal) dense = dense.matmul(rounded(parts.diagonal).diag());
    if (c.block > 0) dense = dense.matmul(denseBlocks(parts.blocks, c.block, c.n));
    if (c.kroneckerLeft > 0)
        dense = dense.matmul(at::kron(rounded(parts.kroneckerLeft), rounded(parts.kroneckerRight)));
    if (c.second > 0) dense = dense.index_select(1, parts.permutation);
    if (c.second > 1) dense = dense.matmul(denseBlocks(parts.secondBlocks, c.second, c.n));
    if (c.hadamard) {
        const auto plan = analysis::hadamardPlan(c.n).value();
        const at::Tensor signs = tensorOf(analysis::randomSigns(c.n, 25)).view({-1});
        dense = dense.matmul(signs.diag()).matmul(tensorOf(analysis::denseHadamard(plan).value()));
    }
    const at::Tensor x = normal({5, c.n}, 26, at::kDouble);
    EXPECT_LT(relativeDifference(transform.applyToActivations(x), x.matmul(dense)), kDouble);
    const at::Tensor inverse = at::linalg_inv(dense).t();
    EXPECT_LT(relativeDifference(transform.applyToWeight(x), x.matmul(inverse)), kDouble);
}

TEST_P(EveryTransform, SurvivesSaving) {
    const Case& c = GetParam();
    const auto transform = SiteTransform::create(c.n, partsOf(c, 35)).value();
    TransformDetail detail;
    transform.toDetail(detail);
    const auto restored = SiteTransform::fromDetail(detail, c.n, transform.hadamardSeed()).value();
    const at::Tensor x = normal({5, c.n}, 36);
    EXPECT_TRUE(at::equal(restored.applyToActivations(x), transform.applyToActivations(x)));
    EXPECT_TRUE(at::equal(restored.applyToWeight(x), transform.applyToWeight(x)));
    EXPECT_EQ(restored.describe(), transform.describe());
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryTransform, testing::ValuesIn(kCases), [](const auto& parameter) {
    std::string name = parameter.param.name;
    std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
    return name;
});

TEST_P(EveryTransform, GivesItsPartsBack) {
    const Case& c = GetParam();
    const auto transform = SiteTransform::create(c.n, partsOf(c, 45)).value();
    const auto again = SiteTransform::create(c.n, transform.parts()).value();
    const at::Tensor x = normal({5, c.n}, 46);
    EXPECT_TRUE(at::equal(again.applyToActivations(x), transform.applyToActivations(x)));
    EXPECT_TRUE(at::equal(again.applyToWeight(x), transform.applyToWeight(x)));
}

TEST(SiteTransform, KroneckerFactorsCostTheirOrders) {
    TransformParts parts;
    parts.kroneckerLeft = normal({32, 32}, 1);
    parts.kroneckerRight = normal({48, 48}, 2);
    const auto both = SiteTransform::create(1536, parts).value();
    EXPECT_EQ(both.onlineMultiplies(), 1536 * (32 + 48));
    EXPECT_EQ(both.describe(), "Kronecker 32 x 48: 122880 multiplications per token");
    parts.kroneckerRight = at::eye(48);
    EXPECT_EQ(SiteTransform::create(1536, parts).value().onlineMultiplies(), 1536 * 32);
}

TEST(SiteTransform, RefusesKroneckerFactorsThatDoNotFit) {
    const auto code = [](const at::Tensor& left, const at::Tensor& right, bool blocks = false) {
        TransformParts parts;
        parts.kroneckerLeft = left;
        parts.kroneckerRight = right;
        if (blocks) {
            parts.blocks = at::eye(4).expand({3, 4, 4});
            parts.blockSize = 4;
        }
        const auto made = SiteTransform::create(12, parts);
        return made ? ErrorCode::Internal : made.error().code;
    };
    EXPECT_EQ(code(at::eye(3), at::eye(5)), ErrorCode::ShapeMismatch);
    EXPECT_EQ(code(at::eye(3), {}), ErrorCode::ShapeMismatch);
    EXPECT_EQ(code({}, at::eye(3)), ErrorCode::ShapeMismatch);
    EXPECT_EQ(code(at::ones({3, 2}), at::eye(4)), ErrorCode::ShapeMismatch);
    EXPECT_EQ(code(at::ones({3, 3}), at::eye(4)), ErrorCode::NonFinite);
    EXPECT_EQ(code(at::eye(3), at::full({4, 4}, NAN)), ErrorCode::NonFinite);
    EXPECT_EQ(code(at::eye(3), at::eye(4), true), ErrorCode::InvalidSpec);
    TransformDetail detail;
    detail.kroneckerLeft = std::vector<float>(9, 1.0F);
    detail.kroneckerRight = std::vector<float>(15, 1.0F);
    EXPECT_EQ(SiteTransform::fromDetail(detail, 12, 0).error().code, ErrorCode::BadFormat);
    detail.kroneckerRight.clear();
    EXPECT_EQ(SiteTransform::fromDetail(detail, 12, 0).error().code, ErrorCode::BadFormat);
}

TEST(SiteTransform, IdentityReturnsItsInput) {
    const SiteTransform identity;
    const at::Tensor x = normal({3, 10}, 1);
    EXPECT_TRUE(identity.applyToActivations(x).is_same(x));
    EXPECT_TRUE(identity.applyToWeight(x).is_same(x));
    EXPECT_TRUE(identity.isIdentity());
    EXPECT_EQ(identity.onlineMultiplies(), 0);
    EXPECT_EQ(identity.describe(), "none");
}

TEST(SiteTransform, HadamardKeepsLengthsAndDependsOnItsSeed) {
    TransformParts parts;
    parts.hadamard = true;
    parts.hadamardSeed = 1;
    const auto one = SiteTransform::create(576, parts).value();
    parts.hadamardSeed = 2;
    const auto two = SiteTransform::create(576, parts).value();
    const at::Tensor x = normal({4, 576}, 2, at::kDouble);
    EXPECT_LT(relativeDifference(one.applyToActivations(x).norm(2, -1), x.norm(2, -1)), kDouble);
    EXPECT_FALSE(at::equal(one.applyToActivations(x), two.applyToActivations(x)));
    // One channel alone is spread evenly.
    const at::Tensor spike = one.applyToActivations(at::eye(576, at::kDouble).narrow(0, 100, 1));
    EXPECT_LT(relativeDifference(spike.abs(), at::full({1, 576}, 1.0 / 24, at::kDouble)), kDouble);
}

TEST(SiteTransform, CountsItsCost) {
    TransformParts parts;
    parts.hadamard = true;
    const auto plan = analysis::hadamardPlan(576).value();
    ASSERT_EQ(plan.factors.size(), 2U);
    const std::int64_t sides = plan.factors[0].rows() + plan.factors[1].rows();
    EXPECT_EQ(SiteTransform::create(576, parts).value().onlineMultiplies(), 576 * sides);
    parts.blocks = at::eye(128, at::kDouble).unsqueeze(0).repeat({5, 1, 1});
    parts.blockSize = 128;
    EXPECT_EQ(SiteTransform::create(576, parts).value().onlineMultiplies(),
              576 * sides + 4 * 128 * 128 + 64 * 64);
}

TEST(SiteTransform, RefusesWrongParts) {
    TransformParts parts;
    parts.diagonal = at::ones({7});
    EXPECT_EQ(SiteTransform::create(8, parts).error().code, ErrorCode::ShapeMismatch);
    parts.diagonal = at::ones({8});
    parts.diagonal[3] = 0;
    EXPECT_EQ(SiteTransform::create(8, parts).error().code, ErrorCode::NonFinite);
    parts = {};
    parts.blocks = at::zeros({2, 4, 4});
    parts.blockSize = 4;
    EXPECT_EQ(SiteTransform::create(8, parts).error().code, ErrorCode::NonFinite);
    parts.blockSize = 8;
    EXPECT_EQ(SiteTransform::create(8, parts).error().code, ErrorCode::ShapeMismatch);
    EXPECT_EQ(SiteTransform::create(0, {}).error().code, ErrorCode::InvalidSpec);
}

TEST(SiteTransform, RefusesWrongPermutations) {
    TransformParts parts;
    const auto code = [&parts](const at::Tensor& permutation) {
        parts.permutation = permutation;
        const auto made = SiteTransform::create(4, parts);
        return made ? ErrorCode::Internal : made.error().code;
    };
    EXPECT_EQ(code(at::tensor({0, 1, 2}, at::kLong)), ErrorCode::ShapeMismatch);
    EXPECT_EQ(code(at::tensor({0, 1, 2, 3}, at::kFloat)), ErrorCode::ShapeMismatch);
    EXPECT_EQ(code(at::tensor({0, 1, 1, 3}, at::kLong)), ErrorCode::InvalidSpec);
    EXPECT_EQ(code(at::tensor({0, 1, 2, 4}, at::kLong)), ErrorCode::InvalidSpec);
    EXPECT_EQ(code(at::tensor({-1, 1, 2, 3}, at::kLong)), ErrorCode::InvalidSpec);
    EXPECT_EQ(code(at::tensor({3, 1, 2, 0}, at::kLong)), ErrorCode::Internal); // taken
    parts.secondBlocks = at::zeros({2, 2, 2});
    parts.secondBlockSize = 2;
    EXPECT_EQ(SiteTransform::create(4, parts).error().code, ErrorCode::NonFinite);
    TransformDetail detail;
    detail.permutation = {0, 1, 2, 2};
    EXPECT_EQ(SiteTransform::fromDetail(detail, 4, 0).error().code, ErrorCode::InvalidSpec);
    detail.permutation.clear();
    detail.secondBlockSize = 2;
    detail.secondBlocks.assign(7, 1.0F);
    EXPECT_EQ(SiteTransform::fromDetail(detail, 4, 0).error().code, ErrorCode::BadFormat);
}

TEST(SiteTransform, CountsBothRotations) {
    TransformParts parts;
    parts.blocks = at::eye(64, at::kDouble).expand({9, 64, 64});
    parts.permutation = at::arange(576, at::kLong).flip(0);
    parts.secondBlocks = parts.blocks;
    parts.blockSize = parts.secondBlockSize = 64;
    EXPECT_EQ(SiteTransform::create(576, parts).value().describe(),
              "9 blocks of 64, permutation, 9 blocks of 64: 73728 multiplications per token");
}

TEST(SiteTransform, RefusesDamagedFiles) {
    TransformDetail detail;
    detail.diagonal.assign(7, 1.0F);
    EXPECT_EQ(SiteTransform::fromDetail(detail, 8, 0).error().code, ErrorCode::BadFormat);
    detail = {};
    detail.blockSize = 4;
    detail.blocks.assign(31, 1.0F);
    EXPECT_EQ(SiteTransform::fromDetail(detail, 8, 0).error().code, ErrorCode::BadFormat);
    detail.blockSize = -4;
    EXPECT_EQ(SiteTransform::fromDetail(detail, 8, 0).error().code, ErrorCode::BadFormat);
    detail.blockSize = 1 << 30;
    EXPECT_EQ(SiteTransform::fromDetail(detail, 8, 0).error().code, ErrorCode::BadFormat);
}

TEST(SiteTransform, RefusesWrongRows) {
    TransformParts parts;
    parts.hadamard = true;
    const auto transform = SiteTransform::create(16, parts).value();
    EXPECT_THROW((void)transform.applyToActivations(normal({2, 15}, 1)), c10::Error);
    EXPECT_THROW((void)transform.applyToWeight(normal({2, 16}, 1).to(at::kHalf)), c10::Error);
}

TEST(SiteTransform, CudaAgreesWithCpu) {
    if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
    for (const Case& c : kCases) {
        const auto transform = SiteTransform::create(c.n, partsOf(c, 45)).value();
        const at::Tensor x = normal({9, c.n}, 46, at::kDouble);
        const at::Tensor found = transform.to(at::kCUDA).applyToActivations(x.cuda()).cpu();
        EXPECT_LT(relativeDifference(found, transform.applyToActivations(x)), kDouble) << c.name;
    }
}

} // namespace
} // namespace bdq::transform
