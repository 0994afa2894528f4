#include "engine/io/json_guard.h"

#include <gtest/gtest.h>

using namespace bdq;
using namespace bdq::io;

TEST(JsonGuard, buildsTheSameTreeAsTheLibrary) {
    const std::string text =
        R"({"a": [1, -2, 3.5, true, null, "x", {}, []], "b": {"c": {"d": [[1], [2, [3]]]}}, "e": 18446744073709551615})";
    EXPECT_EQ(parseJson(text, "t").value(), nlohmann::json::parse(text));
    EXPECT_EQ(parseJson("7", "t").value(), 7);
}

TEST(JsonGuard, refusesHostileDocuments) {
    const std::string deep = std::string(kMaxJsonDepth + 1, '[') + std::string(kMaxJsonDepth + 1, ']');
    const std::string allowed = std::string(kMaxJsonDepth, '[') + std::string(kMaxJsonDepth, ']');
    EXPECT_TRUE(parseJson(allowed, "t"));
    const struct {
        std::string text;
        const char* reason;
    } cases[] = {{deep, "nested deeper"},
                 {std::string(1'000'000, '['), "nested deeper"},
                 {R"({"a": 1, "b": 2, "a": 3})", "'a' appears twice"},
                 {"", "invalid JSON"},
                 {R"({"a": 1)", "invalid JSON"},
                 {R"({"a": NaN})", "invalid JSON"},
                 {R"([1e999])", "invalid JSON"},
                 {"[\"\xff\"]", "invalid JSON"},
                 {"{} {}", "invalid JSON"}};
    for (const auto& row : cases) {
        const auto result = parseJson(row.text, "file.json");
        ASSERT_FALSE(result) << row.text.substr(0, 60);
        EXPECT_EQ(result.error().code, ErrorCode::BadFormat);
        EXPECT_TRUE(result.error().message.starts_with("file.json: ")) << result.error().message;
        EXPECT_NE(result.error().message.find(row.reason), std::string::npos) << result.error().message;
    }
}

TEST(JsonGuard, memberNeedsAnObject) {
    const nlohmann::json object = {{"a", 1}};
    EXPECT_EQ(*member(object, "a"), 1);
    EXPECT_EQ(member(object, "b"), nullptr);
    EXPECT_EQ(member(nlohmann::json(3), "a"), nullptr);
}
