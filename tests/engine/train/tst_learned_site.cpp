#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "engine/analysis/hadamard.h"
#include "engine/train/cayley.h"
#include "engine/train/kronecker.h"
#include "engine/train/learned_site.h"
#include "tests/engine/train/finite_differences.h"

namespace bdq::train {
namespace {

using test::normal;
using transform::SiteTransform;
using transform::TransformParts;

// Sums of n <= 1536 products rounded at 2^-24, relative to the largest entry.
constexpr double kSingle = 1e-5;
constexpr double kDouble = 1e-12;
constexpr double kOrthogonal = 1e-10; // fp64 solve of a well-conditioned I + S of order <= 128

double relativeDifference(const at::Tensor& a, const at::Tensor& b) {
    return ((a - b).abs().max() / b.abs().max()).to(at::kDouble).item<double>();
}

enum class Start { Identity, Diagonal, Bdq, CatBlocks, Hadamard, Kronecker };

struct Case {
    const char* name;
    std::int64_t n;
    Start start;
    SiteParameterisation form;
    bool dense;
};

SiteParameterisation formOf(Rotation rotation, bool learnDiagonal = true, bool logDiagonal = true) {
    SiteParameterisation form;
    form.rotation = rotation;
    form.learnDiagonal = learnDiagonal;
    form.logDiagonal = logDiagonal;
    form.seed = 3;
    return form;
}

SiteParameterisation acrossHeads() {
    SiteParameterisation form = formOf(Rotation::Kronecker, false);
    form.kroneckerLeft = 9;
    form.learnKroneckerRight = false;
    return form;
}

SiteParameterisation blocksOf(std::int64_t size) {
    SiteParameterisation form = formOf(Rotation::CayleyBlocks);
    form.blockSize = size;
    return form;
}

std::vector<Case> cases() {
    std::vector<Case> all{
        {"cayley", 72, Start::Hadamard, formOf(Rotation::CayleyBlocks), false},
        {"cayley of 576", 576, Start::Diagonal, formOf(Rotation::CayleyBlocks), false},
        {"cayley on bdq", 128, Start::Bdq, formOf(Rotation::CayleyBlocks), false},
        {"cayley on cat", 72, Start::CatBlocks, formOf(Rotation::CayleyBlocks), false},
        {"cayley blocks of 96", 192, Start::Hadamard, blocksOf(96), false},
        {"free", 72, Start::CatBlocks, formOf(Rotation::FreeBlocks), false},
        {"free from identity", 48, Start::Identity, formOf(Rotation::FreeBlocks), false},
        {"kronecker", 96, Start::Diagonal, formOf(Rotation::Kronecker, true, false), false},
        {"kronecker hadamard", 96, Start::Hadamard, formOf(Rotation::Kronecker), false},
        {"kronecker of a prime", 7, Start::Identity, formOf(Rotation::Kronecker), false},
        {"across heads", 72, Start::Identity, acrossHeads(), false},
        {"diagonal only", 40, Start::Diagonal, formOf(Rotation::Fixed), false},
        {"diagonal before fixed blocks", 128, Start::Bdq, formOf(Rotation::Fixed), false},
        {"diagonal before a fixed kronecker", 24, Start::Kronecker, formOf(Rotation::Fixed), false},
        {"fixed diagonal", 128, Start::Bdq, formOf(Rotation::CayleyBlocks, false), false},
    };
    const std::size_t structured = all.size();
    for (std::size_t i = 0; i < structured; ++i) {
        all.push_back(all[i]);
        all.back().dense = true;
    }
    return all;
}

SiteTransform startOf(const Case& c) {
    if (c.start == Start::Identity) return {};
    TransformParts parts;
    if (c.start != Start::Hadamard && c.start != Start::CatBlocks)
        parts.diagonal = (normal({c.n}, 1, at::kDouble) * 0.5).exp();
    if (c.start == Start::Bdq || c.start == Start::CatBlocks) {
        parts.blockSize = 64;
        parts.blocks = normal({(c.n - 1) / 64 + 1, 64, 64}, 2, at::kDouble);
        if (c.start == Start::Bdq)
            parts.blocks = cayley(skewOf(parts.blocks));
        else // as far from orthogonal as closed forms get, and invertible
            parts.blocks = parts.blocks * 0.05 + 1.5 * at::eye(64, at::kDouble);
    }
    if (c.start == Start::Kronecker) {
        parts.kroneckerLeft = normal({4, 4}, 3, at::kDouble) + 3 * at::eye(4, at::kDouble);
        parts.kroneckerRight = normal({6, 6}, 4, at::kDouble) + 3 * at::eye(6, at::kDouble);
    }
    parts.hadamard = c.start != Start::Diagonal;
    parts.hadamardSeed = 17;
    return SiteTransform::create(c.n, parts).value();
}

LearnedSite siteOf(const Case& c, at::ScalarType type) {
    SiteParameterisation form = c.form;
    form.dense = c.dense;
    return LearnedSite::create(c.n, startOf(c), form, at::kCPU, type).value();
}

/// As training does: every parameter moves.
void disturb(LearnedSite& site, double by) {
    NamedTensors values = site.state();
    std::uint64_t seed = 40;
    for (auto& [name, value] : values)
        value = value + by * normal(value.sizes(), ++seed, value.scalar_type());
    ASSERT_TRUE(site.load(values));
    site.prepare();
}

class EverySite : public testing::TestWithParam<Case> {};

/// Kronecker factors start at random.
class EveryStart : public EverySite {};

TEST_P(EveryStart, IsTheClosedForm) {
    const Case& c = GetParam();
    LearnedSite site = siteOf(c, at::kFloat);
    site.prepare();
    const at::Tensor x = normal({3, 5, c.n}, 7);
    const SiteTransform start = startOf(c);
    EXPECT_LT(relativeDifference(site.applyToActivations(x), start.applyToActivations(x)), kSingle);
    EXPECT_LT(relativeDifference(site.applyToWeight(x), start.applyToWeight(x)), kSingle);
}

TEST_P(EverySite, BakesToWhatItComputes) {
    const Case& c = GetParam();
    LearnedSite site = siteOf(c, at::kFloat);
    disturb(site, 0.03);
    const SiteTransform baked = site.bake().value();
    const at::Tensor x = normal({3, 5, c.n}, 8);
    EXPECT_LT(relativeDifference(baked.applyToActivations(x), site.applyToActivations(x)), kSingle);
    const at::Tensor weight = normal({11, c.n}, 9);
    EXPECT_LT(relativeDifference(baked.applyToWeight(weight), site.applyToWeight(weight)), kSingle);
}

TEST_P(EverySite, ProductStaysTheSameAfterTraining) {
    const Case& c = GetParam();
    for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
        LearnedSite site = siteOf(c, type);
        disturb(site, 0.03);
        const at::Tensor x = normal({6, c.n}, 10, type);
        const at::Tensor weight = normal({11, c.n}, 11, type);
        const at::Tensor expected = x.to(at::kDouble).matmul(weight.to(at::kDouble).t());
        const at::Tensor found = site.applyToActivations(x).matmul(site.applyToWeight(weight).t());
        const bool single = type == at::kFloat;
        // Start blocks count as orthogonal within their fp32 storage.
        EXPECT_LT(relativeDifference(found, expected), single || c.start == Start::Bdq ? kSingle : kDouble);
        // T T^-1 = I, with the rows of the unit matrix as activations and weights.
        const at::Tensor unit = at::eye(c.n, type);
        const at::Tensor product = site.applyToActivations(unit).matmul(site.applyToWeight(unit).t());
        EXPECT_LT((product - unit).abs().max().to(at::kDouble).item<double>(), kSingle);
    }
}

TEST_P(EverySite, GradientsEqualFiniteDifferences) {
    const Case& c = GetParam();
    LearnedSite site = siteOf(c, at::kDouble);
    disturb(site, 0.1);
    const at::Tensor x = normal({4, c.n}, 12, at::kDouble).requires_grad_(true);
    const at::Tensor weight = normal({5, c.n}, 13, at::kDouble).requires_grad_(true);
    const auto loss = [&] { // not a function of x W^T alone, which has no gradient
        site.prepare();
        const at::Tensor a = site.applyToActivations(x);
        const at::Tensor w = site.applyToWeight(weight);
        return a.sin().matmul(w.cos().t()).sum() + a.square().sum() * 0.1 + w.pow(3).sum() * 0.1;
    };
    std::vector<at::Tensor> all = site.parameters();
    all.push_back(x);
    all.push_back(weight);
    test::expectGradients(all, loss);
}

TEST_P(EverySite, AStateBringsItBack) {
    const Case& c = GetParam();
    LearnedSite site = siteOf(c, at::kFloat);
    disturb(site, 0.05);
    const at::Tensor x = normal({4, c.n}, 14);
    const at::Tensor before = site.applyToActivations(x);
    const NamedTensors kept = site.state();
    const std::vector<at::Tensor> leaves = site.parameters();
    disturb(site, 0.05);
    EXPECT_FALSE(at::equal(site.applyToActivations(x), before));
    ASSERT_TRUE(site.load(kept));
    site.prepare();
    EXPECT_TRUE(at::equal(site.applyToActivations(x), before));
    for (std::size_t i = 0; i < leaves.size(); ++i)
        EXPECT_TRUE(site.parameters()[i].is_same(leaves[i]));
}

std::string nameOf(const testing::TestParamInfo<Case>& info) {
    std::string name = info.param.name;
    std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
    return name + (info.param.dense ? "Dense" : "");
}

std::vector<Case> closedFormCases() {
    std::vector<Case> all = cases();
    std::erase_if(all, [](const Case& c) { return c.form.rotation == Rotation::Kronecker; });
    return all;
}

INSTANTIATE_TEST_SUITE_P(Forms, EverySite, testing::ValuesIn(cases()), nameOf);
INSTANTIATE_TEST_SUITE_P(Forms, EveryStart, testing::ValuesIn(closedFormCases()), nameOf);

TEST(LearnedSite, CayleyIsOrthogonal) {
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

TEST(LearnedSite, OrthogonalAfterManySteps) {
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

TEST(LearnedSite, KroneckerEqualsTheExplicitProduct) {
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

TEST(LearnedSite, FactorsOfTheReleasedCode) {
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

TEST(LearnedSite, SvdFactorsStartBetweenIdentityAndRandom) {
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

TEST(LearnedSite, TheSeedDecidesTheStart) {
    const auto make = [](std::uint64_t seed) {
        SiteParameterisation form = formOf(Rotation::Kronecker);
        form.seed = seed;
        return LearnedSite::create(24, {}, form, at::kCPU).value().state();
    };
    EXPECT_TRUE(at::equal(make(1).at("left.u"), make(1).at("left.u")));
    EXPECT_FALSE(at::equal(make(1).at("left.u"), make(2).at("left.u")));
    EXPECT_FALSE(at::equal(make(1).at("left.u"), make(1).at("left.v")));
}

TEST(LearnedSite, BfloatActivationsAreAccepted) {
    for (const bool dense : {false, true}) {
        SiteParameterisation form = formOf(Rotation::CayleyBlocks);
        form.dense = dense;
        LearnedSite site = LearnedSite::create(64, {}, form, at::kCPU).value();
        site.prepare();
        const at::Tensor x = normal({3, 64}, 1).to(at::kBFloat16);
        EXPECT_LT(relativeDifference(site.applyToActivations(x).to(at::kFloat), x.to(at::kFloat)), 0.01);
    }
}

TEST(LearnedSite, CudaAgreesWithCpu) {
    if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
    for (const Case& c : cases()) {
        const auto gradients = [&c](at::Device device) {
            SiteParameterisation form = c.form;
            form.dense = c.dense;
            LearnedSite site = LearnedSite::create(c.n, startOf(c), form, device, at::kDouble).value();
            site.prepare();
            const at::Tensor x = normal({6, c.n}, 10, at::kDouble).to(device);
            (site.applyToActivations(x).sin().sum() + site.applyToWeight(x).pow(3).sum()).backward();
            std::vector<at::Tensor> found{site.bake().value().applyToWeight(x.cpu())};
            for (const at::Tensor& parameter : site.parameters())
                found.push_back(parameter.grad().cpu());
            return found;
        };
        const auto cpu = gradients(at::kCPU);
        const auto cuda = gradients(at::Device(at::kCUDA, 0));
        ASSERT_EQ(cpu.size(), cuda.size());
        for (std::size_t i = 0; i < cpu.size(); ++i) // 1e-9: fp64, other order of the sums
            EXPECT_TRUE(at::allclose(cuda[i], cpu[i], 1e-9, 1e-9)) << c.name;
    }
}

TEST(LearnedSite, RefusesWhatItCannotRepresent) {
    const auto code = [](std::int64_t n, const SiteTransform& start, const SiteParameterisation& form) {
        const auto made = LearnedSite::create(n, start, form, at::kCPU);
        return made ? ErrorCode::Internal : made.error().code;
    };
    TransformParts parts;
    parts.diagonal = at::full({8}, -1.0);
    const SiteTransform negative = SiteTransform::create(8, parts).value();
    EXPECT_EQ(code(8, negative, formOf(Rotation::Fixed)), ErrorCode::InvalidSpec);
    EXPECT_TRUE(LearnedSite::create(8, negative, formOf(Rotation::Fixed, true, false), at::kCPU));
    EXPECT_EQ(code(9, negative, formOf(Rotation::Fixed)), ErrorCode::ShapeMismatch);
    EXPECT_EQ(code(0, {}, formOf(Rotation::Fixed)), ErrorCode::ShapeMismatch);
    EXPECT_EQ(code(8, {}, blocksOf(0)), ErrorCode::InvalidSpec);
    SiteParameterisation five = formOf(Rotation::Kronecker);
    five.kroneckerLeft = 5;
    EXPECT_EQ(code(8, {}, five), ErrorCode::InvalidSpec);
    parts = {};
    parts.blocks = at::eye(4).expand({2, 4, 4});
    parts.blockSize = 4;
    EXPECT_EQ(code(8, SiteTransform::create(8, parts).value(), formOf(Rotation::Kronecker)),
              ErrorCode::InvalidSpec);
    parts = {};
    parts.kroneckerLeft = at::eye(2);
    parts.kroneckerRight = at::eye(4);
    EXPECT_EQ(code(8, SiteTransform::create(8, parts).value(), formOf(Rotation::CayleyBlocks)),
              ErrorCode::InvalidSpec);
}

TEST(LearnedSite, RefusesAStateThatDoesNotFit) {
    LearnedSite site = LearnedSite::create(64, {}, formOf(Rotation::CayleyBlocks), at::kCPU).value();
    const NamedTensors good = site.state();
    NamedTensors bad = good;
    bad.erase("skew");
    EXPECT_EQ(site.load(bad).error().code, ErrorCode::BadFormat);
    bad = good;
    bad["other"] = at::ones({1});
    EXPECT_EQ(site.load(bad).error().code, ErrorCode::BadFormat);
    bad = good;
    bad["diagonal"] = at::ones({63});
    EXPECT_EQ(site.load(bad).error().code, ErrorCode::ShapeMismatch);
    bad = good;
    bad["diagonal"] = at::full({64}, NAN);
    bad["skew"] = at::ones_like(good.at("skew"));
    EXPECT_EQ(site.load(bad).error().code, ErrorCode::NonFinite);
    EXPECT_TRUE(at::equal(site.state().at("skew"), good.at("skew"))); // untouched by a refused state
}

TEST(LearnedSite, ASingularMatrixIsRefusedWhenBaked) {
    LearnedSite site = LearnedSite::create(8, {}, formOf(Rotation::FreeBlocks), at::kCPU).value();
    NamedTensors values = site.state();
    values["blocks"] = at::ones({1, 8, 8});
    ASSERT_TRUE(site.load(values));
    EXPECT_EQ(site.bake().error().code, ErrorCode::NonFinite);
}

} // namespace
} // namespace bdq::train
