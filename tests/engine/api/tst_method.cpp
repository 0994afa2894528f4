#include "engine/api/method.h"

#include <set>

#include <gtest/gtest.h>

namespace bdq {
namespace {

TEST(Method, TransformTableFollowsTheEnumeration) {
    ASSERT_EQ(transformTable().size(), 7U);
    std::set<std::string_view> ids;
    for (std::size_t i = 0; i < transformTable().size(); ++i) {
        const TransformInfo& row = transformTable()[i];
        EXPECT_EQ(static_cast<std::size_t>(row.kind), i);
        EXPECT_EQ(&transformInfo(row.kind), &row);
        EXPECT_EQ(transformFromName(row.id), row.kind);
        EXPECT_FALSE(row.title.empty());
        EXPECT_FALSE(row.explanation.empty());
        EXPECT_EQ(row.citation.empty(), row.kind == TransformKind::None);
        EXPECT_TRUE(ids.insert(row.id).second) << row.id;
    }
    EXPECT_FALSE(transformFromName("catdiag"));
}

TEST(Method, MethodTableFollowsTheEnumeration) {
    ASSERT_EQ(methodTable().size(), 6U);
    for (std::size_t i = 0; i < methodTable().size(); ++i) {
        const MethodInfo& row = methodTable()[i];
        EXPECT_EQ(static_cast<std::size_t>(row.method), i);
        EXPECT_EQ(&methodInfo(row.method), &row);
        EXPECT_EQ(methodFromName(row.id), row.method);
        EXPECT_FALSE(row.onlineParts.empty());
        const bool rotates = row.method != Method::Rtn && row.method != Method::SmoothQuant;
        EXPECT_EQ(row.rotateKv, rotates) << row.id;
        EXPECT_EQ(row.defaultRounding, row.method == Method::Bdq ? WeightRounding::Gptq : WeightRounding::Mse)
            << row.id;
    }
    EXPECT_EQ(methodInfo(Method::CatBlock).transform, TransformKind::CatBlock64);
    EXPECT_EQ(methodInfo(Method::QuaRot).transform, TransformKind::Hadamard);
    EXPECT_FALSE(methodFromName("Bdq"));
}

TEST(Method, PresetNames) {
    EXPECT_EQ(presetFromName(presetName(Preset::Fast)), Preset::Fast);
    EXPECT_FALSE(presetFromName("best"));
}

} // namespace
} // namespace bdq
