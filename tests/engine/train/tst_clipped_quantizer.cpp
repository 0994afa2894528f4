#include <cmath>
#include <limits>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "engine/quant/affine.h"
#include "engine/quant/quantized_weight.h"
#include "engine/train/clipped_quantizer.h"
#include "tests/engine/quant/random_tensors.h"

namespace bdq::train {
namespace {

using test::normal;
using test::outliers;

struct Case {
    OperandScheme scheme;
    bool clipped;
    bool weight; ///< per-row clip and clampFirst
};

std::ostream& operator<<(std::ostream& out, const Case& item) {
    return out << item.scheme.bits << (item.scheme.symmetric ? " bits sym" : " bits asym") << ", group "
               << item.scheme.groupSize << (item.clipped ? ", clipped" : "")
               << (item.weight ? ", weight" : "");
}

std::vector<Case> allCases() {
    std::vector<Case> cases;
    for (const int bits : {2, 3, 4, 8})
        for (const bool symmetric : {true, false})
            for (const int group : {0, 16})
                for (const bool clipped : {true, false})
                    for (const bool weight : {true, false})
                        cases.push_back({{bits, symmetric, group}, clipped, weight});
    return cases;
}

/// Logits that really clip: factors 0.5 to 0.95.
at::Tensor logits(const Case& item, std::int64_t rows, at::ScalarType type) {
    if (!item.clipped) return {};
    const at::Tensor values = item.weight ? normal({2, rows, 1}, 91, type) : normal({2}, 92, type);
    return values.abs().requires_grad_(true);
}

struct Outcome {
    at::Tensor y;
    at::Tensor byX;
    at::Tensor byClip;
};

template <typename Quantize>
Outcome differentiate(const Quantize& quantize, const Case& item, const at::Tensor& x, const at::Tensor& clip,
                      const at::Tensor& g) {
    const at::Tensor leaf = x.detach().clone().requires_grad_(true);
    const at::Tensor logit = clip.defined() ? clip.detach().clone().requires_grad_(true) : at::Tensor();
    const at::Tensor y = quantize(leaf, item.scheme, logit, item.weight);
    (y * g).sum().backward();
    return {y.detach(), leaf.grad(), logit.defined() ? logit.grad() : at::Tensor()};
}

/// Largest difference relative to the largest number.
double distance(const at::Tensor& a, const at::Tensor& b) {
    const double size = b.to(at::kDouble).abs().max().item<double>();
    return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>() / (size > 0 ? size : 1);
}

void expectSame(const Outcome& found, const Outcome& expected, double tolerance) {
    EXPECT_LE(distance(found.byX, expected.byX), tolerance);
    ASSERT_EQ(found.byClip.defined(), expected.byClip.defined());
    if (found.byClip.defined()) {
        EXPECT_EQ(found.byClip.sizes(), expected.byClip.sizes());
        EXPECT_LE(distance(found.byClip, expected.byClip), tolerance);
    }
}

/// Sums over a row of up to 100 terms of the size of the largest: 100 roundings of 2^-53, with a margin of
/// 100 for cancellation.
constexpr double kDoubleTolerance = 100 * 100 * 0x1p-53;
/// The same in fp32, with a margin of 10.
constexpr double kFloatTolerance = 10 * 100 * 0x1p-24;

TEST(ClippedQuantizer, FastEqualsReferenceInFp64) {
    for (const Case& item : allCases()) {
        SCOPED_TRACE(testing::Message() << item);
        const at::Tensor x = outliers(7, 100, 1, at::kDouble);
        const at::Tensor g = normal({7, 100}, 3, at::kDouble);
        const at::Tensor clip = logits(item, 7, at::kDouble);
        const Outcome fast = differentiate(clippedQuantize, item, x, clip, g);
        const Outcome slow = differentiate(clippedQuantizeReference, item, x, clip, g);
        EXPECT_TRUE(at::equal(fast.y, slow.y));
        expectSame(fast, slow, kDoubleTolerance);
    }
}

TEST(ClippedQuantizer, FusedLoopsEqualReferenceInFp32) {
    for (const Case& item : allCases())
        for (const std::int64_t n : {1, 31, 100, 1100}) {
            SCOPED_TRACE(testing::Message() << item << ", n " << n);
            const at::Tensor x = outliers(9, n, 4);
            const at::Tensor g = normal({9, n}, 5);
            const at::Tensor clip = logits(item, 9, at::kFloat);
            const Outcome fast = differentiate(clippedQuantize, item, x, clip, g);
            const Outcome slow = differentiate(clippedQuantizeReference, item, x, clip, g);
            EXPECT_TRUE(at::equal(fast.y, slow.y));
            expectSame(fast, slow, kFloatTolerance * std::sqrt(static_cast<double>(n)));
        }
}

/// The quantizer with every decision of `x`, `clip` held (residual of each rounding, which side limits a
/// code, which group is at its extremes): the smooth function whose derivative straight-through rounding is
/// defined to be. Plain loops, no autograd.
class FrozenQuantizer {
public:
    FrozenQuantizer(const at::Tensor& x, const at::Tensor& clip, const Case& item)
        : m_item(item), m_rows(x.size(0)), m_columns(x.size(1)) {
        run(x, clip, true);
    }

