#include "engine/api/model_index.h"

#include <set>

#include <gtest/gtest.h>

namespace bdq {
namespace {

TEST(ModelIndex, TypeNamesAreDistinctAndInOrder) {
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(TensorType::Q6_K); ++i)
        EXPECT_TRUE(names.insert(tensorTypeName(static_cast<TensorType>(i))).second) << i;
    EXPECT_EQ(tensorTypeName(TensorType::BF16), "BF16");
    EXPECT_EQ(tensorTypeName(TensorType::Q4_1), "Q4_1");
    EXPECT_EQ(tensorTypeName(TensorType::F8E4M3), "F8_E4M3");
    EXPECT_EQ(tensorTypeName(TensorType::Q2_K), "Q2_K");
    EXPECT_EQ(tensorTypeName(TensorType::Q6_K), "Q6_K");
}

TEST(ModelIndex, ElementsIsTheProductOfTheShape) {
    TensorEntry entry;
    EXPECT_EQ(entry.elements(), 1); // a scalar
    entry.shape = {576, 1536};
    EXPECT_EQ(entry.elements(), 576 * 1536);
    entry.shape = {3, 0};
    EXPECT_EQ(entry.elements(), 0);
}

} // namespace
} // namespace bdq
