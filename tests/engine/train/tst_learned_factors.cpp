// The matrices that learned sites are made of: Cayley's orthogonal ones, Kronecker factors, SVD pairs.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "engine/train/kronecker.h"
#include "tests/engine/train/learned_site_cases.h"

namespace bdq::train {
namespace {

using namespace test_sites;

constexpr double kOrthogonal = 1e-10; // fp64 solve of a well-conditioned I + S of order <= 128

TEST(LearnedFactors, CayleyIsOrthogonal) {
    for (const std::int64_t k : {1, 2, 17, 64, 128}) {
        const at::Tensor one = at::eye(k, at::kDouble);
        EXPECT_TRUE(at::equal(cayley(at::zeros({k, k}, at::kDouble)), one));
        for (const double size : {0.01, 1.0, 30.0}) {
            const at::Tensor o = cayley(skewOf(size * normal({k, k}, 3, at::kDouble)));
            EXPECT_LT((o.matmul(o.t()) - one).abs().max().item<double>(), kOrthogonal) << k << " " << size;
        }
        const at::Tensor q = randomOrthogonal(k, 5);
        EXPECT_LT((q.matmul(q.t()) - one).abs().max().item<double>(), kOrthogonal);
    }
}

TEST(LearnedFactors, OrthogonalAfterManySteps) {
    // Gradient descent on an arbitrary function: the map keeps orthogonality without any projection.
    LearnedSite site =
        LearnedSite::create(128, {}, formOf(Rotation::CayleyBlocks, false), at::kCPU, at::kDouble).value();
    const at::Tensor target = normal({128, 128}, 6, at::kDouble);
    for (int step = 0; step < 50; ++step) {
        site.prepare();
        at::Tensor parameter = site.parameters().at(0);
        parameter.mutable_grad() = at::Tensor();
        (site.applyToActivations(at::eye(128, at::kDouble)) * target).sum().backward();
        const c10::NoGradGuard noGrad;
        parameter.sub_(parameter.grad(), 0.02);
    }
    site.prepare();
    const at::Tensor p = site.applyToActivations(at::eye(128, at::kDouble));
    EXPECT_GT((p - at::eye(128, at::kDouble)).abs().max().item<double>(), 0.3);
    EXPECT_LT((p.matmul(p.t()) - at::eye(128, at::kDouble)).abs().max().item<double>(), kOrthogonal);
}

TEST(LearnedFactors, KroneckerEqualsTheExplicitProduct) {
    for (const bool dense : {false, true}) {
        SiteParameterisation form = formOf(Rotation::Kronecker, false);
        form.dense = dense;
        LearnedSite site = LearnedSite::create(32, {}, form, at::kCPU, at::kDouble).value();
        disturb(site, 0.1);
        // The factors from the parameters, in plain algebra.
        const NamedTensors state = site.state();
        const auto factor = [&](const std::string& side, bool inverse) {
            const auto half = [&](const char* name) {
                const at::Tensor lower = state.at(side + name).tril();
                const at::Tensor a = lower - lower.t();
                const at::Tensor one = at::eye(a.size(0), at::kDouble);
                return at::linalg_inv(one - 0.5 * a).matmul(one + 0.5 * a);
            };
            const at::Tensor s = state.at(side + "s");
            return half("u").matmul((inverse ? s.reciprocal() : s).diag()).matmul(half("v").t());
        };
        const at::Tensor x = normal({5, 32}, 2, at::kDouble);
        const at::Tensor p = at::kron(factor("left.", false), factor("right.", false));
        EXPECT_LT(relativeDifference(site.applyToActivations(x), x.matmul(p)), kDouble);
        const at::Tensor inverse = at::kron(factor("left.", true), factor("right.", true));
        EXPECT_LT(relativeDifference(site.applyToWeight(x), x.matmul(inverse)), kDouble);
        EXPECT_LT(relativeDifference(p.t().matmul(inverse), at::eye(32, at::kDouble)), kDouble);
        EXPECT_EQ(state.at("left.s").size(0), 4);
        EXPECT_EQ(state.at("right.s").size(0), 8);
    }
}

TEST(LearnedFactors, FactorsOfTheReleasedCode) {
    // design/transforms.md 3.2
    const std::int64_t table[][3] = {
        {896, 28, 32},     {1536, 32, 48},    {2048, 32, 64},    {2560, 40, 64},    {3072, 48, 64},
        {3584, 56, 64},    {4096, 64, 64},    {4864, 64, 76},    {5120, 64, 80},    {5632, 64, 88},
        {6144, 64, 96},    {8192, 64, 128},   {8960, 80, 112},   {9728, 76, 128},   {11008, 86, 128},
        {12288, 96, 128},  {13696, 64, 214},  {13824, 108, 128}, {14336, 112, 128}, {17408, 128, 136},
        {18944, 128, 148}, {22016, 128, 172}, {25600, 160, 160}, {27648, 144, 192}, {28672, 128, 224},
        {29568, 168, 176}};
    for (const auto& [n, left, right] : table)
        EXPECT_EQ(kroneckerSizes(n), (KroneckerSizes{left, right})) << n;
    // n = 2 mod 4, where Fermat's search never ends; primes and 1.
    EXPECT_EQ(kroneckerSizes(6), (KroneckerSizes{2, 3}));
    EXPECT_EQ(kroneckerSizes(4094), (KroneckerSizes{46, 89}));
    EXPECT_EQ(kroneckerSizes(2), (KroneckerSizes{1, 2}));
    EXPECT_EQ(kroneckerSizes(7), (KroneckerSizes{1, 7}));
    EXPECT_EQ(kroneckerSizes(1), (KroneckerSizes{1, 1}));
}

TEST(LearnedFactors, SvdFactorsStartBetweenIdentityAndRandom) {
    // design/transforms.md 3.3: mean diagonal of U 0.64-0.66, of P 0.39-0.43, for k = 32..128; means over 16
    // seeds.
    for (const std::int64_t k : {32, 64, 128}) {
        double ofU = 0;
        double ofP = 0;
        for (std::uint64_t seed = 0; seed < 16; ++seed) {
            const SvdFactor factor(k, seed, at::kCPU, at::kFloat);
            ofU += cayley(skewOf(factor.leaves().at("u")) * -0.5).diagonal().mean().item<double>() / 16;
            ofP += factor.matrices().forward.diagonal().mean().item<double>() / 16;
        }
        EXPECT_GT(ofU, 0.64) << k;
        EXPECT_LT(ofU, 0.66) << k;
        EXPECT_GT(ofP, 0.38) << k;
        EXPECT_LT(ofP, 0.44) << k;
    }
}

TEST(LearnedFactors, TheSeedDecidesTheStart) {
    const auto make = [](std::uint64_t seed) {
        SiteParameterisation form = formOf(Rotation::Kronecker);
        form.seed = seed;
        return LearnedSite::create(24, {}, form, at::kCPU).value().state();
    };
    EXPECT_TRUE(at::equal(make(1).at("left.u"), make(1).at("left.u")));
    EXPECT_FALSE(at::equal(make(1).at("left.u"), make(2).at("left.u")));
    EXPECT_FALSE(at::equal(make(1).at("left.u"), make(1).at("left.v")));
}

} // namespace
} // namespace bdq::train
