#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include "engine/calibration/input_statistics.h"
#include "tests/engine/model/random_block.h"

namespace bdq {
namespace {

constexpr std::int64_t kFeatures = 200; // one whole block of 128 and one of 72
constexpr double kFp64Tolerance = 1e-12;

class Statistics : public ::testing::Test {
protected:
    at::Tensor x = testing::randomTensor({90, kFeatures}, 1) * at::exp(testing::randomTensor({kFeatures}, 2));
    at::Tensor wide = x.to(at::kDouble);
};

TEST_F(Statistics, MomentsDoNotDependOnTheSplit) {
    InputStatistics split;
    split.add(x.narrow(0, 0, 1));
    split.add(x.narrow(0, 1, 50));
    split.add(x.narrow(0, 51, 39));
    const transform::SiteMoments moments = split.moments();
    EXPECT_EQ(moments.tokens, 90);
    EXPECT_LT(testing::relativeError(moments.meanSquare, wide.square().mean(0)), kFp64Tolerance);
    EXPECT_TRUE(at::equal(moments.absmax, x.abs().amax(0)));
    const at::Tensor full = at::mm(wide.t(), wide) / 90;
    EXPECT_LT(testing::relativeError(moments.blockMoments[0], full.narrow(0, 0, 128).narrow(1, 0, 128)),
              kFp64Tolerance);
    EXPECT_LT(testing::relativeError(moments.blockMoments[1].narrow(0, 0, 72).narrow(1, 0, 72),
                                     full.narrow(0, 128, 72).narrow(1, 128, 72)),
              kFp64Tolerance);
    EXPECT_EQ(moments.blockMoments[1].narrow(0, 72, 56).abs().max().item<double>(), 0);
}

TEST_F(Statistics, WhatSomeTransformsNeedIsKeptOnRequest) {
    InputStatistics split({.secondMoment = true, .sample = true});
    split.add(x.narrow(0, 0, 50));
    split.add(x.narrow(0, 50, 40));
    const transform::SiteMoments moments = split.moments();
    // fp32 sums of up to 256 rows: 8 2^-24 with pairwise summation.
    EXPECT_LT(testing::relativeError(moments.meanAbs, wide.abs().mean(0)), 1e-6);
    // fp32 products of 50 rows: 50 * 2^-24.
    EXPECT_LT(testing::relativeError(moments.secondMoment, at::mm(wide.t(), wide) / 90), 3e-6);
    EXPECT_TRUE(at::equal(split.secondMoment(), moments.secondMoment));
    EXPECT_EQ(moments.sample.size(0), 90 + TokenSample::kLargest);
    const transform::SiteMoments plain = InputStatistics(split).moments();
    EXPECT_TRUE(at::equal(plain.sample, moments.sample));
    InputStatistics frugal;
    frugal.add(x);
    EXPECT_FALSE(frugal.moments().secondMoment.defined());
    EXPECT_FALSE(frugal.moments().meanAbs.defined());
    EXPECT_FALSE(frugal.moments().sample.defined());
}

TEST_F(Statistics, KurtosisAndTokenRanges) {
    InputStatistics statistics;
    statistics.add(x.narrow(0, 0, 40));
    statistics.add(x.narrow(0, 40, 50));
    const at::Tensor expected = wide.pow(4).mean(0) / wide.square().mean(0).square();
    EXPECT_LT(testing::relativeError(statistics.kurtosis(), expected), kFp64Tolerance);
    EXPECT_TRUE(at::equal(statistics.tokenMin(), x.amin(1)));
    EXPECT_TRUE(at::equal(statistics.tokenMax(), x.amax(1)));
}

TEST_F(Statistics, ADeadChannelHasNoKurtosis) {
    InputStatistics statistics;
    statistics.add(at::zeros({4, 3}));
    EXPECT_EQ(statistics.kurtosis().abs().max().item<double>(), 0);
}

TEST_F(Statistics, SecondMomentIsTheMeanProduct) {
    SecondMoment moment;
    moment.add(x.narrow(0, 0, 30));
    moment.add(x.narrow(0, 30, 60));
    // fp32 products of 60 rows: 60 * 2^-24.
    EXPECT_LT(testing::relativeError(moment.mean(), at::mm(wide.t(), wide) / 90), 4e-6);
}

} // namespace
} // namespace bdq