    at::Tensor run(const at::Tensor& x, const at::Tensor& clip, bool record) {
        at::Tensor y = at::empty_like(x);
        const std::int64_t width = m_item.scheme.groupSize > 0 ? m_item.scheme.groupSize : m_columns;
        std::size_t place = 0;
        if (record) m_places.clear();
        for (std::int64_t row = 0; row < m_rows; ++row)
            for (std::int64_t start = 0; start < m_columns; start += width) {
                const std::int64_t end = std::min(m_columns, start + width);
                runGroup(x.const_data_ptr<double>() + row * m_columns, clip, row, start, end,
                         y.mutable_data_ptr<double>() + row * m_columns, place, record);
            }
        return y;
    }

private:
    struct Place {
        double residual = 0; ///< round(v) - v
        int side = 0;        ///< of the code: -1 at the lowest, 1 at the highest, 0 free
        int clamp = 0;       ///< of x by [lo, hi]
    };

    static double factor(const at::Tensor& clip, std::int64_t end, std::int64_t row) {
        if (!clip.defined()) return 1;
        const double* values = clip.const_data_ptr<double>();
        return 1 / (1 + std::exp(-values[clip.numel() / 2 * end + (clip.dim() == 1 ? 0 : row)]));
    }

    Place& next(std::size_t& place, bool record) {
        if (record) m_places.emplace_back();
        return m_places[place++];
    }

    void runGroup(const double* x, const at::Tensor& clip, std::int64_t row, std::int64_t start,
                  std::int64_t end, double* y, std::size_t& place, bool record) {
        const int levels = 1 << m_item.scheme.bits;
        const bool symmetric = m_item.scheme.symmetric;
        double high = 0;
        double low = 0;
        for (std::int64_t i = start; i < end; ++i) {
            high = std::max(high, x[i]);
            low = std::min(low, x[i]);
        }
        high *= factor(clip, 0, row);
        low *= factor(clip, 1, row);
        const double scale =
            symmetric ? std::max(high, -low) / (levels / 2 - 1) : (high - low) / (levels - 1);
        double zero = 0;
        if (!symmetric) {
            Place& held = next(place, record);
            if (record) held.residual = std::nearbyint(-low / scale) + low / scale;
            zero = -low / scale + held.residual;
        }
        const double lowCode = symmetric ? -levels / 2 : 0;
        const double highCode = symmetric ? levels / 2 - 1 : levels - 1;
        for (std::int64_t i = start; i < end; ++i) {
            Place& held = next(place, record);
            if (record && m_item.weight && clip.defined()) held.clamp = x[i] > high ? 1 : x[i] < low ? -1 : 0;
            const double v = (held.clamp > 0 ? high : held.clamp < 0 ? low : x[i]) / scale;
            if (record) {
                held.residual = std::nearbyint(v) - v;
                const double code = std::nearbyint(v) + zero;
                held.side = code > highCode ? 1 : code < lowCode ? -1 : 0;
            }
            const double code = held.side > 0 ? highCode : held.side < 0 ? lowCode : v + held.residual + zero;
            y[i] = scale * (code - zero);
        }
    }

