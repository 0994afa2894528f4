#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include "engine/pipeline/host_tensor.h"

namespace bdq {
namespace {

TEST(HostTensor, EveryTypeComesBack) {
    const at::Tensor values = at::arange(-6, 6).view({3, 4});
    for (at::ScalarType type : {at::kFloat, at::kDouble, at::kChar, at::kShort, at::kInt, at::kLong}) {
        const at::Tensor tensor = values.to(type);
        const io::HostTensor host = toHostTensor(tensor);
        EXPECT_EQ(scalarType(host.type), type);
        EXPECT_EQ(host.bytes.size(), 12 * io::itemSize(host.type)) << type;
        EXPECT_TRUE(at::equal(toTorchTensor(host), tensor)) << type;
    }
    const at::Tensor bytes = at::arange(250, 256).to(at::kByte);
    EXPECT_TRUE(at::equal(toTorchTensor(toHostTensor(bytes)), bytes));
}

TEST(HostTensor, ViewsAreStoredRowByRow) {
    const at::Tensor view = at::arange(6).to(at::kInt).view({2, 3}).t();
    const io::HostTensor host = toHostTensor(view);
    EXPECT_EQ(host.shape, (std::vector<std::int64_t>{3, 2}));
    EXPECT_TRUE(at::equal(toTorchTensor(host), view));
    EXPECT_EQ(toTorchTensor(toHostTensor(at::empty({0, 3}))).sizes(), (at::IntArrayRef{0, 3}));
}

TEST(HostTensor, TypesThatNoFileHoldsAreAnError) {
    EXPECT_THROW((void)toHostTensor(at::ones({2}, at::kHalf)), c10::Error);
}

} // namespace
} // namespace bdq
