#include <cmath>
#include <limits>

#include "engine/report/builders.h"
#include "engine/report/common_sections.h"
#include "engine/report/loss_section.h"
#include "engine/report/sensitivity_section.h"
#include "engine/report/site_plots.h"
#include "engine/report/text_format.h"

namespace bdq::report {
namespace {

constexpr std::size_t kWorstSites = 4;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double valueOr(const std::map<std::string, double>& values, const std::string& key) {
    const auto found = values.find(key);
    return found == values.end() ? kNone : found->second;
}

/// Mean over what is finite.
struct Mean {
    double sum = 0;
    int count = 0;
    void add(double value) {
        if (!std::isfinite(value)) return;
        sum += value;
        ++count;
    }
    [[nodiscard]] double value() const { return count > 0 ? sum / count : kNone; }
};

/// The scheme that plots show: the first that was measured.
std::string shownScheme(const AnalysisResult& analysis) {
    return analysis.spec.schemes.empty() ? std::string() : analysis.spec.schemes.front();
}

/// The transform that "after" means: the last analysed one, BDQ when all are.
TransformKind shownTransform(const AnalysisResult& analysis) {
    return analysis.spec.transforms.empty() ? TransformKind::None : analysis.spec.transforms.back();
}

std::vector<SiteValue> measured(const AnalysisResult& analysis, TransformKind transform,
                                const std::string& scheme) {
    std::vector<SiteValue> values;
    for (const SiteAnalysis& site : analysis.sites) {
        const auto found = site.transforms.find(transform);
        if (found != site.transforms.end())
            values.push_back({site.key, valueOr(found->second.sqnrDbMeasured, scheme)});
    }
    return values;
}

Section comparisonSection(const AnalysisResult& analysis) {
    Section section{"Transforms compared", {}};
    for (const std::string& scheme : analysis.spec.schemes) {
        Table table{{{"Transform", {}},
                     {"Site", {}},
                     metricColumn("sqnr_db", "mean SQNR, " + scheme),
                     metricColumn("flatness_activation", "mean Flatness x"),
                     metricColumn("flatness_weight", "mean Flatness W"),
                     metricColumn("alignment_db", "mean alignment")},
                    {},
                    false};
        for (TransformKind kind : analysis.spec.transforms)
            for (Site site : kLinearSites) {
                Mean sqnr, activation, weight, alignment;
                for (const SiteAnalysis& entry : analysis.sites) {
                    const auto found = entry.transforms.find(kind);
                    if (entry.key.site != site || found == entry.transforms.end()) continue;
                    sqnr.add(valueOr(found->second.sqnrDbMeasured, scheme));
                    activation.add(found->second.activation.entropyNormalized);
                    weight.add(found->second.weight.entropyNormalized);
                    alignment.add(found->second.alignmentDb);
                }
                table.rows.push_back({textCell(std::string(transformInfo(kind).title)),
                                      textCell(std::string(siteName(site))), sqnrCell(sqnr.value()),
                                      flatnessCell(activation.value()), flatnessCell(weight.value()),
                                      dbCell(alignment.value())});
            }
        section.blocks.emplace_back(Subheading{scheme});
        section.blocks.emplace_back(std::move(table));
    }
    return section;
}

Plot scatter(const AnalysisResult& analysis, const std::string& scheme, const std::string& what,
             std::map<std::string, double> TransformAnalysis::*prediction) {
    Plot plot;
    plot.title = what + " against measured SQNR, " + scheme;
    plot.description = plot.title + ", one point per layer and site; on the dashed line they agree";
    plot.x = {"measured SQNR (dB)", false, false};
    plot.y = {what + " SQNR (dB)", false, false};
    plot.diagonal = true;
    plot.width = 460;
    plot.height = 400;
    for (std::size_t i = 0; i < analysis.spec.transforms.size(); ++i) {
        const TransformInfo& info = transformInfo(analysis.spec.transforms[i]);
        Series series{std::string(info.id), seriesColor(i), {},   {},    {},
                      seriesMarker(i),      false,          true, false, {}};
        for (const SiteAnalysis& site : analysis.sites) {
            const auto found = site.transforms.find(info.kind);
            if (found == site.transforms.end()) continue;
            series.x.push_back(valueOr(found->second.sqnrDbMeasured, scheme));
            series.y.push_back(valueOr(found->second.*prediction, scheme));
            series.labels.push_back(siteText(site.key) + ", " + std::string(info.title) + ": measured " +
                                    formatDb(series.x.back()) + " dB, " + what + " " +
                                    formatDb(series.y.back()) + " dB");
        }
        plot.series.push_back(std::move(series));
    }
    return plot;
}

Section predictionSection(const AnalysisResult& analysis) {
    Section section{"Predicted against measured SQNR", {}};
    for (const std::string& scheme : analysis.spec.schemes)
        section.blocks.emplace_back(PlotGroup{
            "The per-channel rounding errors predict; the theorem explains and predicts after a rotation.",
            {scatter(analysis, scheme, "predicted", &TransformAnalysis::sqnrDbPredicted),
             scatter(analysis, scheme, "theorem", &TransformAnalysis::sqnrDbTheorem)}});
    return section;
}

Section layersSection(const AnalysisResult& analysis) {
    const std::string scheme = shownScheme(analysis);
    const TransformKind transform = shownTransform(analysis);
    const std::string title(transformInfo(transform).title);
    Section section{"Across the layers", {}};
    PlotGroup sqnr{"Measured on " + scheme + ". Higher is better.", {}};
    sqnr.plots.push_back(valuesByLayer("SQNR without transform, " + scheme, "SQNR (dB)",
                                       measured(analysis, TransformKind::None, scheme)));
    if (transform != TransformKind::None)
        sqnr.plots.push_back(valuesByLayer("SQNR after " + title + ", " + scheme, "SQNR (dB)",
                                           measured(analysis, transform, scheme)));
    section.blocks.emplace_back(std::move(sqnr));
    std::vector<BeforeAfter> activation;
    std::vector<BeforeAfter> weight;
    for (const SiteAnalysis& site : analysis.sites) {
        const auto before = site.transforms.find(TransformKind::None);
        const auto after = site.transforms.find(transform);
        if (before == site.transforms.end() || after == site.transforms.end()) continue;
        activation.push_back({site.key, before->second.activation.entropyNormalized,
                              after->second.activation.entropyNormalized});
        weight.push_back(
            {site.key, before->second.weight.entropyNormalized, after->second.weight.entropyNormalized});
    }
    section.blocks.emplace_back(Subheading{"Flatness of activations before and after " + title});
    section.blocks.emplace_back(beforeAfterByLayer("Flatness of x", activation));
    section.blocks.emplace_back(Subheading{"Flatness of weights before and after " + title});
    section.blocks.emplace_back(beforeAfterByLayer("Flatness of W", weight));
    return section;
}

Section tableSection(const AnalysisResult& analysis) {
    const std::string scheme = shownScheme(analysis);
    Table table{{{"Layer", {}},
                 {"Site", {}},
                 {"Transform", {}},
                 metricColumn("sqnr_db", "SQNR measured, " + scheme),
                 metricColumn("sqnr_db_token_median", "of a token, median"),
                 metricColumn("sqnr_db_token_low", "5th percentile"),
                 metricColumn("sqnr_db_predicted", "predicted"),
                 metricColumn("sqnr_db_theorem", "theorem"),
                 metricColumn("flatness_activation", "Flatness x"),
                 metricColumn("flatness_weight", "Flatness W"),
                 metricColumn("flatness_channel_normalized", "Channel flatness x"),
                 metricColumn("concentration_activation_db", "C(x)"),
                 metricColumn("concentration_weight_db", "C(W)"),
                 metricColumn("alignment_db", "A"),
                 metricColumn("outlier_share", "Outliers"),
                 metricColumn("kurtosis_activation", "Kurtosis x")},
                {},
                true};
    for (const SiteAnalysis& site : analysis.sites)
        for (const auto& [kind, value] : site.transforms)
            table.rows.push_back(
                {countCell(site.key.layer), textCell(std::string(siteName(site.key.site))),
                 textCell(std::string(transformInfo(kind).id)),
                 sqnrCell(valueOr(value.sqnrDbMeasured, scheme)),
                 dbCell(valueOr(value.sqnrDbTokenMedian, scheme)),
                 dbCell(valueOr(value.sqnrDbTokenLow, scheme)),
                 dbCell(valueOr(value.sqnrDbPredicted, scheme)), dbCell(valueOr(value.sqnrDbTheorem, scheme)),
                 flatnessCell(value.activation.entropyNormalized),
                 flatnessCell(value.weight.entropyNormalized), numberCell(value.activation.channelNormalized),
                 dbCell(value.concentrationActivationDb), dbCell(value.concentrationWeightDb),
                 dbCell(value.alignmentDb), numberCell(value.outlierShare),
                 numberCell(value.kurtosisActivation)});
    return {
        "Every layer and site",
        {Paragraph{
             "SQNR: ! below 15 dB, !! below 10 dB. Flatness: 0 = flat. The stronger the colour, the worse.",
             false},
         std::move(table)}};
}

std::vector<std::string> notes(const ReportData& data) {
    std::vector<std::string> result = data.problems;
    const std::vector<std::string>& warnings = data.analysis->warnings;
    result.insert(result.end(), warnings.begin(), warnings.end());
    for (const SiteAnalysis& site : data.analysis->sites)
        for (const std::string& note : site.notes)
            result.push_back(siteText(site.key) + ": " + note);
    return result;
}

std::string transformNames(const AnalysisResult& analysis) {
    std::string text;
    for (TransformKind kind : analysis.spec.transforms)
        text += (text.empty() ? "" : ", ") + std::string(transformInfo(kind).id);
    return text;
}

Section settingsSection(const AnalysisResult& analysis) {
    std::vector<std::pair<std::string, std::string>> facts;
    for (TransformKind kind : analysis.spec.transforms) {
        const TransformInfo& info = transformInfo(kind);
        facts.emplace_back(info.id,
                           std::string(info.title) + ": " + std::string(info.explanation) +
                               (info.citation.empty() ? "" : " (" + std::string(info.citation) + ")"));
    }
    facts.emplace_back("Layers", analysis.spec.layers.empty() ? "all" : formatLayers(analysis.spec.layers));
    return {"Settings", {factTable(facts)}};
}

Section worstSection(const ReportData& data) {
    const AnalysisResult& analysis = *data.analysis;
    const RankedPlan plan = rankedPlan(data);
    std::vector<SiteKey> worst = costliest(plan, kWorstSites);
    std::string text = "The sites that cost the model most: " + rankingText(plan) + ".";
    if (worst.empty()) {
        worst = lowest(measured(analysis, TransformKind::None, shownScheme(analysis)), kWorstSites);
        text =
            "The sites are " + rankingText(plan) +
            ". Shown are those with the lowest measured SQNR without a transform: a diagnosis, not what the "
            "model loses.";
    }
    Section section{"Worst sites", {Paragraph{text, false}}};
    for (Block& block : worstSiteBlocks(data, worst, shownTransform(analysis), analysis.text.source))
        section.blocks.push_back(std::move(block));
    return section;
}

void addSections(Document& document, const ReportData& data, const std::vector<ReportSection>& leaveOut) {
    const AnalysisResult& analysis = *data.analysis;
    const auto add = [&](ReportSection section, const auto& make) {
        addSection(document, section, leaveOut, make);
    };
    add(ReportSection::Worst, [&] { return lossSection(data); });
    add(ReportSection::Transforms, [&] { return comparisonSection(analysis); });
    add(ReportSection::Layers, [&] { return layersSection(analysis); });
    add(ReportSection::Worst, [&] { return worstSection(data); });
    add(ReportSection::Prediction, [&] { return predictionSection(analysis); });
    if (data.sensitivity) add(ReportSection::Table, [&] { return sensitivitySection(*data.sensitivity); });
    add(ReportSection::Table, [&] { return tableSection(analysis); });
    add(ReportSection::Settings, [&] { return settingsSection(analysis); });
    add(ReportSection::Sources, [&] {
        return sourcesSection({analysis.model, analysis.parameters, analysis.spec.modelPath,
                               analysis.modelFingerprint, analysis.text});
    });
    document.sections.push_back(notesSection(notes(data)));
    add(ReportSection::Definitions, [&] {
        std::vector<std::string_view> metrics{"sqnr_db",
                                              "sqnr_db_predicted",
                                              "sqnr_db_theorem",
                                              "flatness_activation",
                                              "flatness_weight",
                                              "flatness_channel_normalized",
                                              "flatness_figure2",
                                              "concentration_activation_db",
                                              "concentration_weight_db",
                                              "alignment_db",
                                              "outlier_share",
                                              "kurtosis_activation"};
        metrics.insert(metrics.end(), {"kl_site", "loss_estimated", "sqnr_db_token_median",
                                       "sqnr_db_token_low", "top_token_energy"});
        return definitionsSection(metrics);
    });
    add(ReportSection::Reproduction,
        [&] { return reproductionSection(analysis.provenance, analysis.spec.seed); });
}

} // namespace

Document analysisDocument(const ReportData& data, const std::vector<ReportSection>& leaveOut) {
    const AnalysisResult& analysis = *data.analysis;
    Document document;
    document.title = modelTitle(analysis.model, analysis.spec.modelPath) + ": analysis";
    document.subtitle = "BDQ Studio analysis report · " + lastName(analysis.spec.modelPath) + " · " +
                        analysis.provenance.startedUtc;
    document.summary = {
        {"Losses", rankingText(rankedPlan(data)), {}},
        {"Sites", formatCount(static_cast<std::int64_t>(analysis.sites.size())), {}},
        {"Transforms", transformNames(analysis), {}},
        {"Calibration tokens", formatCount(analysis.text.tokens) + ", " + bosText(analysis.text), {}},
        {"Text", analysis.text.source, {}},
        {"Time", formatSeconds(analysis.provenance.seconds), formatExact(analysis.provenance.seconds) + " s"},
        {"Peak memory", formatBytes(analysis.provenance.peakHostBytes), {}},
        {"Device", analysis.provenance.device, analysis.provenance.deviceName}};
    addSections(document, data, leaveOut);
    return document;
}

} // namespace bdq::report
