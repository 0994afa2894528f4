#include "engine/api/json_reader.h"

#include <cmath>

#include <gtest/gtest.h>

namespace bdq::json {
namespace {

TEST(JsonReader, RefusesTextThatIsNoBoundedObject) {
    const std::string deep = std::string(kMaxDepth + 1, '[') + std::string(kMaxDepth + 1, ']');
    const std::string rows[] = {"",
                                "{",
                                "[]",
                                "3",
                                "null",
                                "{}{}",
                                "{\"a\":}",
                                "{\"a\":1,}",
                                "{'a':1}",
                                "{\"a\":NaN}",
                                "{\"a\":1e999}",
                                "{\"a\":\"\xff\"}",
                                "{\"a\":" + deep + "}",
                                std::string("{\"a\":\0}", 7),
                                std::string(200000, '[')};
    for (const std::string& row : rows) {
        const Result<Json> value = parseObject(row, "x.json", ErrorCode::BadFormat);
        ASSERT_FALSE(value) << row.substr(0, 80);
        EXPECT_EQ(value.error().code, ErrorCode::BadFormat);
        EXPECT_EQ(value.error().message.find("x.json"), 0U) << value.error().message;
    }
    EXPECT_FALSE(parseObject("{\"a\": 1}", "x", ErrorCode::Protocol, 7));
    EXPECT_TRUE(parseObject("{\"a\": 1}", "x", ErrorCode::Protocol, 8));
    // Brackets inside strings do not nest.
    EXPECT_TRUE(parseObject("{\"a\":\"" + std::string(100, '[') + "\\\"" + std::string(100, '{') + "\"}", "x",
                            ErrorCode::Protocol));
}

struct Fixture {
    explicit Fixture(std::string_view text)
        : document(parseObject(text, "x.json", ErrorCode::BadFormat).value()) {}
    Json document;
    ReadState state{"x.json", ErrorCode::BadFormat, {}};
    Reader reader{document, state};
};

TEST(JsonReader, NamesKeyFoundAndExpected) {
    Fixture fixture(R"({"a": {"list": [{"n": 1}, {"n": 2.5}]}})");
    std::vector<Reader> rows = fixture.reader.object("a").objects("list");
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].integer("n", 0, 9), 1);
    rows[1].integer("n", 0, 9);
    ASSERT_FALSE(fixture.reader.status());
    EXPECT_EQ(fixture.reader.status().error().message,
              "x.json: a.list[1].n: found 2.5, expected an integer from 0 to 9");
}

TEST(JsonReader, OnlyTheFirstErrorCounts) {
    Fixture fixture(R"({"a": 1, "b": 2})");
    EXPECT_EQ(fixture.reader.text("a"), "");
    EXPECT_EQ(fixture.reader.text("b", "standard"), "standard");
    EXPECT_EQ(fixture.reader.number("b"), 0.0);
    EXPECT_NE(fixture.reader.status().error().message.find("x.json: a: found 1"), std::string::npos);
}

TEST(JsonReader, RefusesWrongTypes) {
    using Read = void (*)(Reader&);
    const std::pair<const char*, Read> rows[] = {
        {R"({"k": "1"})", [](Reader& in) { in.number("k"); }},
        {R"({"k": 1})", [](Reader& in) { in.flag("k"); }},
        {R"({"k": -1})", [](Reader& in) { in.unsignedNumber("k"); }},
        {R"({"k": 1.0})", [](Reader& in) { in.unsignedNumber("k"); }},
        {R"({"k": 18446744073709551615})", [](Reader& in) { in.integer<std::int64_t>("k", 0, INT64_MAX); }},
        {R"({"k": true})", [](Reader& in) { in.integer("k", 0, 1); }},
        {R"({"k": 10})", [](Reader& in) { in.integer("k", 0, 9); }},
        {R"({"k": -1})", [](Reader& in) { in.integer("k", 0, 9, std::optional(3)); }},
        {R"({"k": []})", [](Reader& in) { in.object("k"); }},
        {R"({"k": {}})", [](Reader& in) { in.objects("k"); }},
        {R"({"k": [1]})", [](Reader& in) { in.objects("k"); }},
        {R"({"k": {"a": 1}})", [](Reader& in) { in.objectMap("k"); }},
        {R"({"k": {"a": "1"}})", [](Reader& in) { in.numberMap("k"); }},
        {R"({"k": [1]})", [](Reader& in) { in.texts("k"); }},
        {R"({"k": [1, 2]})", [](Reader& in) { in.numbers("k", 3); }},
        {R"({"k": [1, "2"]})", [](Reader& in) { in.numbers("k", 2); }},
        {R"({"k": [1, 2.5]})", [](Reader& in) { in.integers("k", 0, 9); }},
        {R"({"k": [1, 18446744073709551615]})", [](Reader& in) { in.integers("k", -1, 9); }},
        {R"({"other": 1})", [](Reader& in) { in.text("k"); }},
        {R"({"other": 1})", [](Reader& in) { in.allowOnly({"k"}); }},
        {R"({"k": 0})", [](Reader& in) { in.checkSchema(1); }},
    };
    for (const auto& [text, read] : rows) {
        Fixture fixture(text);
        read(fixture.reader);
        ASSERT_FALSE(fixture.reader.ok()) << text;
        EXPECT_NE(fixture.reader.status().error().message.find("expected"), std::string::npos);
    }
}

TEST(JsonReader, NullIsNotANumberAndNotPresent) {
    Fixture fixture(R"({"k": null, "list": [null, 1]})");
    EXPECT_TRUE(std::isnan(fixture.reader.number("k")));
    EXPECT_FALSE(fixture.reader.has("k"));
    EXPECT_TRUE(std::isnan(fixture.reader.numbers("list", 2)[0]));
    EXPECT_TRUE(fixture.reader.ok());
}

TEST(JsonReader, NamesBothSchemaVersions) {
    Fixture fixture(R"({"schema": 7})");
    fixture.reader.checkSchema(1);
    const std::string message = fixture.reader.status().error().message;
    EXPECT_NE(message.find("found 7"), std::string::npos) << message;
    EXPECT_NE(message.find("expected 1"), std::string::npos) << message;
}

TEST(JsonReader, DumpReplacesInvalidTextAndNonFiniteNumbers) {
    EXPECT_EQ(dump(Json{{"a", std::nan("")}, {"b", INFINITY}}), R"({"a":null,"b":null})");
    EXPECT_EQ(dump(Json{{"a", "x\xffy"}}), "{\"a\":\"x\xEF\xBF\xBDy\"}");
}

} // namespace
} // namespace bdq::json
