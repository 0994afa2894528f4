// A synthetic analysis and run of a small model, written as the pipeline writes them.
#pragma once

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>

#include <unistd.h>

#include <gtest/gtest.h>

#include "engine/api/atomic_file.h"
#include "engine/api/sensitivity.h"
#include "engine/io/tensor_file.h"
#include "tests/engine/api/samples.h"

namespace bdq::report {

inline constexpr int kLayers = 6;
inline constexpr int kChannels = 64;

inline double wave(int layer, Site site) {
    return std::sin(0.9 * layer + 1.7 * static_cast<int>(site));
}

inline TransformDetail transformDetail(double outlier, int salt) {
    TransformDetail detail;
    const auto n = static_cast<std::size_t>(kChannels);
    for (std::size_t i = 0; i < n; ++i) {
        const double scale = i < 3 ? outlier : 0.5 + 0.01 * static_cast<double>(i);
        detail.channelRmsActivation.push_back(static_cast<float>(scale));
        detail.channelAbsmaxActivation.push_back(static_cast<float>(4 * scale));
        detail.channelRmsWeight.push_back(static_cast<float>(0.05 / scale));
        detail.channelAbsmaxWeight.push_back(static_cast<float>(0.2 / scale));
        for (int t = 1; t <= 300; ++t) {
            const double unit = std::sqrt(-2 * std::log((t - 0.5) / 300.0)) * std::cos(0.37 * t * (salt + 2));
            detail.histogramActivation.add(scale * unit);
            detail.histogramWeight.add(0.05 * unit / std::sqrt(scale));
        }
    }
    detail.noiseActivation.assign(7 * n, 0.1F);
    detail.noiseWeight.assign(7 * n, 0.1F);
    return detail;
}

inline SiteDetail siteDetail(SiteKey key, TransformKind after) {
    SiteDetail detail;
    detail.key = key;
    detail.inFeatures = kChannels;
    detail.kurtosisActivation.assign(kChannels, 3.0F);
    detail.kurtosisWeight.assign(kChannels, 3.0F);
    detail.tokenMin.assign(16, -4.0F);
    detail.tokenMax.assign(16, 4.0F);
    detail.keptTokens = 1;
    detail.keptInputs.assign(kChannels, 1.0F);
    detail.transforms[TransformKind::None] = transformDetail(20, 0);
    detail.transforms[after] = transformDetail(1, 3);
    return detail;
}

inline TransformAnalysis transformAnalysis(SiteKey key, TransformKind kind) {
    TransformAnalysis value = samples::transform(1);
    value.loss.reset(); // withLosses() gives them back
    value.weightNoiseSymmetricSearched.reset();
    value.weightNoiseAsymmetricSearched.reset();
    value.sqnrDbTokenMedian.clear();
    value.sqnrDbTokenLow.clear();
    const double gain = 4.0 * static_cast<int>(kind);
    value.activation.entropyNormalized =
        0.5 / (1 + static_cast<int>(kind)) + 0.1 * std::abs(wave(key.layer, key.site));
    value.weight.entropyNormalized = 0.2 / (1 + static_cast<int>(kind));
    for (const auto& [scheme, base] : {std::pair<std::string, double>{"W4A4", 8.0}, {"W8A8", 30.0}}) {
        const double measured = base + gain + 4 * wave(key.layer, key.site);
        value.sqnrDbMeasured[scheme] = measured;
        value.sqnrDbPredicted[scheme] = measured - 0.2;
        value.sqnrDbTheorem[scheme] = measured + (kind == TransformKind::None ? 3 : 0.1);
    }
    return value;
}

inline AnalysisResult syntheticAnalysis(const std::vector<TransformKind>& transforms) {
    AnalysisResult analysis = samples::analysis();
    analysis.spec.transforms = transforms;
    analysis.spec.schemes = {"W4A4", "W8A8"};
    analysis.lossEstimate.reset();
    analysis.sites.clear();
    for (int layer = 0; layer < kLayers; ++layer)
        for (Site kind : kLinearSites) {
            SiteAnalysis site = samples::site({layer, kind});
            site.detailFile = "sites/" + std::to_string(layer) + std::string(siteName(kind)) + ".safetensors";
            site.topTokenEnergyShare = std::numeric_limits<double>::quiet_NaN();
            site.transforms.clear();
            for (TransformKind transform : transforms)
                site.transforms[transform] = transformAnalysis(site.key, transform);
            analysis.sites.push_back(std::move(site));
        }
    return analysis;
}

/// Estimated losses that fall with the bits; layer 3 down costs most, and its SQNR is not the lowest.
inline constexpr SiteKey kCostliest{3, Site::Down};
inline AnalysisResult withLosses(AnalysisResult analysis) {
    analysis.lossEstimate = LossEstimateInfo{4, 256, 4, 20};
    for (SiteAnalysis& site : analysis.sites) {
        site.topTokenEnergyShare = site.key == kCostliest ? 0.999 : 0.02;
        for (auto& [kind, value] : site.transforms) {
            value.loss.emplace();
            const double at4 = site.key == kCostliest ? 0.25 : 0.001 * (1 + site.key.layer);
            for (int bits = 2; bits <= 8; ++bits) {
                const auto i = static_cast<std::size_t>(bits - 2);
                const double nats = at4 * std::pow(4.0, 4 - bits);
                value.loss->activationSymmetric[i] = value.loss->activationAsymmetric[i] = nats / 2;
                value.loss->weightSymmetric[i] = value.loss->weightAsymmetric[i] = nats;
                value.loss->weightSymmetricSearched[i] = value.loss->weightAsymmetricSearched[i] = nats / 2;
            }
            value.sqnrDbTokenMedian = {{"W4A4", 7.75}};
            value.sqnrDbTokenLow = {{"W4A4", 4.25}};
        }
    }
    return analysis;
}

/// Every site at W4A4 under BDQ, measured: the costliest is layer 0 o.
inline SensitivityResult syntheticSensitivity(const AnalysisResult& analysis) {
    SensitivityResult sensitivity;
    sensitivity.activation = parseScheme("W4A4").value().activation;
    sensitivity.text.source = "measured.txt";
    sensitivity.klTokens = 511;
    for (const SiteAnalysis& site : analysis.sites)
        sensitivity.rows.push_back({site.key, TransformKind::Bdq, OperandScheme{4, true, 0}, 0.1, 0.1,
                                    site.key == SiteKey{0, Site::O} ? 0.5 : 0.002});
    return sensitivity;
}

inline RunResult syntheticRun() {
    RunResult run = samples::run();
    run.spec.method = Method::Bdq;
    run.spec.rounding.reset();
    run.perLayer.clear();
    for (int layer = 0; layer < kLayers; ++layer)
        for (Site kind : {Site::Qkv, Site::O, Site::GateUp, Site::Down, Site::KCache, Site::VCache}) {
            RunSiteResult row;
            row.key = {layer, kind};
            row.scheme = "W4A4KV4";
            row.sqnrDb = 18 + 9 * wave(layer, kind);
            row.mse = std::pow(10.0, -row.sqnrDb / 10);
            const bool cache = kind == Site::KCache || kind == Site::VCache;
            row.flatnessBefore = cache ? NAN : 0.4 + 0.2 * wave(layer, kind);
            row.flatnessAfter = cache ? NAN : 0.08;
            row.weightFlatnessBefore = cache ? NAN : 0.15;
            row.weightFlatnessAfter = cache ? NAN : 0.09;
            run.perLayer.push_back(row);
        }
    return run;
}

class ReportTest : public testing::Test {
protected:
    ReportTest()
        : folder(std::filesystem::temp_directory_path() / ("bdq-report-" + std::to_string(::getpid()))) {
        std::filesystem::remove_all(folder);
        std::filesystem::create_directories(folder);
    }
    ~ReportTest() override { std::filesystem::remove_all(folder); }

    /// Writes analysis.json and the first `withDetail` sites' arrays.
    static void writeAnalysis(const std::filesystem::path& dir, const AnalysisResult& analysis,
                              std::size_t withDetail = 1000) {
        std::filesystem::create_directories(dir / "sites");
        ASSERT_TRUE(writeFileAtomically(dir / "analysis.json", encodeAnalysis(analysis)));
        for (std::size_t i = 0; i < std::min(withDetail, analysis.sites.size()); ++i) {
            const Status status =
                io::writeSiteDetail(dir / analysis.sites[i].detailFile,
                                    siteDetail(analysis.sites[i].key, analysis.spec.transforms.back()));
            ASSERT_TRUE(status) << status.error().text();
        }
    }
    std::string writeRun(const std::string& name, const RunResult& run) const {
        std::filesystem::create_directories(folder / name);
        EXPECT_TRUE(writeFileAtomically(folder / name / "run.json", encodeRun(run)));
        return (folder / name).string();
    }

    std::filesystem::path folder;
};

inline std::size_t occurrences(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string_view::npos;
         at = text.find(part, at + part.size()))
        ++count;
    return count;
}

} // namespace bdq::report
