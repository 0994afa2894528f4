#include "engine/api/quant_scheme.h"

#include <gtest/gtest.h>

namespace bdq {
namespace {

std::vector<OperandScheme> operands(bool symmetricAt16) {
    std::vector<OperandScheme> all{{16, symmetricAt16, 0}};
    for (int bits = 2; bits <= 8; ++bits)
        for (bool symmetric : {false, true})
            for (int group : {0, 32, 128})
                all.push_back({bits, symmetric, group});
    return all;
}

TEST(QuantScheme, EverySchemeIsReadBackFromItsText) {
    int count = 0;
    for (const OperandScheme& weight : operands(true))
        for (const OperandScheme& activation : operands(true))
            for (const OperandScheme& kv : operands(false)) {
                const Scheme scheme{weight, activation, kv};
                const std::string text = formatScheme(scheme);
                const Result<Scheme> again = parseScheme(text);
                ASSERT_TRUE(again) << text << ": " << again.error().text();
                ASSERT_EQ(*again, scheme) << text;
                ASSERT_EQ(formatScheme(*again), text);
                ++count;
            }
    EXPECT_EQ(count, 43 * 43 * 43); // 7 bit widths x 2 symmetries x 3 groups + untouched, per operand
}

struct TextCase {
    std::string_view text;
    Scheme scheme;
    std::string_view canonical;
};

TEST(QuantScheme, ReadsTheDocumentedForms) {
    const OperandScheme untouched{16, true, 0};
    const OperandScheme untouchedKv{16, false, 0};
    const OperandScheme four{4, true, 0};
    const TextCase cases[] = {
        {"W4A4KV4", {four, four, {4, false, 0}}, "W4A4KV4"},
        {"W2A4KV16", {{2, false, 0}, four, untouchedKv}, "W2A4"},
        {"W4A16", {four, untouched, untouchedKv}, "W4A16"},
        {"W4", {four, untouched, untouchedKv}, "W4A16"},
        {"KV4", {untouched, untouched, {4, false, 0}}, "W16A16KV4"},
        {"W16", {untouched, untouched, untouchedKv}, "W16A16"},
        {"W4A4KV4:g128", {{4, true, 128}, four, {4, false, 0}}, "W4A4KV4:g128"},
        {"W4g128sym A4asym KV4asym", {{4, true, 128}, {4, false, 0}, {4, false, 0}}, "W4g128 A4asym KV4"},
        {"w4a8kv8", {four, {8, true, 0}, {8, false, 0}}, "W4A8KV8"},
        {"w4asyma4", {{4, false, 0}, four, untouchedKv}, "W4asym A4"},
        {"W2sym A8", {{2, true, 0}, {8, true, 0}, untouchedKv}, "W2sym A8"},
        {"A8 W3", {{3, true, 0}, {8, true, 0}, untouchedKv}, "W3A8"},
        {"KV4sym", {untouched, untouched, {4, true, 0}}, "W16 A16 KV4sym"},
        {" W4 A4 ", {four, four, untouchedKv}, "W4A4"},
    };
    for (const TextCase& row : cases) {
        const Result<Scheme> scheme = parseScheme(row.text);
        ASSERT_TRUE(scheme) << row.text << ": " << scheme.error().text();
        EXPECT_EQ(*scheme, row.scheme) << row.text;
        EXPECT_EQ(formatScheme(*scheme), row.canonical) << row.text;
    }
}

TEST(QuantScheme, RefusesWhatItCannotReadNamingThePart) {
    struct Row {
        std::string_view text;
        std::string_view named;
    };
    const Row rows[] = {
        {"", "nothing"},
        {"   ", "nothing"},
        {"4", "4"},
        {"W", "bits"},
        {"W1A4", "bits"},
        {"W9A4", "bits"},
        {"W4A4X4", "X4"},
        {"W4W4", "second"},
        {"W4A4KV4:g", ":g"},
        {"W4:g1", ":g1"},
        {"W4:g128x", ":g128x"},
        {"A4:g128", "without a weight"},
        {"W4g32A4:g64", "without a weight"},
        {"W16sym", "16 bits"},
        {"A16g64", "16 bits"},
        {"W4g0", "group"},
        {"W4g99999999999999999999", "group"},
        {"W-4", "bits"},
        {"W4.5", ".5"},
        {"W99999999999999999999", "bits"},
        {":g128", "nothing"},
        {"W4A4:sym", ":sym"},
        {"W4A4\n", "\n"},
        {"K4", "K4"},
    };
    for (const Row& row : rows) {
        const Result<Scheme> scheme = parseScheme(row.text);
        ASSERT_FALSE(scheme) << row.text;
        EXPECT_EQ(scheme.error().code, ErrorCode::InvalidSpec);
        EXPECT_NE(scheme.error().message.find(row.named), std::string::npos) << scheme.error().message;
        EXPECT_NE(scheme.error().message.find("expected"), std::string::npos) << scheme.error().message;
    }
    EXPECT_FALSE(parseScheme(std::string(1000, 'W')));
    EXPECT_LT(parseScheme(std::string(1000, 'W')).error().message.size(), 400U);
}

TEST(QuantScheme, CountsScalesAndZeroPoints) {
    EXPECT_DOUBLE_EQ(effectiveWeightBits({16, true, 0}, 100), 16);
    // One fp16 scale per row of 512: 16 / 512.
    EXPECT_DOUBLE_EQ(effectiveWeightBits({4, true, 0}, 512), 4 + 16.0 / 512);
    // Scale and 2-bit zero point per row.
    EXPECT_DOUBLE_EQ(effectiveWeightBits({2, false, 0}, 576), 2 + 18.0 / 576);
    // 576 = 4.5 groups of 128: the fifth group has a scale, too.
    EXPECT_DOUBLE_EQ(effectiveWeightBits({4, true, 128}, 576), 4 + 5 * 16.0 / 576);
}

TEST(QuantScheme, PlanKeepsOnlyDifferences) {
    Plan plan;
    plan.base = parseScheme("W4A4").value();
    const Scheme other = parseScheme("W8A8").value();
    const SiteKey key{3, Site::Down};
    plan.set(key, other);
    EXPECT_EQ(plan.at(key), other);
    EXPECT_EQ(plan.at({3, Site::O}), plan.base);
    plan.set(key, plan.base);
    EXPECT_TRUE(plan.overrides.empty());
    EXPECT_EQ(plan.at(key), plan.base);
}

TEST(QuantScheme, NamesAreBijective) {
    for (Site site : {Site::Qkv, Site::O, Site::GateUp, Site::Down, Site::KCache, Site::VCache})
        EXPECT_EQ(siteFromName(siteName(site)), site);
    for (WeightRounding rounding : {WeightRounding::Rtn, WeightRounding::Mse, WeightRounding::Gptq})
        EXPECT_EQ(roundingFromName(roundingName(rounding)), rounding);
    EXPECT_FALSE(siteFromName("QKV"));
    EXPECT_FALSE(siteFromName(""));
    EXPECT_FALSE(roundingFromName("nearest"));
}

} // namespace
} // namespace bdq