    Case m_item;
    std::int64_t m_rows;
    std::int64_t m_columns;
    std::vector<Place> m_places;
};

/// d/d values[i] of sum(g * frozen) by central differences.
at::Tensor differences(FrozenQuantizer& frozen, const at::Tensor& x, const at::Tensor& clip,
                       const at::Tensor& g, at::Tensor values) {
    constexpr double kStep = 1e-6;
    at::Tensor result = at::empty_like(values);
    auto* data = values.mutable_data_ptr<double>();
    for (std::int64_t i = 0; i < values.numel(); ++i) {
        const double before = data[i];
        data[i] = before + kStep;
        const double more = (frozen.run(x, clip, false) * g).sum().item<double>();
        data[i] = before - kStep;
        const double less = (frozen.run(x, clip, false) * g).sum().item<double>();
        data[i] = before;
        result.mutable_data_ptr<double>()[i] = (more - less) / (2 * kStep);
    }
    return result;
}

/// Central differences with step 1e-6: rounding 1e-16 * 100 terms / 1e-6 = 1e-8, curvature 1e-12; relative to
/// the largest gradient, of order 1.
constexpr double kDifferenceTolerance = 1e-7;

TEST(ClippedQuantizer, ReferenceGradientEqualsFiniteDifferences) {
    for (const Case& item : allCases()) {
        SCOPED_TRACE(testing::Message() << item);
        const at::Tensor x = normal({3, 24}, 6, at::kDouble);
        const at::Tensor g = normal({3, 24}, 7, at::kDouble);
        const at::Tensor leaf = logits(item, 3, at::kDouble);
        const Outcome found = differentiate(clippedQuantizeReference, item, x, leaf, g);
        const at::Tensor clip = leaf.defined() ? leaf.detach().clone() : at::Tensor();
        FrozenQuantizer frozen(x, clip, item);
        ASSERT_LE(distance(frozen.run(x, clip, false), found.y), 1e-14);
        EXPECT_LE(distance(found.byX, differences(frozen, x, clip, g, x)), kDifferenceTolerance);
        if (clip.defined()) {
            EXPECT_LE(distance(found.byClip, differences(frozen, x, clip, g, clip)), kDifferenceTolerance);
        }
    }
}

TEST(ClippedQuantizer, RoundingIsStraightThroughByDefinition) {
    // Scale 1 from the 7; factor 1/2 on the high end makes it 3.5 / 7, so that 7 is beyond code 7 and passes
    // nothing.
    const at::Tensor x = at::tensor({7.0F, 2.2F, -3.4F, 0.1F}).view({1, 4}).requires_grad_(true);
    const at::Tensor g = at::tensor({0.0F, 1.0F, 2.0F, -3.0F}).view({1, 4});
    (clippedQuantize(x, {4, true, 0}, {}, false) * g).sum().backward();
    // d/ds = sum g (round(x) - x) = -0.2 + 2 * 0.4 + 3 * 0.1 = 0.9, and s = 7 / 7.
    const at::Tensor expected = at::tensor({0.9F / 7, 1.0F, 2.0F, -3.0F}).view({1, 4});
    EXPECT_TRUE(at::allclose(x.grad(), expected, 0, 1e-6));

    const at::Tensor clip = at::zeros({2}).requires_grad_(true);
    const at::Tensor y = at::tensor({7.0F, 1.2F}).view({1, 2}).requires_grad_(true);
    clippedQuantize(y, {4, true, 0}, clip, false).sum().backward();
    // s = 0.5: codes 7 (limited, d/ds = 7) and 2 (d/ds = 2 - 2.4); d/dhi = 6.6 / 7, hi = 7 sigmoid(c).
    EXPECT_NEAR(y.grad()[0][0].item<float>(), 0.5 * 6.6 / 7, 1e-6);
    EXPECT_EQ(y.grad()[0][1].item<float>(), 1.0F);
    EXPECT_NEAR(clip.grad()[0].item<float>(), 6.6 / 7 * 7 * 0.25, 1e-5);
    EXPECT_EQ(clip.grad()[1].item<float>(), 0.0F);
}

TEST(ClippedQuantizer, ForwardEqualsTheQuantizersOfInference) {
    const at::Tensor x = outliers(20, 100, 8);
    for (const Case& item : allCases()) {
        SCOPED_TRACE(testing::Message() << item);
        const at::Tensor clip = logits(item, 20, at::kFloat);
        const at::Tensor found = clippedQuantize(x, item.scheme, clip, item.weight).detach();
        if (!item.weight) {
            const at::Tensor factors = clip.defined() ? clip.detach().sigmoid() : at::ones({2});
            const quant::RangeFactors ends{factors[0].item<float>(), factors[1].item<float>()};
            EXPECT_TRUE(at::equal(found, quant::fakeQuantize(x, item.scheme, ends)));
        } else {
            const ClippedRanges ranges = clippedRanges(x, item.scheme, clip);
            const auto rounded = quant::roundWeights(x, item.scheme, ranges.low, ranges.high).value();
            EXPECT_TRUE(at::equal(found, rounded.dequantize()));
        }
    }
    EXPECT_TRUE(clippedQuantize(x, {16, true, 0}, {}, false).is_same(x));
}

TEST(ClippedQuantizer, ShapesAndViewsAndHalfPrecision) {
    const at::Tensor cache = normal({2, 5, 3, 64}, 9).transpose(1, 2).requires_grad_(true);
    const at::Tensor clip = at::full({2}, 4.0F).requires_grad_(true);
    const at::Tensor y = clippedQuantize(cache, {4, false, 0}, clip, false);
    ASSERT_EQ(y.sizes(), cache.sizes());
    EXPECT_TRUE(at::equal(y, clippedQuantizeReference(cache, {4, false, 0}, clip, false)));

    const at::Tensor half = normal({8, 64}, 10).to(at::kBFloat16).requires_grad_(true);
    const at::Tensor rounded = clippedQuantize(half, {4, true, 0}, clip, false);
    EXPECT_EQ(rounded.scalar_type(), at::kBFloat16);
    const at::Tensor exact = clippedQuantize(half.detach().to(at::kFloat), {4, true, 0}, clip, false);
    EXPECT_TRUE(at::equal(rounded, exact.to(at::kBFloat16)));
    rounded.sum().backward();
    EXPECT_EQ(half.grad().scalar_type(), at::kBFloat16);
    EXPECT_EQ(clip.grad().scalar_type(), at::kFloat);
}

TEST(ClippedQuantizer, ZeroRowsHaveNoGradientThroughTheirScale) {
    for (const bool weight : {false, true})
        for (const bool symmetric : {true, false})
            for (const auto type : {at::kFloat, at::kDouble}) {
                const Case item{{4, symmetric, 0}, true, weight};
                const at::Tensor x = at::zeros({2, 8}, type);
                const at::Tensor clip = at::full(
                    weight ? std::vector<std::int64_t>{2, 2, 1} : std::vector<std::int64_t>{2}, 4, type);
                const Outcome found = differentiate(clippedQuantize, item, x, clip, at::ones_like(x));
                EXPECT_TRUE(at::equal(found.y.abs(), x)) << symmetric << weight;
                EXPECT_TRUE(at::equal(found.byX, at::ones_like(x))) << symmetric << weight;
                EXPECT_EQ(found.byClip.abs().max().item<double>(), 0) << symmetric << weight;
            }
}

TEST(ClippedQuantizer, BadNumbersAreNotHidden) {
    for (const auto type : {at::kFloat, at::kDouble}) {
        at::Tensor x = normal({2, 40}, 11, type);
        x[0][17] = std::numeric_limits<double>::quiet_NaN();
        x[1][3] = std::numeric_limits<double>::infinity();
        const at::Tensor y = clippedQuantize(x, {4, true, 0}, {}, false);
        EXPECT_TRUE(y.isnan().any(1).all().item<bool>());
    }
}

TEST(ClippedQuantizer, SameGradientWithAnyThreadCount) {
    const Case item{{4, true, 0}, true, false};
    const at::Tensor x = outliers(2000, 96, 12);
    const at::Tensor g = normal({2000, 96}, 13);
    const int threads = at::get_num_threads();
    at::set_num_threads(1);
    const Outcome one = differentiate(clippedQuantize, item, x, at::full({2}, 2.0F), g);
    at::set_num_threads(2);
    const Outcome two = differentiate(clippedQuantize, item, x, at::full({2}, 2.0F), g);
    at::set_num_threads(threads);
    EXPECT_TRUE(at::equal(one.byX, two.byX));
    EXPECT_TRUE(at::equal(one.byClip, two.byClip));
}

TEST(ClippedQuantizer, RefusesWrongArguments) {
    const at::Tensor x = normal({4, 8}, 14);
    EXPECT_THROW(clippedQuantize(x, {9, true, 0}, {}, false), c10::Error);
    EXPECT_THROW(clippedQuantize(x, {4, true, 0}, at::zeros({3}), false), c10::Error);
    EXPECT_THROW(clippedQuantize(x, {4, true, 0}, at::zeros({2, 3, 1}), true), c10::Error);
    EXPECT_THROW(clippedQuantize(x, {4, true, 0}, at::zeros({2}, at::kDouble), false), c10::Error);
    EXPECT_THROW(clippedQuantize(at::empty({0, 8}), {4, true, 0}, {}, false), c10::Error);
}

TEST(ClippedQuantizer, CudaAgreesWithCpu) {
    if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
    for (const Case& item : allCases()) {
        SCOPED_TRACE(testing::Message() << item);
        const at::Tensor x = outliers(40, 100, 15);
        const at::Tensor g = normal({40, 100}, 16);
        const at::Tensor clip = logits(item, 40, at::kFloat);
        const Outcome cpu = differentiate(clippedQuantize, item, x, clip, g);
        const Outcome cuda = differentiate(clippedQuantize, item, x.cuda(),
                                           clip.defined() ? clip.detach().cuda() : at::Tensor(), g.cuda());
        // The two compute the sigmoid with different instructions: an ulp, after which a code may change at a
        // tie.
        EXPECT_LE((cuda.y.cpu() - cpu.y).abs().gt(1e-5 * cpu.y.abs().max()).sum().item<double>(), 1);
        EXPECT_LE(distance(cuda.byX.cpu(), cpu.byX), 10 * kFloatTolerance);
    }
}

} // namespace
} // namespace bdq::train
