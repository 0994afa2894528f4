#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "engine/calibration/matrix_sums.h"
#include "engine/calibration/sum_kernels.h"
#include "tests/engine/model/random_block.h"

namespace bdq {
namespace {

/// Heavy tails, one dead row, one dead column; sizes that fill neither lanes nor chunks of rows.
at::Tensor hardMatrix(std::int64_t rows, std::int64_t n) {
    at::Tensor x = testing::randomTensor({rows, n}, 1) * at::exp(testing::randomTensor({n}, 2) * 2);
    x[rows / 2].zero_();
    x.select(1, n / 3).zero_();
    return x;
}

void expectRelative(double found, double expected, double tolerance, const char* what) {
    EXPECT_NEAR(found, expected, tolerance * std::abs(expected)) << what;
}

/// The definitions in fp64. `logScale` receives the sums of magnitudes of the signed terms, against which
/// their rounding is measured.
struct LogScale {
    double squareLog = 0;
    double figure2 = 0;
};

MatrixSums definition(const at::Tensor& x, LogScale& scale) {
    const at::Tensor wide = x.to(at::kDouble);
    const at::Tensor magnitude = wide.abs();
    const at::Tensor square = wide.square();
    const at::Tensor terms = at::xlogy(square, square);
    const at::Tensor alpha = magnitude.mean(1, true);
    const at::Tensor beta = magnitude.mean(0, true);
    const at::Tensor q = (square / (alpha * beta)).nan_to_num(0, 0, 0);
    // q (|ln x^2| + |ln alpha| + |ln beta|): the logarithms that are added up.
    const at::Tensor logs = square.clamp_min(1e-300).log().abs() + alpha.clamp_min(1e-300).log().abs() +
                            beta.clamp_min(1e-300).log().abs();
    scale = {terms.abs().sum().item<double>(), (q * logs).sum().item<double>()};
    MatrixSums sums;
    sums.columnSquare = square.sum(0);
    sums.columnAbsmax = x.abs().amax(0);
    sums.square = square.sum().item<double>();
    sums.fourth = square.square().sum().item<double>();
    sums.squareLog = terms.sum().item<double>();
    sums.rowMaxSquare = magnitude.amax(1).square().sum().item<double>();
    sums.absmax = magnitude.max().item<double>();
    sums.figure2 = at::xlogy(q, q).sum().item<double>();
    return sums;
}

void expectEqualSums(const MatrixSums& found, const MatrixSums& expected, const LogScale& scale,
                     double tolerance) {
    EXPECT_LT(testing::relativeError(found.columnSquare, expected.columnSquare), tolerance);
    EXPECT_TRUE(at::equal(found.columnAbsmax, expected.columnAbsmax));
    expectRelative(found.square, expected.square, tolerance, "square");
    expectRelative(found.fourth, expected.fourth, tolerance, "fourth");
    expectRelative(found.rowMaxSquare, expected.rowMaxSquare, tolerance, "rowMaxSquare");
    EXPECT_EQ(found.absmax, expected.absmax);
    EXPECT_NEAR(found.squareLog, expected.squareLog, tolerance * scale.squareLog);
    EXPECT_NEAR(found.figure2, expected.figure2, tolerance * scale.figure2);
}

// The terms themselves carry the logarithm's error on top.
constexpr double kTolerance = kFp32SumTolerance + kLogTolerance;

TEST(LogRow, IsWithinItsBoundOfTheExactLogarithm) {
    // Every 1009th fp32 number from FLT_MIN to FLT_MAX, and all numbers within 2^12 steps of 1.
    std::vector<float> v;
    for (std::uint32_t bits = 0x00800000; bits < 0x7F800000; bits += 1009)
        v.push_back(std::bit_cast<float>(bits));
    for (std::uint32_t bits = 0x3F800000 - 4096; bits < 0x3F800000 + 4096; ++bits)
        v.push_back(std::bit_cast<float>(bits));
    std::vector<float> found(v.size());
    logRow(v.data(), found.data(), static_cast<std::int64_t>(v.size()));
    double worst = 0;
    for (std::size_t i = 0; i < v.size(); ++i) {
        const double exact = std::log(static_cast<double>(v[i]));
        const double error = std::abs(static_cast<double>(found[i]) - exact);
        worst = std::max(worst, exact == 0 ? error : error / std::abs(exact));
    }
    EXPECT_LT(worst, kLogTolerance);
    RecordProperty("worst_in_2^-24", std::to_string(worst * 0x1p24));
}

TEST(LogRow, SmallNumbersCountNothing) {
    const std::vector<float> v{0.0F, FLT_MIN / 2, FLT_MIN};
    std::vector<float> found(v.size());
    logRow(v.data(), found.data(), 3);
    EXPECT_EQ(found[0], 0);
    EXPECT_EQ(found[1], 0);
    EXPECT_NEAR(found[2], std::log(FLT_MIN), 1e-4);
}

TEST(MatrixSums, AgreeWithTheDefinition) {
    for (const auto& [rows, n] : {std::pair{1, 1}, {3, 17}, {64, 16}, {65, 1100}, {2100, 37}}) {
        at::Tensor x = rows > 1 ? hardMatrix(rows, n) : at::full({1, 1}, -2.5F);
        LogScale scale;
        const MatrixSums expected = definition(x, scale);
        expectEqualSums(matrixSums(x), expected, scale, kTolerance);
    }
}

TEST(MatrixSums, AgreeWithTheWayOfOtherDevices) {
    const at::Tensor x = hardMatrix(1500, 700);
    LogScale scale;
    definition(x, scale);
    // Both sides round.
    expectEqualSums(matrixSums(x), matrixSumsOfTensors(x), scale, 2 * kTolerance);
}

TEST(MatrixSums, DoNotDependOnTheNumberOfThreads) {
    const at::Tensor x = hardMatrix(1500, 200);
    const int threads = at::get_num_threads();
    const MatrixSums several = matrixSums(x);
    const ColumnMoments severalMoments = columnMoments(x);
    at::set_num_threads(1);
    const MatrixSums one = matrixSums(x);
    const ColumnMoments oneMoments = columnMoments(x);
    at::set_num_threads(threads);
    EXPECT_TRUE(at::equal(several.columnSquare, one.columnSquare));
    EXPECT_EQ(several.fourth, one.fourth);
    EXPECT_EQ(several.squareLog, one.squareLog);
    EXPECT_EQ(several.figure2, one.figure2);
    EXPECT_TRUE(at::equal(severalMoments.fourth, oneMoments.fourth));
}

TEST(MatrixSums, AStridedMatrixIsRead) {
    const at::Tensor x = hardMatrix(40, 90);
    EXPECT_EQ(matrixSums(x.t()).square, matrixSums(x.t().contiguous()).square);
    EXPECT_EQ(shareAbove(x.t(), 1), shareAbove(x, 1));
}

TEST(MatrixSums, InfinityAndNanReachTheSums) {
    for (float value : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
        at::Tensor x = hardMatrix(20, 20);
        x[3][4] = value;
        EXPECT_FALSE(std::isfinite(matrixSums(x).square));
        EXPECT_FALSE(std::isfinite(matrixSums(x).squareLog));
    }
}

TEST(ShareAbove, CountsMagnitudes) {
    at::Tensor x = at::ones({70, 33});
    x[1][2] = -5;
    x[69][32] = 5;
    x[0][0] = 4;
    EXPECT_EQ(shareAbove(x, 4), 2.0 / (70 * 33));
    EXPECT_EQ(shareAbove(x, 0.5), 1);
}

TEST(ColumnMoments, AreSumsInDoublePrecision) {
    const at::Tensor x = hardMatrix(1500, 37);
    const at::Tensor wide = x.to(at::kDouble);
    ColumnMoments moments;
    moments.merge(columnMoments(x.narrow(0, 0, 400)));
    moments.merge(columnMoments(x.narrow(0, 400, 1100)));
    // 1500 additions in fp64.
    constexpr double kSumTolerance = 1500 * 0x1p-53;
    EXPECT_LT(testing::relativeError(moments.square, wide.square().sum(0)), kSumTolerance);
    EXPECT_LT(testing::relativeError(moments.fourth, wide.pow(4).sum(0)), kSumTolerance);
    EXPECT_TRUE(at::equal(moments.absmax, x.abs().amax(0)));
    EXPECT_EQ(moments.kurtosis(1500)[37 / 3].item<double>(), 0);
}

TEST(RowError, BothFormsAgreeWithTheDefinition) {
    const std::int64_t n = 1100;
    const at::Tensor y = testing::randomTensor({n}, 3);
    const at::Tensor product = (testing::randomTensor({n}, 4) * 100).to(at::kInt);
    const at::Tensor scales = testing::randomTensor({n}, 5).abs();
    const at::Tensor approximate = product.to(at::kFloat) * 0.01F * scales;
    const at::Tensor difference = (y - approximate).to(at::kDouble);
    const float* exact = y.const_data_ptr<float>();
    const ErrorSums plain = rowError(exact, approximate.const_data_ptr<float>(), n);
    const ErrorSums scaled = scaledRowError(exact, product.const_data_ptr<std::int32_t>(), 0.01F,
                                            scales.const_data_ptr<float>(), n);
    expectRelative(plain.noise, difference.square().sum().item<double>(), kFp32SumTolerance, "noise");
    expectRelative(plain.signal, y.to(at::kDouble).square().sum().item<double>(), kFp32SumTolerance,
                   "signal");
    EXPECT_EQ(scaled.noise, plain.noise);
    EXPECT_EQ(scaled.signal, plain.signal);
}

} // namespace
} // namespace bdq
