#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/engine/train/finite_differences.h"
#include "tests/engine/train/learned_site_cases.h"

namespace bdq::train {
namespace {

using namespace test_sites;

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
