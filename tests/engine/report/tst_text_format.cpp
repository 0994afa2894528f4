#include "engine/report/text_format.h"

#include <cmath>

#include <gtest/gtest.h>

namespace bdq::report {
namespace {

TEST(TextFormat, ThreeSignificantDigits) {
    const std::pair<double, const char*> rows[] = {
        {0, "0"},          {24.145, "24.1"},   {0.123456, "0.123"}, {1.0 / 3000, "3.33e-04"},
        {-7.777, "-7.78"}, {304978, "304978"}, {1e6, "1.00e+06"},   {99.95, "100"},
        {NAN, "-"},        {INFINITY, "inf"},  {-INFINITY, "-inf"}};
    for (const auto& [value, text] : rows)
        EXPECT_EQ(formatNumber(value), text) << value;
    EXPECT_EQ(formatNumber(24.145, 4), "24.14"); // 24.145 is below the tie in binary
    EXPECT_EQ(formatDb(-12.345), "-12.3");
    EXPECT_EQ(formatDb(NAN), "-");
    EXPECT_EQ(formatExact(0.1), "0.1");
    EXPECT_EQ(formatExact(NAN), "");
    EXPECT_EQ(formatNumber(1e300), "1.00e+300");
}

TEST(TextFormat, CountsSizesTimes) {
    EXPECT_EQ(formatCount(0), "0");
    EXPECT_EQ(formatCount(999), "999");
    EXPECT_EQ(formatCount(304978), "304,978");
    EXPECT_EQ(formatCount(-1234567), "-1,234,567");
    EXPECT_EQ(formatBytes(71'234'567), "71.2 MB");
    EXPECT_EQ(formatBytes(2'500'000'000ULL), "2.50 GB");
    EXPECT_EQ(formatSeconds(4.211), "4.21 s");
    EXPECT_EQ(formatSeconds(192), "3 min 12 s");
    EXPECT_EQ(formatSeconds(3600 * 5 + 61), "5 h 1 min");
    EXPECT_EQ(formatSeconds(119.9), "2 min 0 s");
    EXPECT_EQ(formatSeconds(NAN), "-");
}

TEST(TextFormat, Escapes) {
    EXPECT_EQ(escapeXml("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
    EXPECT_EQ(escapeXml(std::string("a\x01\0b\n", 5)), "a\xEF\xBF\xBD\xEF\xBF\xBD"
                                                       "b\n");
    EXPECT_EQ(escapeMarkdown("a|b\n*c* <d>"), "a\\|b \\*c\\* \\<d\\>");
    EXPECT_EQ(escapeCsv("plain"), "plain");
    EXPECT_EQ(escapeCsv("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
    EXPECT_EQ(escapeCsv("=cmd()"), "'=cmd()");
    EXPECT_EQ(escapeCsv(""), "");
}

} // namespace
} // namespace bdq::report
