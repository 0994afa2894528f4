#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/engine/api/samples.h"

namespace bdq {
namespace {

TEST(JsonSites, SiteSurvivesItsText) {
    const SiteAnalysis site = samples::site({2, Site::GateUp});
    const std::string text = encodeSiteRow(site);
    const Result<SiteAnalysis> again = decodeSiteRow(text, "row");
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_EQ(encodeSiteRow(*again), text);
    EXPECT_EQ(again->key, site.key);
    EXPECT_EQ(again->notes, site.notes);
    EXPECT_EQ(again->tensors, site.tensors);
    const TransformAnalysis& before = site.transforms.at(TransformKind::Bdq);
    const TransformAnalysis& after = again->transforms.at(TransformKind::Bdq);
    EXPECT_EQ(after.weight.figure2, before.weight.figure2);
    EXPECT_EQ(after.activation.channel, before.activation.channel);
    EXPECT_EQ(after.activationNoiseAsymmetric, before.activationNoiseAsymmetric);
    EXPECT_EQ(after.weightNoiseSymmetric, before.weightNoiseSymmetric);
    EXPECT_EQ(after.sqnrDbMeasured, before.sqnrDbMeasured);
    EXPECT_EQ(after.sqnrDbTheorem, before.sqnrDbTheorem); // 13/3: doubles survive to the last bit
    EXPECT_EQ(after.kurtosisActivation, before.kurtosisActivation);
    EXPECT_EQ(after.loss, before.loss);
    EXPECT_EQ(after.weightNoiseSymmetricSearched, before.weightNoiseSymmetricSearched);
    EXPECT_EQ(after.weightNoiseAsymmetricSearched, before.weightNoiseAsymmetricSearched);
    EXPECT_EQ(after.sqnrDbTokenMedian, before.sqnrDbTokenMedian);
    EXPECT_EQ(after.sqnrDbTokenLow, before.sqnrDbTokenLow);
    EXPECT_EQ(again->topTokenEnergyShare, 0.75);
}

TEST(JsonSites, RowsOfBeforeLossesWereEstimatedRead) {
    auto row = nlohmann::json::parse(encodeSiteRow(samples::site({2, Site::GateUp})));
    EXPECT_EQ(row.erase("top_token_energy_share"), 1U);
    for (auto& [name, transform] : row["transforms"].items()) {
        for (const char* key : {"loss", "sqnr_db_token_median", "sqnr_db_token_p5"})
            EXPECT_EQ(transform.erase(key), 1U) << key;
        for (const char* key : {"weight_symmetric_searched", "weight_asymmetric_searched"})
            EXPECT_EQ(transform["noise"].erase(key), 1U) << key;
    }
    const Result<SiteAnalysis> read = decodeSiteRow(row.dump(), "row");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_TRUE(std::isnan(read->topTokenEnergyShare));
    EXPECT_FALSE(read->transforms.at(TransformKind::Bdq).loss);
    EXPECT_FALSE(read->transforms.at(TransformKind::Bdq).weightNoiseSymmetricSearched);
    EXPECT_TRUE(std::isnan(estimatedLoss(*read, TransformKind::Bdq, parseScheme("W4A4").value())));
}

TEST(JsonSites, HasTheKeysThatScriptsRead) {
    const auto row = nlohmann::json::parse(encodeSiteRow(samples::site({2, Site::GateUp})));
    EXPECT_EQ(row.at("layer"), 2);
    EXPECT_EQ(row.at("site"), "gate_up");
    for (const char* key : {"detail_file", "channels_file", "histogram_file"})
        EXPECT_EQ(row.at(key), "sites/000_qkv.safetensors") << key;
    const auto& transform = row.at("transforms").at("bdq");
    const Flatness expected = samples::flatness(2);
    EXPECT_EQ(transform.at("flatness_activation"), expected.entropyNormalized);
    EXPECT_EQ(transform.at("flatness_weight"), samples::flatness(3).entropyNormalized);
    EXPECT_EQ(transform.at("flatness").at("activation").at("entropy_bound"), expected.entropyBound);
    EXPECT_EQ(transform.at("sqnr_db_measured").at("W4A4"), 12.25);
    EXPECT_EQ(transform.at("sqnr_db_predicted").at("W4A4"), 12.5);
    for (const char* key : {"concentration_activation_db", "concentration_weight_db", "alignment_db"})
        EXPECT_TRUE(transform.at(key).is_number()) << key;
}

TEST(JsonSites, NonFiniteNumbersBecomeNaN) {
    SiteAnalysis site = samples::site({0, Site::O});
    site.signalPower = INFINITY;
    site.transforms[TransformKind::None].activationNoiseSymmetric[3] = NAN;
    site.transforms[TransformKind::None].sqnrDbMeasured["W4A4"] = NAN;
    const Result<SiteAnalysis> again = decodeSiteRow(encodeSiteRow(site), "row");
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_TRUE(std::isnan(again->signalPower));
    EXPECT_TRUE(std::isnan(again->transforms.at(TransformKind::None).activationNoiseSymmetric[3]));
    EXPECT_TRUE(std::isnan(again->transforms.at(TransformKind::None).sqnrDbMeasured.at("W4A4")));
}

TEST(JsonSites, RefusesHostileRows) {
    using Json = nlohmann::json;
    struct Row {
        const char* pointer;
        Json value;
        std::string_view named;
    };
    const Row rows[] = {
        {"/layer", -1, "layer"},
        {"/layer", "0", "layer"},
        {"/site", "attention", "attention"},
        {"/in_features", 1e30, "in_features"},
        {"/tokens", -5, "tokens"},
        {"/signal_power", "loud", "signal_power"},
        {"/tensors", Json::object(), "tensors"},
        {"/notes", Json::array({1}), "notes"},
        {"/detail_file", "/etc/passwd", "inside the folder"},
        {"/detail_file", "sites/../../x", "inside the folder"},
        {"/detail_file", "..", "inside the folder"},
        {"/transforms", Json::array(), "transforms"},
        {"/transforms", {{"magic", Json::object()}}, "magic"},
        {"/transforms/bdq", 3, "transforms.bdq"},
        {"/transforms/bdq/flatness", nullptr, "transforms.bdq.flatness"},
        {"/transforms/bdq/noise/weight_symmetric", Json::array({1, 2}), "noise.weight_symmetric"},
        {"/transforms/bdq/sqnr_db_measured/W4A4", "12", "sqnr_db_measured.W4A4"},
    };
    for (const Row& row : rows) {
        Json document = Json::parse(encodeSiteRow(samples::site({0, Site::Qkv})));
        document[Json::json_pointer(row.pointer)] = row.value;
        const Result<SiteAnalysis> site = decodeSiteRow(document.dump(), "row");
        ASSERT_FALSE(site) << row.pointer;
        EXPECT_EQ(site.error().code, ErrorCode::BadFormat);
        EXPECT_NE(site.error().message.find(row.named), std::string::npos)
            << row.pointer << ": " << site.error().message;
    }
}

} // namespace
} // namespace bdq
