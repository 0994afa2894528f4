#include "engine/api/result.h"

#include <gtest/gtest.h>

namespace bdq {
namespace {

Result<int> half(int value) {
    if (value % 2 != 0) return fail(ErrorCode::InvalidSpec, "odd");
    return value / 2;
}

Result<int> quarter(int value) {
    BDQ_TRY(const int once, half(value));
    BDQ_TRY(const int twice, half(once));
    return twice;
}

Status accept(int value) {
    BDQ_CHECK(quarter(value));
    return {};
}

TEST(Result, TryBindsOrReturns) {
    EXPECT_EQ(quarter(8).value(), 2);
    EXPECT_FALSE(quarter(6));
    EXPECT_TRUE(accept(4));
    EXPECT_EQ(accept(3).error().code, ErrorCode::InvalidSpec);
}

TEST(Result, ContextGrowsFromTheInsideOut) {
    Error error{ErrorCode::Io, "a.bin: cannot read", {}};
    EXPECT_EQ(error.text(), "a.bin: cannot read");
    error = passOn(error, "site down").value();
    error = passOn(error, "layer 3").value();
    error = passOn(error).value();
    EXPECT_EQ(error.text(), "layer 3, site down: a.bin: cannot read");
    EXPECT_EQ(error.code, ErrorCode::Io);
}

TEST(Result, CodesHaveNamesAndExitCodes) {
    for (int i = 0; i <= static_cast<int>(ErrorCode::Internal); ++i) {
        const auto code = static_cast<ErrorCode>(i);
        EXPECT_EQ(errorCodeFromName(errorCodeName(code)), code) << i;
        EXPECT_GT(exitCodeFor(code), 0) << i;
    }
    EXPECT_EQ(errorCodeFromName("something new"), ErrorCode::Internal);
    EXPECT_EQ(exitCodeFor(ErrorCode::InvalidSpec), 2);
    EXPECT_EQ(exitCodeFor(ErrorCode::BadFormat), 3);
    EXPECT_EQ(exitCodeFor(ErrorCode::Unsupported), 4);
    EXPECT_EQ(exitCodeFor(ErrorCode::DeviceOom), 5);
    EXPECT_EQ(exitCodeFor(ErrorCode::HostOom), 5);
    EXPECT_EQ(exitCodeFor(ErrorCode::Cancelled), 130);
    EXPECT_EQ(exitCodeFor(ErrorCode::Internal), 1);
}

} // namespace
} // namespace bdq
