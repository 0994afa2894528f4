#include <gtest/gtest.h>

#include <ATen/Parallel.h>

#include "engine/model/device.h"
#include "engine/model/device_list.h"
#include "engine/model/torch_guard.h"

namespace bdq {
namespace {

TEST(Device, CpuIsAlwaysThereAndThreadsAreSet) {
    const auto device = openDevice({"cpu", 1});
    ASSERT_TRUE(device) << device.error().text();
    EXPECT_EQ(device->id, "cpu");
    EXPECT_EQ(at::get_num_threads(), 1);
    EXPECT_FALSE(device->name.empty());
    EXPECT_EQ(listDevices().front().id, "cpu");
}

TEST(Device, UnknownTextAndAbsentGpuAreDifferentErrors) {
    for (const char* text : {"gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", ""}) {
        const auto device = openDevice({text, 0});
        ASSERT_FALSE(device) << text;
        EXPECT_EQ(device.error().code, ErrorCode::InvalidSpec) << text;
    }
    const auto missing = openDevice({"cuda:63", 0});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::Unsupported);
}

TEST(Device, PeakMemoryIsRead) {
    EXPECT_GT(peakHostBytes(), 1U << 20);
}

TEST(TorchGuard, ExceptionsBecomeErrors) {
    const auto mismatch = torchGuard([]() -> Result<int> {
        at::matmul(at::ones({2, 3}), at::ones({2, 3}));
        return 0;
    });
    ASSERT_FALSE(mismatch);
    EXPECT_EQ(mismatch.error().code, ErrorCode::Internal);
    EXPECT_EQ(mismatch.error().message.find('\n'), std::string::npos);
    const auto memory = torchGuard([]() -> Result<int> { throw std::bad_alloc(); });
    ASSERT_FALSE(memory);
    EXPECT_EQ(memory.error().code, ErrorCode::HostOom);
    const auto huge = torchGuard([]() -> Result<int> {
        at::empty({std::int64_t{1} << 50}, at::kFloat);
        return 0;
    });
    ASSERT_FALSE(huge);
    EXPECT_EQ(huge.error().code, ErrorCode::HostOom);
}

} // namespace
} // namespace bdq
